"""The coinbase transaction: built around an extranonce, with height, tag and witness commitment.

BIP 34 (height), BIP 141 (commitment), BIP 54 (locktime and sequence; harmless before activation).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from miner.bitcoin.encoding import compact_size, sha256d
from miner.bitcoin.merkle import merkle_root, root_from_branch
from miner.bitcoin.tx import NULL_INDEX, Transaction, TxIn, TxOut

COMMITMENT_HEADER = bytes.fromhex("6a24aa21a9ed")  # OP_RETURN, push of 36, BIP 141's magic
WITNESS_RESERVED = bytes(32)  # BIP 141: the miner's choice; the coinbase witness repeats it
BIP54_SEQUENCE = 0xFFFFFFFE
SCRIPT_SIG_LIMITS = (2, 100)  # bytes, consensus (bad-cb-length)
OP_PUSHDATA1 = 0x4C


def push(data: bytes) -> bytes:
    """A script push of at most 255 bytes; nothing for empty data."""
    if len(data) > 255:
        raise ValueError(f"push of {len(data)} bytes, at most 255 are meant here")
    if not data:
        return b""
    return bytes([len(data)] if len(data) < OP_PUSHDATA1 else [OP_PUSHDATA1, len(data)]) + data


def push_height(height: int) -> bytes:
    """BIP 34: the height as a minimal script number; OP_1..OP_16 for 1..16, OP_0 for 0."""
    if height < 0:
        raise ValueError(f"height {height} is negative")
    if height <= 16:
        return bytes([0x50 + height if height else 0])
    return push(height.to_bytes(height.bit_length() // 8 + 1, "little"))


def subsidy(height: int, halving_interval: int) -> int:
    """Satoshi a block may create: 50 coins, halved every interval (210,000; 150 on regtest)."""
    return 50 * 100_000_000 >> height // halving_interval


def witness_root(wtxids: Sequence[bytes]) -> bytes:
    """The witness merkle root: the coinbase's leaf is zero; `wtxids` are the others, in order."""
    return merkle_root([bytes(32), *wtxids])


def commitment_script(root: bytes) -> bytes:
    """The output script that commits to a witness root (BIP 141)."""
    return COMMITMENT_HEADER + sha256d(root + WITNESS_RESERVED)


@dataclass(frozen=True, slots=True)
class CoinbaseTemplate:
    """A coinbase with a hole for the extranonce, as serialized without witness.

    `part1 + extranonce + part2` is the transaction whose hash is the txid.
    """

    part1: bytes
    part2: bytes
    extranonce_size: int

    def txid(self, extranonce: bytes) -> bytes:
        """Internal order."""
        return sha256d(self.fill(extranonce))

    def fill(self, extranonce: bytes) -> bytes:
        """Serialized without witness. Raises ValueError for a wrong size."""
        if len(extranonce) != self.extranonce_size:
            raise ValueError(f"extranonce has {len(extranonce)} bytes, not {self.extranonce_size}")
        return self.part1 + extranonce + self.part2

    def merkle_root(self, extranonce: bytes, branch: Sequence[bytes]) -> bytes:
        return root_from_branch(self.txid(extranonce), branch)


def with_witness(bare: bytes) -> bytes:
    """A serialized coinbase with marker, flag and the one 32-byte witness item it must carry."""
    item = b"\x01\x20" + WITNESS_RESERVED
    return bare[:4] + b"\x00\x01" + bare[4:-4] + item + bare[-4:]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around the extranonce and the outputs of a coinbase."""

    before: bytes  # start of the scriptSig
    after: bytes  # its end
    locktime: int
    version: int = 2
    sequence: int = BIP54_SEQUENCE


def coinbase_with_hole(
    around: Surroundings, outputs: Sequence[TxOut], extranonce_size: int
) -> CoinbaseTemplate:
    """The coinbase with these parts. Raises ValueError for a scriptSig above 100 bytes."""
    script = around.before + bytes(extranonce_size) + around.after
    if len(script) > SCRIPT_SIG_LIMITS[1]:
        raise ValueError(f"coinbase script has {len(script)} bytes, at most 100: shorten the tag")
    spent = TxIn(bytes(32), NULL_INDEX, script, around.sequence)
    tx = Transaction((spent,), tuple(outputs), around.version, around.locktime)
    raw = tx.serialize(witness=False)
    hole = 4 + 1 + 36 + len(compact_size(len(script))) + len(around.before)
    return CoinbaseTemplate(raw[:hole], raw[hole + extranonce_size :], extranonce_size)


def build_coinbase(
    height: int,
    outputs: Sequence[TxOut],
    extranonce_size: int,
    tag: bytes = b"",
    aux: Sequence[bytes] = (),
) -> CoinbaseTemplate:
    """The coinbase of a block at `height`, paying `outputs` in order (commitment included).

    scriptSig = height, push of the extranonce, pushes of aux and tag. With no extranonce, a zero
    push keeps heights 1..16 at two bytes. Raises ValueError outside 2..100 bytes.
    """
    before = push_height(height)
    if extranonce_size:
        before += bytes([extranonce_size])  # the push opcode of the extranonce
    after = b"".join(push(value) for value in aux) + push(tag)
    if len(before) + extranonce_size + len(after) < SCRIPT_SIG_LIMITS[0]:
        after += b"\x00"  # OP_0
    around = Surroundings(before, after, max(height - 1, 0))
    return coinbase_with_hole(around, outputs, extranonce_size)
