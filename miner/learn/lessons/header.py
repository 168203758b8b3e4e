"""Lesson 1: the 80 bytes that are hashed."""

import random
from collections.abc import Iterator

from miner.bitcoin.encoding import display_hex, sha256d
from miner.bitcoin.header import HEADER_BYTES, Header
from miner.bitcoin.target import target_from_nbits
from miner.learn.answers import number_judge, word_judge
from miner.learn.chain import by_height, real_headers
from miner.learn.steps import (
    Bytes,
    Check,
    Field,
    Question,
    Screen,
    Setting,
    Table,
    Text,
    code,
)  # fmt: skip

FAMOUS = 125_552  # a block of May 2011, used in many explanations of mining
ROUND_TRIPS = 1_000


def screens(setting: Setting) -> Iterator[Screen]:
    """From the bytes of a real block to the two traps of byte order."""
    block = by_height(FAMOUS) if setting.header is None else setting.header
    header = Header.parse(block)
    yield _the_bytes(block, header)
    yield _one_byte(header)
    yield _two_orders(header)
    yield _checks(setting, block)


def version_words(version: int) -> str:
    """What a version says: a plain number, or since BIP 9 (2016) bits that vote."""
    return "its bits vote on rules (BIP 9)" if version >> 29 == 1 else "a plain number"


def fields(block: bytes) -> tuple[Field, ...]:
    """The six fields of a header, with their meaning in words."""
    header = Header.parse(block)
    return (
        Field(
            "version",
            block[0:4],
            f"{header.version:#010x}, little-endian; {version_words(header.version)}",
        ),
        Field("previous block", block[4:36], "hash of the block before: this is the chain"),
        Field("merkle root", block[36:68], "fingerprint of every transaction"),
        Field("time", block[68:72], f"{header.time} seconds since 1970"),
        Field("nbits", block[72:76], f"{header.nbits:#010x}: the target, written short"),
        Field("nonce", block[76:80], f"{header.nonce:,}: the number miners change"),
    )


def _the_bytes(block: bytes, header: Header) -> Screen:
    is_block = header.meets(target_from_nbits(header.nbits))
    whose = "Here is a real one." if is_block else "Here is yours."
    kind = "block" if is_block else "a candidate with hash"
    return Screen(
        "Everything a miner hashes",
        (
            Text(
                "A miner does not hash a block. It hashes the block's **header**: 80 bytes, six "
                f"fields, always in this order. {whose}"
            ),
            Bytes(f"header of {kind} {header.hash_hex[:24]}..", fields(block)),
            code(Header.parse),
            Question(
                "Which field is the only one with no meaning of its own, there just to be changed?",
                "the nonce",
                word_judge("nonce", "the nonce", "f"),
                "A nonce is a number used once. It has 32 bits, so 4,294,967,296 values.",
            ),
        ),
    )


def _one_byte(header: Header) -> Screen:
    changed = Header(
        header.version, header.prev_hash, header.merkle_root, header.time, header.nbits,
        (header.nonce + 1) % 2**32,
    )  # fmt: skip
    return Screen(
        "Add one to the nonce",
        (
            Text("The same header twice; the second with its nonce one higher."),
            Table(
                "",
                ("nonce", "hash, as people read it"),
                (
                    (f"{header.nonce:,}", header.hash_hex),
                    (f"{changed.nonce:,}", changed.hash_hex),
                ),
            ),
            *_proof(header, changed),
            code(Header.meets),
        ),
    )


def _proof(header: Header, changed: Header) -> tuple[Text | Check, ...]:
    target = target_from_nbits(header.nbits)
    if not header.meets(target):
        return (Text("Neither hash meets the target in this header's nbits: it is no block yet."),)
    return (
        Text(
            "The first hash is tiny as numbers go: it meets the target, and that is the whole "
            "proof of work. Nothing in the second hints that a solution lies next door."
        ),
        Check(
            "the first hash meets the target in its own nbits, the second does not",
            not changed.meets(target),
            "Header.parse(bytes).meets(target_from_nbits(nbits))",
        ),
    )


def _two_orders(header: Header) -> Screen:
    raw = header.hash
    return Screen(
        "Two traps of byte order",
        (
            Text(
                "**Trap 1.** Numbers in the header are little-endian: the lowest byte comes "
                "first.\n\n"
                "**Trap 2.** A hash is 32 bytes, shown backwards to people. Programs use the first "
                "form (internal order), screens and explorers the second (display order)."
            ),
            Table(
                "",
                ("", "nbits", "hash"),
                (
                    (
                        "in the header",
                        header.nbits.to_bytes(4, "little").hex(),
                        raw.hex()[:32] + "..",
                    ),
                    ("as we read it", f"{header.nbits:08x}", display_hex(raw)[:32] + ".."),
                ),
            ),
            code(display_hex),
            Question(
                "At which byte (0 is the first) does nbits begin?",
                "72",
                number_judge(72),
                "4 + 32 + 32 + 4 bytes come before it.",
            ),
        ),
    )


def _checks(setting: Setting, block: bytes) -> Screen:
    rng = random.Random(setting.seed)
    trips = all(
        Header.parse(raw).pack() == raw
        for raw in (rng.randbytes(HEADER_BYTES) for _ in range(ROUND_TRIPS))
    )
    proven = sum(
        header.meets(target_from_nbits(header.nbits))
        for header in map(Header.parse, real_headers().values())
    )
    return Screen(
        "Do not take our word for it",
        (
            Check(
                f"{ROUND_TRIPS:,} random headers come out of parse and pack as they went in",
                trips,
                "Header.parse(raw).pack() == raw",
            ),
            Check(
                f"{proven} of {len(real_headers())} real headers since 2009 prove their own work",
                proven == len(real_headers()),
                "miner learn header --auto",
            ),
            Check(
                f"the hash of the header shown is {display_hex(sha256d(block))[:24]}..",
                Header.parse(block).hash == sha256d(block),
                "any SHA-256 tool, twice, on the 80 bytes",
            ),
        ),
    )
