"""Write miner/pool/static/hash.js: the double SHA-256 of a header's end, unrolled for browsers.

A browser's compiler unrolls nothing and knows no constants, so the rounds are written out here,
with all that csrc/README.md saves: rounds 0 to 3 and every sum that no nonce changes are made once
a header (`prepare`), constant words join their round's constant, and the last rounds of hash 2 stop
at digest word 7 (`scan`). A test compares the file with what this script writes.
Use: make_hash.py [--check]
"""

import argparse
import math
import re
import sys
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "miner" / "pool" / "static" / "hash.js"
PAD_BIT, HEADER_BITS, DIGEST_BITS = 0x80000000, 640, 256  # FIPS 180-4 section 5.1.1
MASK = 2**32 - 1
HEAD = """\
"use strict";
// Written by scripts/make_hash.py; change that. SHA-256 (FIPS 180-4) on signed 32-bit words.
//
// prepare(midstate, tail): all that no nonce of a header changes. `midstate`: 8 words, the state
// after bytes 0 to 63. `tail`: 3 big-endian words, bytes 64 to 75.
// scan(prepared, zeroBits, start, count, out): tries the nonces from start on, writes those whose
// digest word 7 has no bit of zeroBits set to `out` (a Uint32Array), and returns how many. It stops
// when `out` is full: then the last one written is the last one tried.
const homehash = {};
"""


def fraction_bits(prime: int, degree: int) -> int:
    """The first 32 bits of the fraction of a root, exactly."""
    low, high = 0, prime << 32
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**degree <= prime << 32 * degree else (low, middle)
    return low & MASK


PRIMES = [n for n in range(2, 312) if all(n % d for d in range(2, math.isqrt(n) + 1))]
K = [fraction_bits(prime, 3) for prime in PRIMES[:64]]
INIT = [fraction_bits(prime, 2) for prime in PRIMES[:8]]


@dataclass(frozen=True, slots=True)
class Word:
    """A sum of what is known here, what is known once a header, and what the nonce changes."""

    number: int = 0
    header: tuple[str, ...] = ()
    nonce: tuple[str, ...] = ()

    def __add__(self, other: "Word") -> "Word":
        number = (self.number + other.number) & MASK
        return Word(number, self.header + other.header, self.nonce + other.nonce)


def signed(number: int) -> str:
    """A 32-bit word as JavaScript's operators give it."""
    return str(number - 2**32 if number >> 31 else number)


def total(*terms: str) -> str:
    """A sum cut to 32 bits after each step, which keeps it a machine word."""
    told, *rest = terms
    for term in rest:
        told = f"({told} + {term} | 0)"
    return told


def ror(name: str, bits: int) -> str:
    return f"({name} >>> {bits} | {name} << {32 - bits})"


def small(name: str, one: int, two: int, shift: int) -> str:
    return f"({ror(name, one)} ^ {ror(name, two)} ^ {name} >>> {shift})"


def small_of(word: Word, *bits: int) -> Word:
    """A small sigma of a word that is one number or has one name."""
    one, two, shift = bits
    if not word.header and not word.nonce:
        n = word.number
        turned = [(n >> b | n << 32 - b) & MASK for b in (one, two)]
        return Word(turned[0] ^ turned[1] ^ n >> shift)
    if word.nonce:
        return Word(nonce=(small(word.nonce[0], one, two, shift),))
    return Word(header=(small(word.header[0], one, two, shift),))


class Writer:
    """The lines of both functions, and the words that pass from one to the other."""

    def __init__(self) -> None:
        self.once: list[str] = []  # of prepare
        self.each: list[str] = []  # of scan, for each nonce
        self.passed: list[str] = []  # names, in the order of the prepared words

    def keep(self, name: str, value: str) -> str:
        """Have `prepare` compute this and `scan` know it by its name."""
        if value.isidentifier():
            return value
        self.once.append(f"const {name} = {value};")
        self.passed.append(name)
        return name

    def words(self, first: list[Word], end: int, label: str) -> list[tuple[Word, str]]:
        """The message schedule: each word with the statement that makes it, "" for none."""
        made = [(word, "") for word in first]
        for r in range(16, end):
            known = [word for word, _ in made]
            summed = known[r - 16] + small_of(known[r - 15], 7, 18, 3)
            summed += known[r - 7] + small_of(known[r - 2], 17, 19, 10)
            made.append(self._named(summed, r, label))
        return made

    def _named(self, summed: Word, r: int, label: str) -> tuple[Word, str]:
        """A word by one name, so that later ones can use it."""
        fixed = [signed(summed.number)] if summed.number else []
        if not summed.nonce:
            if summed.header:
                return Word(header=(self.keep(f"{label}{r}", total(*summed.header, *fixed)),)), ""
            return summed, ""
        if summed.header:
            fixed = [self.keep(f"{label}{r}", total(*summed.header, *fixed))]
        name = f"w{r % 16}"
        return Word(nonce=(name,)), f"{name} = {total(*summed.nonce, *fixed)};"

    def key(self, r: int, word: Word, more: int = 0) -> list[str]:
        """The terms of K + W in round r, with `more` added."""
        known = (K[r] + word.number + more) & MASK
        if word.header:
            return [self.keep(f"k{r}", total(*word.header, signed(known)))]
        return [*([signed(known)] if known else []), *word.nonce]


def state(r: int, place: int) -> str:
    """The name of a..h (place 0..7) before round r: names move, words stay."""
    return "abcdefgh"[(place - r) % 8]


def big1_and_choice(r: int) -> tuple[str, str]:
    e, f, g = (state(r, place) for place in (4, 5, 6))
    return f"({g} ^ {e} & ({f} ^ {g}))", f"({ror(e, 6)} ^ {ror(e, 11)} ^ {ror(e, 25)})"


def full_round(r: int, key: list[str]) -> str:
    a, b, d, h = (state(r, place) for place in (0, 1, 3, 7))
    big0 = f"({ror(a, 2)} ^ {ror(a, 13)} ^ {ror(a, 22)})"
    same, before = ("x", "y") if r % 2 else ("y", "x")  # a ^ b is b ^ c of the round that follows
    return (
        f"t = {total(h, *key, *big1_and_choice(r))}; {d} = {d} + t | 0; {same} = {a} ^ {b};"
        f" {h} = {total('t', big0, f'({b} ^ {same} & {before})')};"
    )


def half_round(r: int, key: list[str]) -> str:
    """The new e alone."""
    d = state(r, 3)
    return f"{d} = {total(state(r, 7), *key, d, *big1_and_choice(r))};"


def hash_1(out: Writer) -> None:
    """Rounds 4 to 63 of chunk 2; the words of its digest are w0 to w7 then."""
    head = [Word(header=(f"t{i}",)) for i in range(3)]
    pad = [Word(PAD_BIT), *[Word()] * 10, Word(HEADER_BITS)]
    words = out.words([*head, Word(nonce=("w3",)), *pad], 64, "s")
    out.each.append("w3 = n << 24 | n << 8 & 0xff0000 | n >>> 8 & 0xff00 | n >>> 24;")
    for place in range(8):
        start = out.keep(f"p{place}", f"state[{place}]")
        moved = f"{start} + w3 | 0" if place in (0, 4) else start
        out.each.append(f"{state(4, place)} = {moved};")
    out.each.append(f"x = {state(4, 1)} ^ {state(4, 2)};")
    for r in range(4, 64):
        word, make = words[r]
        out.each.append(f"{make} {full_round(r, out.key(r, word))}".strip())
    for place in range(8):
        start = out.keep(f"m{place}", f"midstate[{place}] | 0")
        out.each.append(f"w{place} = {start} + {state(64, place)} | 0;")


def hash_2(out: Writer) -> None:
    """Rounds 0 to 60 over those words: digest word 7 is the last e."""
    unknown = [Word(nonce=(f"w{i}",)) for i in range(8)]
    words = out.words([*unknown, Word(PAD_BIT), *[Word()] * 6, Word(DIGEST_BITS)], 61, "")
    for place, number in enumerate(round_0()):
        known = signed(number)
        moved = f"{known} + w0 | 0" if place in (0, 4) else known
        out.each.append(f"{state(1, place)} = {moved};")
    out.each.append(f"y = {state(1, 1)} ^ {state(1, 2)};")
    for r in range(1, 61):
        word, make = words[r]
        more = INIT[7] if r == 60 else 0
        done = (full_round if r < 57 else half_round)(r, out.key(r, word, more))
        out.each.append(f"{make} {done}".strip())


def round_0() -> list[int]:
    """The state after round 0 of the initial state, but for W[0]: a and e take it as an addend."""

    def turned(n: int, *bits: int) -> int:
        found = 0
        for b in bits:
            found ^= (n >> b | n << 32 - b) & MASK
        return found

    a, b, c, d, e, f, g, h = INIT
    t1 = h + turned(e, 6, 11, 25) + (g ^ e & (f ^ g)) + K[0]
    t2 = turned(a, 2, 13, 22) + (a & b ^ a & c ^ b & c)
    return [(t1 + t2) & MASK, a, b, c, (d + t1) & MASK, e, f, g]


def listing(name: str, numbers: list[int]) -> str:
    rows = [", ".join(map(signed, numbers[at : at + 8])) for at in range(0, len(numbers), 8)]
    return f"homehash.{name} = Int32Array.of(\n\t" + ",\n\t".join(rows) + ",\n);\n"


def written() -> str:
    """The text of hash.js."""
    hash_1(out := Writer())
    hash_2(out)
    once, each = "\n\t".join(out.once), "\n\t\t".join(out.each)
    passed = [name for name in out.passed if re.search(rf"\b{name}\b", each)]
    known = "\n\t".join(f"const {name} = prepared[{at}];" for at, name in enumerate(passed))
    constants = f"{listing('K', K)}\n{listing('INIT', INIT)}"
    return f"""{HEAD}
{constants}
homehash.prepare = (midstate, tail) => {{
	const t0 = tail[0] | 0, t1 = tail[1] | 0, t2 = tail[2] | 0;
	const state = midstate.slice();
	for (let r = 0; r < 4; r++) {{
		const [a, b, c, d, e, f, g, h] = state;
		const known = homehash.K[r] + (r < 3 ? tail[r] : 0) | 0;
		const one = h + {" + ".join(big1_and_choice(0))} + known | 0;
		const two = ({ror("a", 2)} ^ {ror("a", 13)} ^ {ror("a", 22)}) + (a & b ^ a & c ^ b & c) | 0;
		state.set([one + two | 0, a, b, c, d + one | 0, e, f, g]);
	}}
	{once}
	return Int32Array.of({", ".join(passed)});
}};

homehash.scan = (prepared, zeroBits, start, count, out) => {{
	{known}
	let a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, t = 0, x = 0, y = 0, found = 0;
	let w0 = 0, w1 = 0, w2 = 0, w3 = 0, w4 = 0, w5 = 0, w6 = 0, w7 = 0;
	let w8 = 0, w9 = 0, w10 = 0, w11 = 0, w12 = 0, w13 = 0, w14 = 0, w15 = 0;
	for (let i = 0; i < count; i++) {{
		const n = start + i | 0;
		{each}
		if (({state(61, 4)} & zeroBits) === 0) {{
			out[found++] = n;
			if (found === out.length) return found;
		}}
	}}
	return found;
}};
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; 1 when it is not current"
    )
    text = written()
    if parser.parse_args().check:
        return int(FILE.read_text(encoding="utf-8") != text)
    FILE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
