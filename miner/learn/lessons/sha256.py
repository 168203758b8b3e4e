"""Lesson 2: SHA-256 with its 64 rounds, on the learner's own text and on a real header."""

import hashlib
import random
from collections.abc import Iterator
from statistics import mean

from miner.bitcoin.encoding import display_hex, sha256d
from miner.bitcoin.sha256 import ROUNDS, compress, digest, sha256
from miner.learn import trace
from miner.learn.answers import number_judge, word_judge
from miner.learn.chain import by_height
from miner.learn.steps import (
    Bars,
    Bytes,
    Check,
    Field,
    Item,
    Question,
    Screen,
    Setting,
    Stepper,
    Table,
    Text,
    code,
)  # fmt: skip

FAMOUS = 125_552
THREE = ("chunk 1 of the header", "chunk 2 of the header", "the second hash")
FLIPS, QUICK_FLIPS = 640, 64  # header bits flipped one by one
SHOWN_ROUNDS = (0, 1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48)  # after the one that reads the bit


def screens(setting: Setting) -> Iterator[Screen]:
    """Own text, then the three compressions of a header, then the avalanche."""
    block = by_height(FAMOUS) if setting.header is None else setting.header
    yield _own_text(setting.text.encode())
    yield _cut(block)
    steps = trace.record_double(block)
    yield _rounds(steps)
    yield from _avalanche(block, setting)
    yield _checks(steps, block)


def _own_text(message: bytes) -> Screen:
    steps = trace.record(message)
    names = [f"chunk {place + 1}" for place in range(len(steps))]
    return Screen(
        "A hash of your own words",
        (
            Text(
                f"SHA-256 of `{message.decode()}`: the text is padded to whole chunks of 64 bytes, "
                "and each chunk is stirred into a state of eight 32-bit words by **64 rounds**.\n\n"
                "Step through them. A bit that is 1 is drawn #, a 0 is a dot. Only a and e are new "
                "in a round; the other six registers just move down one place."
            ),
            _stepper("your text", steps, names, (0, 1, 63)),
            Table("", ("", ""), (("hash", sha256(message).hex()),)),
            Check(
                "the same as Python's own hashlib says",
                sha256(message) == hashlib.sha256(message).digest(),
                "hashlib.sha256(text).hexdigest()",
            ),
            code(compress),
        ),
    )


def _stepper(
    title: str, steps: list[trace.Compression], names: list[str], shown: tuple[int, ...]
) -> Stepper:
    return Stepper(
        title, len(steps) * ROUNDS, lambda place: trace.round_frame(steps, names, place), shown
    )


def _cut(block: bytes) -> Screen:
    whole = trace.padded(block)
    parts = (
        Field("chunk 1", whole[:64], "version, previous hash, most of the merkle root"),
        Field("chunk 2", whole[64:80], "last of the root, time, nbits, **nonce**"),
        Field("padding", whole[80:128], "a 1 bit, zeros, and the length: 640 bits"),
    )
    return Screen(
        "A header is hashed in three compressions",
        (
            Text(
                "Bitcoin hashes twice. The 80 header bytes need **two** chunks; the 32 bytes that "
                "come out are hashed again, one more chunk. Three compressions of 64 rounds: 192 "
                "rounds for one try."
            ),
            Bytes("80 bytes, padded to 128", parts),
            Question(
                "In which chunk is the nonce?",
                "2",
                number_judge(2),
                "So chunk 1 gives the same state for every nonce. Lesson 5 lives on that.",
            ),
        ),
    )


def _rounds(steps: list[trace.Compression]) -> Screen:
    return Screen(
        "All 192 rounds of a real block",
        (
            Text("Rounds 1 to 64 are chunk 1, from 65 chunk 2, from 129 the second hash."),
            _stepper("a real header", steps, list(THREE), (0, 64, 67, 128, 191)),
            Text(
                "Round 3 of chunk 2 (number 68) is the first to see the nonce: W[3] holds it. "
                "Until then all four thousand million tries are alike."
            ),
        ),
    )


def _avalanche(block: bytes, setting: Setting) -> Iterator[Screen]:
    rng = random.Random(setting.seed)
    places = list(range(640))
    if setting.quick:
        places = rng.sample(places, QUICK_FLIPS)
    spread, final = _flip_all(block, places)
    yield Screen(
        "Flip one bit",
        (
            Text(
                f"One bit of the header is flipped, for {len(places)} different bits. The word it "
                "stands in enters in one round; from there on the registers are compared, round by "
                "round. Bits that differ, of 256:"
            ),
            Bars(
                "differing bits, by rounds since the flipped bit was read, mean",
                tuple(f"{t} later" for t in SHOWN_ROUNDS),
                tuple(mean(counts) for counts in spread),
                "bits of 256",
            ),
            *_final(final),
            Question(
                "About how many of the 256 bits would differ between two random numbers?",
                "128",
                number_judge(128),
                "Half. Some six rounds after it is read, one flipped bit looks like pure chance.",
            ),
        ),
    )


def _flip_all(block: bytes, places: list[int]) -> tuple[list[list[int]], list[int]]:
    """Differing bits: by shown round, and in the final double hash, for each flipped bit."""
    plain = trace.record(block)
    spread: list[list[int]] = [[] for _ in SHOWN_ROUNDS]
    final = []
    for place in places:
        changed = bytearray(block)
        changed[place // 8] ^= 0x80 >> place % 8
        chunk = place // 512
        other = trace.record(bytes(changed))[chunk]
        read = place % 512 // 32  # the round that reads the word of this bit
        for row, t in zip(spread, SHOWN_ROUNDS, strict=True):
            row.append(trace.differing_bits(plain[chunk].states[read + t], other.states[read + t]))
        one, two = (int.from_bytes(sha256d(raw)) for raw in (block, bytes(changed)))
        final.append((one ^ two).bit_count())
    return spread, final


def _final(final: list[int]) -> tuple[Item, ...]:
    error = 8 / len(final) ** 0.5  # one hash: sd of 256 fair coins is 8
    return (
        Check(
            f"in the final hash {mean(final):.1f} bits differ on average; chance says 128 +- "
            f"{error:.1f}, and {mean(final):.1f} is within four of those",
            abs(mean(final) - 128) < 4 * error,
            "flip a bit of the header, sha256d both, count the bits of the exclusive or",
        ),
    )


def _checks(steps: list[trace.Compression], block: bytes) -> Screen:
    double = hashlib.sha256(hashlib.sha256(block).digest()).digest()
    return Screen(
        "The end of it",
        (
            Table("", ("", ""), (("hash", display_hex(double)),)),
            Check(
                "the state after 192 rounds is the hash that hashlib gives",
                digest(steps[-1].after) == double,
                "hashlib.sha256(hashlib.sha256(header).digest()).digest()",
            ),
            Check(
                "FIPS 180-4's example: the hash of abc begins ba7816bf",
                sha256(b"abc").hex().startswith("ba7816bf8f01cfea"),
                "sha256(b'abc')",
            ),
            code(sha256),
            Question(
                "Can anyone choose a header so that its hash comes out small, without trying?",
                "no",
                word_judge("no", "n", "nobody"),
                "Nobody knows how. That is why mining is a search, and why a search is a proof.",
            ),
        ),
    )
