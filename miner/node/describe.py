"""Headers, blocks, transactions and scripts as JSON, with Bitcoin Core's names and order."""

from collections.abc import Sequence
from typing import Any

from miner.bitcoin import address
from miner.bitcoin.block import Block
from miner.bitcoin.encoding import display_hex
from miner.bitcoin.target import difficulty, target_from_nbits
from miner.bitcoin.tx import Transaction, TxIn, TxOut
from miner.node.index import BlockIndex, Row
from miner.node.script import asm, is_p2sh, is_push_only, operations, witness_program

COIN = 100_000_000
CHECKSIG, CHECKMULTISIG, RETURN = 0xAC, 0xAE, 0x6A
ANCHOR = bytes.fromhex("51024e73")  # pay to anchor
MAX_DESCRIBED = 10_000  # bytes of a script; nobody can spend longer ones, and a megabyte takes 2 s
# BIP 380: the characters of a descriptor, in groups of 32, and of its checksum.
DESCRIPTOR_CHARS = (
    "0123456789()[],'/*abcdefgh@:$%{}"
    "IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~"
    'ijklmnopqrstuvwxyzABCDEFGH`#"\\ '
)
DESCRIPTOR_GENERATOR = (0xF5DEE51989, 0xA9FDCA3312, 0x1BAB10E32D, 0x3706B1677A, 0x644D626FFD)


def difficulty_fields(nbits: int) -> dict[str, Any]:
    """Target as 64 digits; difficulty to the 16 digits Bitcoin Core prints."""
    target = target_from_nbits(nbits)
    return {"target": f"{target:064x}", "difficulty": float(f"{difficulty(target):.16g}")}


def header_json(row: Row, index: BlockIndex) -> dict[str, Any]:
    """getblockheader's answer, which getblock begins with."""
    header, active = row.header, index.is_active(row)
    answer: dict[str, Any] = {
        "hash": display_hex(row.hash),
        "confirmations": index.tip.height - row.height + 1 if active else -1,
        "height": row.height,
        "version": header.version - (header.version >> 31 << 32),  # signed, as Core prints it
        "versionHex": f"{header.version:08x}",
        "merkleroot": display_hex(header.merkle_root),
        "time": header.time,
        "mediantime": row.median_time,
        "nonce": header.nonce,
        "bits": f"{header.nbits:08x}",
        **difficulty_fields(header.nbits),
        "chainwork": f"{row.chainwork:064x}",
        "nTx": row.tx_count,
    }
    if row.parent:
        answer["previousblockhash"] = display_hex(row.parent.hash)
    if active and row is not index.tip:
        answer["nextblockhash"] = display_hex(index.active[row.height + 1].hash)
    return answer


def block_json(
    block: Block, row: Row, header: dict[str, Any], chain: str, fees: Sequence[int | None] | None
) -> dict[str, Any]:
    """getblock's answer, after header_json's: transaction ids, or with `fees` (one each, None if
    unknown) everything."""
    stripped = (block.weight - row.size) // 3
    txs: list[Any]
    if fees is None:
        txs = [display_hex(tx.txid) for tx in block.transactions]
    else:
        txs = [tx_json(tx, chain, fee) for tx, fee in zip(block.transactions, fees, strict=True)]
    return header | {
        "strippedsize": stripped,
        "size": row.size,
        "weight": block.weight,
        "coinbase_tx": _coinbase_json(block.transactions[0]),
        "tx": txs,
    }


def _coinbase_json(tx: Transaction) -> dict[str, Any]:
    spent = tx.inputs[0]
    answer: dict[str, Any] = {
        "version": tx.version,
        "locktime": tx.locktime,
        "sequence": spent.sequence,
        "coinbase": spent.script.hex(),
    }
    if spent.witness:
        answer["witness"] = spent.witness[0].hex()
    return answer


def tx_json(tx: Transaction, chain: str, fee: int | None = None) -> dict[str, Any]:
    """A decoded transaction with its hex; `fee` in satoshi where known."""
    answer = decoded_json(tx, chain)
    if fee is not None:
        answer["fee"] = fee / COIN
    return answer | {"hex": tx.serialize().hex()}


def decoded_json(tx: Transaction, chain: str) -> dict[str, Any]:
    """decoderawtransaction's answer; addresses as on `chain`."""
    raw, weight = tx.serialize(), tx.weight
    return {
        "txid": display_hex(tx.txid),
        "hash": display_hex(tx.wtxid),
        "version": tx.version,
        "size": len(raw),
        "vsize": -(-weight // 4),
        "weight": weight,
        "locktime": tx.locktime,
        "vin": [_input_json(txin, coinbase=tx.is_coinbase) for txin in tx.inputs],
        "vout": [_output_json(place, out, chain) for place, out in enumerate(tx.outputs)],
    }


def _input_json(txin: TxIn, *, coinbase: bool) -> dict[str, Any]:
    answer: dict[str, Any]
    if coinbase:
        answer = {"coinbase": txin.script.hex()}
    else:
        script = {"asm": asm(txin.script), "hex": txin.script.hex()}
        answer = {"txid": display_hex(txin.prev_txid), "vout": txin.prev_index, "scriptSig": script}
    if txin.witness:
        answer["txinwitness"] = [item.hex() for item in txin.witness]
    return answer | {"sequence": txin.sequence}


def _output_json(place: int, out: TxOut, chain: str) -> dict[str, Any]:
    return {"value": out.value / COIN, "n": place, "scriptPubKey": script_json(out.script, chain)}


def script_json(script: bytes, chain: str) -> dict[str, Any]:
    """An output script taken apart."""
    text = address.describe(script, chain)
    has_address = text != script.hex()
    descriptor = f"addr({text})" if has_address else f"raw({text})"
    answer = {"asm": asm(script)}
    if len(script) <= MAX_DESCRIBED:
        answer["desc"] = f"{descriptor}#{descriptor_checksum(descriptor)}"
    answer["hex"] = script.hex()
    if has_address:
        answer["address"] = text
    return answer | {"type": script_type(script)}


def script_type(script: bytes) -> str:
    """The name Bitcoin Core has for this kind of output."""
    if script == ANCHOR:
        return "anchor"
    if program := witness_program(script):
        kinds = {(0, 20): "witness_v0_keyhash", (0, 32): "witness_v0_scripthash"}
        kinds[1, 32] = "witness_v1_taproot"
        unknown = "witness_unknown" if program[0] else "nonstandard"
        return kinds.get((program[0], len(program[1])), unknown)
    if is_p2sh(script):
        return "scripthash"
    if script[:1] == bytes([RETURN]) and is_push_only(script[1:]):
        return "nulldata"
    if len(script) == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return "pubkeyhash"
    if script[:1] in (b"\x21", b"\x41") and len(script) == script[0] + 2 and script[-1] == CHECKSIG:
        return "pubkey"
    return "multisig" if _is_multisig(script) else "nonstandard"


def _is_multisig(script: bytes) -> bool:
    parts = list(operations(script))
    if len(parts) < 4 or parts[-1][0] != CHECKMULTISIG:
        return False
    needed, given = parts[0][0] - 0x50, parts[-2][0] - 0x50
    keys = [data for _, data in parts[1:-2]]
    sized = all(data is not None and len(data) in (33, 65) for data in keys)
    return sized and 1 <= needed <= given == len(keys)


def descriptor_checksum(text: str) -> str:
    """BIP 380's eight characters."""
    check, group, digits = 1, 0, 0
    for character in text:
        place = DESCRIPTOR_CHARS.index(character)
        check = _descriptor_step(check, place & 31)
        group, digits = group * 3 + (place >> 5), digits + 1
        if digits == 3:
            check, group, digits = _descriptor_step(check, group), 0, 0
    if digits:
        check = _descriptor_step(check, group)
    for _ in range(8):
        check = _descriptor_step(check, 0)
    check ^= 1
    return "".join(address.BECH32[check >> 5 * (7 - place) & 31] for place in range(8))


def _descriptor_step(check: int, value: int) -> int:
    top = check >> 35
    check = (check & 0x7FFFFFFFF) << 5 ^ value
    for bit, constant in enumerate(DESCRIPTOR_GENERATOR):
        if top >> bit & 1:
            check ^= constant
    return check
