"""Blocks, transactions, addresses and compact targets."""

import json
import random

from miner.bitcoin.address import AddressError, decode, describe
from miner.bitcoin.block import Block
from miner.bitcoin.encoding import Reader
from miner.bitcoin.target import UINT256_MAX, nbits_from_target, target_from_nbits
from miner.bitcoin.tx import Transaction
from tests.fakes import blocks
from tests.fakes.broken.targets import VECTORS, Feed, gist

ADDRESSES = (
    b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", b"mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
    b"3P14159f73E4gFr7JterCCQh9QjiTjiZrG", b"bcrt1qlgrnxscelkj7uk4jwj97ykxwda7etsq4jee8hz",
    b"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
    b"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
)  # fmt: skip


def recorded_blocks() -> list[bytes]:
    """Blocks in recordings of Bitcoin Core."""
    found = []
    for path in sorted((VECTORS / "rpc").glob("*.json")):
        for each in json.loads(path.read_text())["exchanges"]:
            if each["request"]["method"] == "submitblock":
                found.append(bytes.fromhex(each["request"]["params"][0]))
    return [raw for raw in found if len(raw) < 20_000]


def block(dice: random.Random) -> tuple[list[bytes], Feed]:
    """Parsed and written again it is the same, and an independent parser agrees."""

    def feed(data: bytes) -> str:
        try:
            parsed = Block.parse(data)
        except ValueError as error:
            return gist(error)
        assert parsed.serialize() == data
        other = blocks.parse_block(data)
        assert [tx.txid for tx in other.transactions] == [tx.txid for tx in parsed.transactions]
        assert other.weight == parsed.weight
        return f"{min(len(parsed.transactions), 4)} transactions"

    return recorded_blocks(), feed


def transaction(dice: random.Random) -> tuple[list[bytes], Feed]:
    def feed(data: bytes) -> str:
        reader = Reader(data)
        try:
            parsed = Transaction.read(reader)
            reader.end()
        except ValueError as error:
            return gist(error)
        assert parsed.serialize() == data
        return f"{len(parsed.inputs)} {len(parsed.outputs)} {parsed.txid == parsed.wtxid}"

    whole = [raw for raw in recorded_blocks() if len(raw) > 200]
    found = [tx.full for raw in whole for tx in blocks.parse_block(raw).transactions]
    return list(dict.fromkeys(found))[:20], feed


def address(dice: random.Random) -> tuple[list[bytes], Feed]:
    """What is accepted pays a script that reads back as an address."""

    def feed(data: bytes) -> str:
        try:
            found = decode(data.decode("utf-8", "surrogateescape"))
        except AddressError as error:
            assert str(error).isprintable(), repr(str(error))
            return gist(str(error).rpartition(": ")[2])
        assert 4 <= len(found.script) <= 42
        assert found.chains
        assert describe(found.script, found.chains[0])
        return f"{found.kind} {found.chains}"

    return list(ADDRESSES), feed


def nbits(dice: random.Random) -> tuple[list[bytes], Feed]:
    """Within 256 bits, and the shortest form of the same target."""

    def feed(data: bytes) -> str:
        number = int.from_bytes(data[:5], "big")
        try:
            target = target_from_nbits(number)
        except ValueError as error:
            return gist(str(error).rpartition(": ")[2])
        assert 0 < target <= UINT256_MAX
        assert target_from_nbits(nbits_from_target(target)) == target
        return f"{number >> 24}"

    forms = (0x1D00FFFF, 0x207FFFFF, 0x1B0404CB, 0x03123456, 0x01003456, 0x22000001, 0x04923456)
    return [form.to_bytes(4, "big") for form in forms], feed
