"""The methods that look things up: chain, blocks, transactions, addresses, mempool, network."""

import time
from typing import Any, ClassVar

from miner import __version__
from miner.bitcoin import address
from miner.bitcoin.block import Block
from miner.bitcoin.encoding import display_hex, from_hex
from miner.bitcoin.tx import Transaction
from miner.node.arguments import Argument
from miner.node.chain import Coin
from miner.node.describe import (
    COIN,
    block_json,
    decoded_json,
    difficulty_fields,
    header_json,
    tx_json,
)
from miner.node.index import Row
from miner.node.jsonrpc import (
    DESERIALIZATION,
    INVALID_ADDRESS_OR_KEY,
    INVALID_PARAMETER,
    VERIFY_REJECTED,
    RpcFault,
)
from miner.node.mempool import MAX_BYTES
from miner.node.rpc import Caller
from miner.node.script import is_p2sh, witness_program
from miner.node.state import NodeState

CORE_VERSION = 319900  # whose answers these are shaped after; clients compare it
TX_RATE = 0.001  # transactions a second Bitcoin Core assumes on regtest
DEFAULT_MAX_FEE_RATE = 10_000_000  # satoshi per 1000 vbytes: Core's default, 0.10 coins
NO_TX = "No such mempool or blockchain transaction. Use gettransaction for wallet transactions."

BLOCK = Argument("blockhash")
VERBOSITY = Argument("verbosity|verbose", "number|bool", False)


class LookupMethods:
    """Each method takes the caller and its checked arguments."""

    ARGUMENTS: ClassVar[dict[str, tuple[Argument, ...]]] = {
        "getblockchaininfo": (),
        "getnetworkinfo": (),
        "getblockcount": (),
        "getbestblockhash": (),
        "getblockhash": (Argument("height", "number"),),
        "getdifficulty": (),
        "getblockheader": (BLOCK, Argument("verbose", "bool", False)),
        "getblock": (BLOCK, VERBOSITY),
        "getrawtransaction": (Argument("txid"), VERBOSITY, Argument("blockhash", required=False)),
        "decoderawtransaction": (Argument("hexstring"), Argument("iswitness", "bool", False)),
        "validateaddress": (Argument("address"),),
        "sendrawtransaction": (
            Argument("hexstring"),
            Argument("maxfeerate", "", False),
            Argument("maxburnamount", "", False),
        ),
        "getrawmempool": (),
        "getmempoolinfo": (),
        "uptime": (),
    }

    def __init__(self, state: NodeState) -> None:
        self._state, self._chain = state, state.rules.name
        self._started = time.monotonic()

    def getblockchaininfo(self, _: Caller) -> dict[str, Any]:
        with self._state.lock:
            tip = self._state.tip
            late = max(0.0, time.time() - tip.header.time) * TX_RATE
            if self._state.rules.private:
                late = 0.0
            return {
                "chain": self._chain,
                "blocks": tip.height,
                "headers": self._state.index.best_height,
                "bestblockhash": display_hex(tip.hash),
                "bits": f"{tip.header.nbits:08x}",
                **difficulty_fields(tip.header.nbits),
                "time": tip.header.time,
                "mediantime": tip.median_time,
                "verificationprogress": tip.chain_tx_count / (tip.chain_tx_count + late),
                "initialblockdownload": self._state.initial_block_download(),
                "chainwork": f"{tip.chainwork:064x}",
                "size_on_disk": self._state.index.bytes_stored,
                "pruned": False,
                "warnings": list(self._state.rules.warnings),
            }

    def getnetworkinfo(self, _: Caller) -> dict[str, Any]:
        bucket = {"backlog": 0, "count_tok": 420, "size_tok": 12_000_000}
        networks = ("ipv4", "ipv6", "onion", "i2p", "cjdns")
        return {
            "version": CORE_VERSION,
            "subversion": f"/homehash:{__version__}/",
            "protocolversion": 70017,
            "localservices": "0000000000000000",
            "localservicesnames": [],
            "localrelay": False,
            "timeoffset": 0,
            "tx_send_rate": 14,
            "inv_buckets": {"inbound": bucket, "outbound": bucket},
            "networkactive": False,
            "connections": 0,
            "connections_in": 0,
            "connections_out": 0,
            "networks": [
                {
                    "name": name,
                    "limited": True,
                    "reachable": False,
                    "proxy": "",
                    "proxy_randomize_credentials": False,
                }
                for name in networks
            ],
            "relayfee": 0,
            "incrementalfee": 0,
            "localaddresses": [],
            "warnings": list(self._state.rules.warnings),
        }

    def getblockcount(self, _: Caller) -> int:
        return self._state.tip.height

    def getbestblockhash(self, _: Caller) -> str:
        return display_hex(self._state.tip.hash)

    def getblockhash(self, _: Caller, height: int) -> str:
        with self._state.lock:
            if not 0 <= height <= self._state.tip.height:
                raise RpcFault(INVALID_PARAMETER, "Block height out of range")
            return display_hex(self._state.index.active[height].hash)

    def getdifficulty(self, _: Caller) -> float:
        answer = difficulty_fields(self._state.tip.header.nbits)["difficulty"]
        assert isinstance(answer, float)
        return answer

    def getblockheader(self, _: Caller, blockhash: str, verbose: bool | None) -> Any:
        with self._state.lock:
            row = self._row(blockhash)
            if verbose is False:
                return row.header.pack().hex()
            return header_json(row, self._state.index)

    def getblock(self, _: Caller, blockhash: str, verbosity: int | bool | None) -> Any:
        level = 1 if verbosity is None else int(verbosity)
        with self._state.lock:
            row = self._row(blockhash)
            raw = self._state.read_block(row)
            header = header_json(row, self._state.index)
            spent = self._spent(row) if level > 1 else None
        if level <= 0:
            return raw.hex()
        block = Block.parse(raw)
        fees = _fees(block, spent) if level > 1 else None
        return block_json(block, row, header, self._chain, fees)

    def getrawtransaction(
        self, _: Caller, txid: str, verbosity: int | bool | None, blockhash: str | None
    ) -> Any:
        wanted = _hash("txid", txid)
        with self._state.lock:
            if wanted == self._state.index.active[0].header.merkle_root:
                reason = "The genesis block coinbase is not considered an ordinary transaction"
                raise RpcFault(INVALID_ADDRESS_OR_KEY, f"{reason} and cannot be retrieved")
            entry = self._state.mempool.entries.get(wanted)
            if entry and blockhash is None:
                return tx_json(entry.tx, self._chain) if verbosity else entry.raw.hex()
            row = self._row(blockhash) if blockhash is not None else self._row_of(wanted)
            raw = self._state.read_block(row)
            header = header_json(row, self._state.index)
        tx = next((tx for tx in Block.parse(raw).transactions if tx.txid == wanted), None)
        if tx is None:
            raise RpcFault(
                INVALID_ADDRESS_OR_KEY,
                "No such transaction found in the provided block. "
                "Use gettransaction for wallet transactions.",
            )
        if not verbosity:
            return tx.serialize().hex()
        answer = {} if blockhash is None else {"in_active_chain": header["confirmations"] > 0}
        answer |= tx_json(tx, self._chain)
        answer["blockhash"] = header["hash"]
        answer["confirmations"] = max(header["confirmations"], 0)
        answer["time"] = answer["blocktime"] = header["time"]
        return answer

    def validateaddress(self, _: Caller, text: str) -> dict[str, Any]:
        try:
            script = address.script_from_address(text, self._chain)
        except address.AddressError as error:
            return {"isvalid": False, "error_locations": [], "error": str(error)}
        program = witness_program(script)
        answer: dict[str, Any] = {
            "isvalid": True,
            "address": address.describe(script, self._chain),
            "scriptPubKey": script.hex(),
            "isscript": is_p2sh(script) or (program is not None and len(program[1]) == 32),
            "iswitness": program is not None,
        }
        if program:
            answer |= {"witness_version": program[0], "witness_program": program[1].hex()}
        return answer

    def decoderawtransaction(self, _: Caller, hexstring: str, __: bool | None) -> dict[str, Any]:
        return decoded_json(_tx(hexstring, "TX decode failed"), self._chain)

    def sendrawtransaction(self, _: Caller, hexstring: str, maxfeerate: Any, __: Any) -> str:
        reason = "TX decode failed. Make sure the tx has at least one input."
        raw = _tx(hexstring, reason).serialize()
        if not self._state.rules.proposals:
            raise RpcFault(VERIFY_REJECTED, "blocks of this chain hold the coinbase alone")
        limit = DEFAULT_MAX_FEE_RATE if maxfeerate is None else _satoshi(maxfeerate)
        with self._state.changed:
            txid = self._state.mempool.accept(raw, limit or None)  # 0 means any fee
            self._state.changed.notify_all()
        return display_hex(txid)

    def getrawmempool(self, _: Caller) -> list[str]:
        with self._state.lock:
            return [display_hex(txid) for txid in self._state.mempool.entries]

    def getmempoolinfo(self, _: Caller) -> dict[str, Any]:
        with self._state.lock:
            entries = self._state.mempool.entries.values()
            return {
                "loaded": True,
                "size": len(entries),
                "bytes": sum(entry.vsize for entry in entries),
                "usage": self._state.mempool.bytes,
                "total_fee": sum(entry.fee for entry in entries) / COIN,
                "maxmempool": MAX_BYTES,
                "mempoolminfee": 0,
                "minrelaytxfee": 0,
            }

    def uptime(self, _: Caller) -> int:
        return int(time.monotonic() - self._started)

    def _row(self, blockhash: str) -> Row:
        row = self._state.find_row(_hash("blockhash", blockhash))
        if row is None:
            raise RpcFault(INVALID_ADDRESS_OR_KEY, "Block not found")
        return row

    def _row_of(self, txid: bytes) -> Row:
        block_hash = self._state.coins.block_of.get(txid)
        if block_hash is None:
            raise RpcFault(INVALID_ADDRESS_OR_KEY, NO_TX)
        return self._state.index.rows[block_hash]

    def _spent(self, row: Row) -> list[list[Coin]] | None:
        """The coins of each transaction but the coinbase; None on branches never connected."""
        if row.parent is None or not self._state.index.is_active(row):
            return None
        return self._state.chain.spent_coins(row.hash)


def _fees(block: Block, spent: list[list[Coin]] | None) -> list[int | None]:
    """One for each transaction; None for the coinbase and where it cannot be known."""
    if spent is None:
        return [None] * len(block.transactions)
    pairs = zip(block.transactions[1:], spent, strict=True)
    paid = (sum(c.amount for c in coins) - sum(o.value for o in tx.outputs) for tx, coins in pairs)
    return [None, *paid]


def _hash(name: str, text: str) -> bytes:
    """Internal order. Raises RpcFault with Bitcoin Core's words."""
    if len(text) != 64:
        reason = f"{name} must be of length 64 (not {len(text)}, for '{text[:80]}')"
        raise RpcFault(INVALID_PARAMETER, reason)
    try:
        return from_hex(text)[::-1]
    except ValueError:
        reason = f"{name} must be hexadecimal string (not '{text}')"
        raise RpcFault(INVALID_PARAMETER, reason) from None


def _tx(hexstring: str, else_: str) -> Transaction:
    """Raises RpcFault with these words when it is none."""
    try:
        return Transaction.parse(from_hex(hexstring))
    except ValueError:
        raise RpcFault(DESERIALIZATION, else_) from None


def _satoshi(amount: Any) -> int:
    """Coins as a JSON number or string."""
    try:
        value = round(float(amount) * COIN)
    except (TypeError, ValueError, OverflowError):
        raise RpcFault(-3, "Invalid amount") from None
    if value < 0:
        raise RpcFault(-3, "Amount out of range")
    return value
