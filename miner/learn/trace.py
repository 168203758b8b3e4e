"""SHA-256 written down while it runs: compressions as data, for steppers, pages and notebooks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from miner.bitcoin.sha256 import INITIAL_STATE, ROUNDS, K, State, padding, sha256
from miner.learn.live import Moment, Shown, word

REGISTERS = "abcdefgh"


@dataclass(slots=True)
class Compression:
    """One compression: 64 rounds between two states."""

    before: State
    schedule: list[int]
    sums: list[tuple[int, int]] = field(default_factory=list)  # T1, T2 of each round
    states: list[State] = field(default_factory=list)  # a..h after each round
    after: State = INITIAL_STATE


class Recorder:
    """A `Watch` that keeps every compression it sees."""

    def __init__(self) -> None:
        self.compressions: list[Compression] = []

    def start(self, state: State, schedule: list[int]) -> None:
        self.compressions.append(Compression(state, schedule))

    def round(self, index: int, t1: int, t2: int, state: State) -> None:
        self.compressions[-1].sums.append((t1, t2))
        self.compressions[-1].states.append(state)

    def end(self, state: State) -> None:
        self.compressions[-1].after = state


def record(message: bytes) -> list[Compression]:
    """Every compression of sha256(message)."""
    recorder = Recorder()
    sha256(message, recorder)
    return recorder.compressions


def record_double(message: bytes) -> list[Compression]:
    """Every compression of sha256d: three for an 80-byte header."""
    recorder = Recorder()
    sha256(sha256(message, recorder), recorder)
    return recorder.compressions


def padded(message: bytes) -> bytes:
    """The message as it is cut into chunks."""
    return message + padding(len(message))


def bits(word: int) -> str:
    """The bits of a word as # and dots, in four groups of eight."""
    text = f"{word:032b}".translate(str.maketrans("01", ".#"))
    return " ".join(text[at : at + 8] for at in range(0, 32, 8))


def round_moment(steps: Sequence[Compression], names: Sequence[Shown], index: int) -> Moment:
    """Round `index` over all compressions: what went in, T1 and T2, and the eight registers."""
    number, t = divmod(index, ROUNDS)
    step = steps[number]
    old = step.states[t - 1] if t else step.before
    new = step.states[t]
    t1, t2 = step.sums[t]
    lines = [
        f"W[{t:2}] = {step.schedule[t]:08x}   K[{t:2}] = {K[t]:08x}   "
        f"T1 = {t1:08x}   T2 = {t2:08x}",
        "",
    ]
    for place, letter in enumerate(REGISTERS):
        mark = {"a": "= T1 + T2", "e": "= d + T1"}.get(letter, f"= {REGISTERS[place - 1]}")
        lines.append(f"{letter}  {old[place]:08x} -> {new[place]:08x}  {bits(new[place])} {mark}")
    final = " ".join(f"{one:08x}" for one in step.after)
    caption = word("last", state=final) if t == ROUNDS - 1 else ""
    return Moment(word("round", name=names[number], t=t), tuple(lines), caption)


def differing_bits(one: State, other: State) -> int:
    """How many of 256 bits differ."""
    return sum((x ^ y).bit_count() for x, y in zip(one, other, strict=True))
