"""An independent judge of blocks for fake nodes: parses and checks with its own code.

Nothing of `miner` is used, so a mistake shared by the product and its node cannot hide here. Words
are BIP 22's as Bitcoin Core spells them, checked in Core's order. Scripts are not run.
"""

import hashlib
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

MAX_WEIGHT = 4_000_000
MAX_FUTURE_S = 7200
MATURITY = 100
MEDIAN_SPAN = 11
COMMITMENT = bytes.fromhex("6a24aa21a9ed")
REGTEST_GENESIS = bytes.fromhex(
    "06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f"
)  # internal order
REGTEST_GENESIS_TIME = 1296688602
REGTEST_BITS = 0x207FFFFF


class Undecodable(Exception):
    """RPC error -22."""


@dataclass
class ParsedTx:
    inputs: list[tuple[bytes, int]]
    scripts: list[bytes]  # of the inputs
    outputs: list[tuple[int, bytes]]
    witnesses: list[list[bytes]]
    stripped: bytes
    full: bytes

    @property
    def txid(self) -> bytes:
        return dsha(self.stripped)

    @property
    def wtxid(self) -> bytes:
        return dsha(self.full)

    @property
    def is_coinbase(self) -> bool:
        return self.inputs == [(bytes(32), 0xFFFFFFFF)]


@dataclass
class ParsedBlock:
    raw: bytes
    version: int
    previous: bytes
    merkle_root: bytes
    time: int
    bits: int
    nonce: int
    transactions: list[ParsedTx]

    @property
    def hash(self) -> bytes:
        return dsha(self.raw[:80])

    @property
    def weight(self) -> int:
        overhead = len(self.raw) - sum(len(tx.full) for tx in self.transactions)
        return 4 * overhead + sum(3 * len(tx.stripped) + len(tx.full) for tx in self.transactions)


@dataclass(frozen=True)
class Place:
    """Where a block wants to stand."""

    height: int
    previous: bytes  # internal order
    median_time: int  # of the 11 blocks before
    bits: int
    subsidy: int
    now: int
    coins: Mapping[tuple[bytes, int], int] | None = None  # values; None: fees are not checked


def judge(raw: bytes, place: Place) -> str | None:
    """None for a good block, else the word. Raises Undecodable."""
    block = parse_block(raw)
    for check in (_check_alone, _check_header, _check_body, _check_value):
        if word := check(block, place):
            return word
    return None


@dataclass
class ChainJudge:
    """Follows one regtest chain from genesis, coins included."""

    halving: int = 150
    clock: Callable[[], float] = time.time
    hashes: list[bytes] = field(default_factory=lambda: [REGTEST_GENESIS])
    times: list[int] = field(default_factory=lambda: [REGTEST_GENESIS_TIME])
    coins: dict[tuple[bytes, int], int] = field(default_factory=dict)
    born: dict[bytes, int] = field(default_factory=dict)  # coinbase txid: height

    def place(self) -> Place:
        """Of the next block."""
        height = len(self.hashes)
        recent = sorted(self.times[-MEDIAN_SPAN:])
        subsidy = 5_000_000_000 >> min(height // self.halving, 63)
        median, now = recent[len(recent) // 2], int(self.clock())
        previous = self.hashes[-1]
        return Place(height, previous, median, REGTEST_BITS, subsidy, now, self.coins)

    def take(self, raw: bytes) -> str | None:
        """Judge the block and move on to it when it is good."""
        place, block = self.place(), parse_block(raw)
        if word := judge(raw, place) or self._immature(block, place.height):
            return word
        for tx in block.transactions:
            for point in tx.inputs:
                self.coins.pop(point, None)
            for index, (value, _) in enumerate(tx.outputs):
                self.coins[tx.txid, index] = value
        self.born[block.transactions[0].txid] = place.height
        self.hashes.append(block.hash)
        self.times.append(block.time)
        return None

    def _immature(self, block: ParsedBlock, height: int) -> str | None:
        spent = {txid for tx in block.transactions[1:] for txid, _ in tx.inputs}
        young = any(height - self.born.get(txid, height - MATURITY) < MATURITY for txid in spent)
        return "bad-txns-premature-spend-of-coinbase" if young else None


def _check_alone(block: ParsedBlock, place: Place) -> str | None:
    """What Bitcoin Core checks before it looks at the chain."""
    exponent, mantissa = block.bits >> 24, block.bits & 0xFFFFFF
    target = mantissa << 8 * (exponent - 3) if exponent > 3 else mantissa >> 8 * (3 - exponent)
    if mantissa & 0x800000 or int.from_bytes(block.hash, "little") > target:
        return "high-hash"
    leaves = [tx.txid for tx in block.transactions]
    if not leaves or tree(leaves) != block.merkle_root:
        return "bad-txnmrklroot"
    if len(set(leaves)) < len(leaves):
        return "bad-txns-duplicate"
    if sum(len(tx.stripped) for tx in block.transactions) * 4 > MAX_WEIGHT:
        return "bad-blk-length"
    if not block.transactions[0].is_coinbase:
        return "bad-cb-missing"
    if any(tx.is_coinbase for tx in block.transactions[1:]):
        return "bad-cb-multiple"
    if not 2 <= len(block.transactions[0].scripts[0]) <= 100:
        return "bad-cb-length"
    return None


def _check_header(block: ParsedBlock, place: Place) -> str | None:
    if block.previous != place.previous:
        return "prev-blk-not-found"
    if block.bits != place.bits:
        return "bad-diffbits"
    if block.time <= place.median_time:
        return "time-too-old"
    if block.time > place.now + MAX_FUTURE_S:
        return "time-too-new"
    signed = block.version - (block.version >> 31 << 32)
    if signed < 4:
        return f"bad-version(0x{block.version:08x})"
    return None


def _check_body(block: ParsedBlock, place: Place) -> str | None:
    coinbase = block.transactions[0]
    if not coinbase.scripts[0].startswith(height_script(place.height)):
        return "bad-cb-height"
    claims = [script for _, script in coinbase.outputs if script[:6] == COMMITMENT]
    claims = [script for script in claims if len(script) >= 38]
    if not claims:
        has_witness = any(any(tx.witnesses) for tx in block.transactions)
        return "unexpected-witness" if has_witness else None
    stack = coinbase.witnesses[0] if coinbase.witnesses else []
    if len(stack) != 1 or len(stack[0]) != 32:
        return "bad-witness-nonce-size"
    root = tree([bytes(32), *(tx.wtxid for tx in block.transactions[1:])])
    if claims[-1][6:38] != dsha(root + stack[0]):
        return "bad-witness-merkle-match"
    return "bad-blk-weight" if block.weight > MAX_WEIGHT else None


def _check_value(block: ParsedBlock, place: Place) -> str | None:
    if place.coins is None:
        return None
    known, fees = dict[tuple[bytes, int], int](), 0
    gone: set[tuple[bytes, int]] = set()
    for tx in block.transactions[1:]:
        values = []
        for point in tx.inputs:
            value = known.get(point, place.coins.get(point))
            if value is None or point in gone:
                return "bad-txns-inputs-missingorspent"
            values.append(value)
            gone.add(point)
        fee = sum(values) - sum(value for value, _ in tx.outputs)
        if fee < 0:
            return "bad-txns-in-belowout"
        fees += fee
        known |= {(tx.txid, index): value for index, (value, _) in enumerate(tx.outputs)}
    paid = sum(value for value, _ in block.transactions[0].outputs)
    return "bad-cb-amount" if paid > place.subsidy + fees else None


def height_script(height: int) -> bytes:
    """BIP 34: the shortest push of the height as a script number."""
    if height == 0:
        return b"\x00"
    if height <= 16:
        return bytes([80 + height])
    digits = bytearray()
    while height:
        digits.append(height & 0xFF)
        height >>= 8
    if digits[-1] & 0x80:
        digits.append(0)
    return bytes([len(digits)]) + bytes(digits)


def tree(leaves: list[bytes]) -> bytes:
    """A merkle root, recursively: halves of a full binary tree with the last leaf repeated."""
    if len(leaves) == 1:
        return leaves[0]
    if len(leaves) % 2:
        leaves = [*leaves, leaves[-1]]
    pairs = range(0, len(leaves), 2)
    return tree([dsha(leaves[at] + leaves[at + 1]) for at in pairs])


def dsha(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def parse_block(raw: bytes) -> ParsedBlock:
    """Raises Undecodable for anything torn."""
    try:
        version, previous, root, seconds, bits, nonce = struct.unpack_from("<I32s32sIII", raw)
        cursor = Cursor(raw, 80)
        count = cursor.count()
        if count > len(raw):
            raise Undecodable(f"{count} transactions")
        transactions = [cursor.transaction() for _ in range(count)]
    except (struct.error, IndexError) as error:
        raise Undecodable(str(error)) from None
    block = raw[: cursor.at]  # Bitcoin Core reads over what follows
    return ParsedBlock(block, version, previous, root, seconds, bits, nonce, transactions)


class Cursor:
    """Walks over serialized transactions; IndexError or struct.error at the end of the data."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def take(self, size: int) -> bytes:
        if self.at + size > len(self.data):
            raise IndexError(f"{size} bytes wanted at {self.at}")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, layout: str) -> int:
        value = struct.unpack(layout, self.take(struct.calcsize(layout)))[0]
        assert isinstance(value, int)
        return value

    def count(self) -> int:
        first = self.number("<B")
        wide = {0xFD: "<H", 0xFE: "<I", 0xFF: "<Q"}
        return self.number(wide[first]) if first in wide else first

    def text(self) -> bytes:
        return self.take(self.count())

    def transaction(self) -> ParsedTx:
        start = self.at
        version = self.take(4)
        segwit = self.data[self.at : self.at + 2] == b"\x00\x01"
        self.at += 2 if segwit else 0
        body = self.at
        inputs, scripts = [], []
        for _ in range(self.count()):
            inputs.append((self.take(32), self.number("<I")))
            scripts.append(self.text())
            self.take(4)
        outputs = [(self.number("<q"), self.text()) for _ in range(self.count())]
        middle = self.data[body : self.at]
        stacks = []
        if segwit:
            stacks = [[self.text() for _ in range(self.count())] for _ in inputs]
        locktime = self.take(4)
        stripped = version + middle + locktime
        return ParsedTx(inputs, scripts, outputs, stacks, stripped, self.data[start : self.at])
