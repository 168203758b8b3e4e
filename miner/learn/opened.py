"""One round and one word of SHA-256, taken apart to be recomputed by hand (FIPS 180-4, 6.2.2)."""

from dataclasses import dataclass
from decimal import Decimal, localcontext

from miner.bitcoin.sha256 import (
    INITIAL_STATE,
    MASK,
    ROUNDS,
    K,
    State,
    big_sigma0,
    big_sigma1,
    ch,
    maj,
    rotr,
    small_sigma0,
    small_sigma1,
)  # fmt: skip
from miner.learn import trace

DIGITS = 40  # of a cube root: 32 bits need ten


@dataclass(frozen=True, slots=True)
class Row:
    """A word to be drawn in bits; `how` and `by`: rotated or shifted by so many places."""

    name: str
    value: int
    how: str | None = None
    by: int = 0


@dataclass(frozen=True, slots=True)
class Round:
    """Round 0 in its parts, in the order in which they are added."""

    before: State
    after: State  # what `compress` has
    seen_t1: int  # the same
    t1_parts: dict[str, int]
    t2_parts: dict[str, int]

    @property
    def t1(self) -> int:
        return sum(self.t1_parts.values()) & MASK

    @property
    def t2(self) -> int:
        return sum(self.t2_parts.values()) & MASK

    @property
    def new_a(self) -> int:
        return (self.t1 + self.t2) & MASK

    @property
    def new_e(self) -> int:
        return (self.before[3] + self.t1) & MASK


def first_round(message: bytes) -> Round:
    """Round 0 of the first chunk of a message."""
    step = trace.record(message)[0]
    a, b, c, _, e, f, g, h = INITIAL_STATE
    t1 = {"h": h, "Sigma1": big_sigma1(e), "Ch": ch(e, f, g), "K[0]": K[0]}
    t2 = {"Sigma0": big_sigma0(a), "Maj": maj(a, b, c)}
    t1["W[0]"] = step.schedule[0]
    return Round(INITIAL_STATE, step.states[0], step.sums[0][0], t1, t2)


def round_parts(message: bytes) -> dict[str, str]:
    """Everything of round 0 in hex, by name: to recompute it by hand."""
    one = first_round(message)
    values = {
        **one.t1_parts, "T1": one.t1, **one.t2_parts, "T2": one.t2, "a": one.new_a, "e": one.new_e,
    }  # fmt: skip
    return {name: f"{value:08x}" for name, value in values.items()}


def rotations(name: str, word: int, by: tuple[int, ...], shift: int = 0) -> list[Row]:
    """A word, its rotations (and one shift), and their exclusive or: a Sigma or sigma."""
    rows = [Row(name, rotr(word, places), "rotated", places) for places in by]
    if shift:
        rows.append(Row(name, word >> shift, "shifted", shift))
    joined = 0
    for row in rows:
        joined ^= row.value
    return [Row(name, word), *rows, Row("", joined, "sum")]


def word_parts(words: list[int], t: int) -> dict[str, int]:
    """The four numbers that W[t] is the sum of."""
    return {
        f"sigma1(W[{t - 2}])": small_sigma1(words[t - 2]),
        f"W[{t - 7}]": words[t - 7],
        f"sigma0(W[{t - 15}])": small_sigma0(words[t - 15]),
        f"W[{t - 16}]": words[t - 16],
    }


def cube_roots() -> list[tuple[int, Decimal]]:
    """The first 64 primes with their cube roots, by decimals: not as bitcoin.sha256 does it."""
    found: list[tuple[int, Decimal]] = []
    candidate = 2
    with localcontext() as context:
        context.prec = DIGITS
        while len(found) < ROUNDS:
            if all(candidate % prime for prime, _ in found):
                found.append((candidate, Decimal(candidate) ** (Decimal(1) / 3)))
            candidate += 1
    return found


def fraction_bits(root: Decimal) -> int:
    """The first 32 bits after the point."""
    with localcontext() as context:
        context.prec = DIGITS
        return int(root % 1 * 2**32)
