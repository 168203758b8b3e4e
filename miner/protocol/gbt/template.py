"""A getblocktemplate answer, validated whole (BIP 22, 23, 9, 145; Bitcoin Core rpc/mining.cpp).

A wrong field refuses the template by name and changes nothing. What would make a block invalid
but can be mined around (a wrong commitment or transaction) gives a coinbase-only template and an
alarm, so that hashing never stops for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from miner.bitcoin.coinbase import COMMITMENT_HEADER, commitment_script, subsidy, witness_root
from miner.bitcoin.encoding import from_hex
from miner.bitcoin.target import target_from_nbits
from miner.bitcoin.tx import MAX_MONEY
from miner.errors import RemoteProtocolError, SourceRefused
from miner.protocol.gbt.transactions import TemplateTx, Transactions, read_transactions
from miner.text import scrub

KNOWN_RULES = ("!segwit", "!signet")  # "!" marks rules a miner must understand (BIP 9)
HALVING_BLOCKS = {"regtest": 150}  # other chains: 210,000
MAX_WEIGHT = 4_000_000
MAX_FUTURE_S = 7200  # a header may be two hours ahead of the node's clock
NODE_TIME_CHAINS = ("test", "testnet4")  # bits depend on time there: curtime is used unchanged
UINT32_MAX = 2**32 - 1
FULL_NONCE_RANGE = "00000000ffffffff"
MAX_LONGPOLLID_BYTES = 4096  # it is sent back in every long poll


@dataclass(frozen=True, slots=True)
class Template:
    """What a node asks for; hashes in internal order, amounts in satoshi, times in seconds."""

    chain: str
    version: int  # unsigned 32-bit
    vbrequired: int  # version bits that must not change
    prev_hash: bytes
    height: int
    nbits: int
    target: int  # the harder of the fields bits and target
    ntime: int  # earliest header time
    ntime_limit: int  # seconds it may move forward
    nonces: range  # that may be tried
    coinbase_value: int
    transactions: tuple[TemplateTx, ...]
    commitment: bytes  # output script; empty: none
    segwit: bool  # is the coinbase to carry a witness?
    aux: tuple[bytes, ...]
    weight_limit: int
    curtime: int
    longpollid: str | None  # None: the tip is polled
    workid: str
    expires_s: int | None  # seconds the template may be used
    alarms: tuple[str, ...]  # one line each, scrubbed
    checked: Transactions  # saves the next template work

    @property
    def prev_hash_hex(self) -> str:
        """Display order."""
        return self.prev_hash[::-1].hex()


def _shown(value: object) -> str:
    """A value of the node as our errors quote it."""
    return scrub(value, 40)


class _Fields:
    """Typed look-ups in the answer; RemoteProtocolError names the field."""

    def __init__(self, reply: Mapping[str, Any]) -> None:
        self._reply = reply

    def has(self, name: str) -> bool:
        return name in self._reply

    def integer(self, name: str, low: int, high: int, default: int | None = None) -> int:
        value = self._reply.get(name, default)
        if type(value) is not int or not low <= value <= high:
            raise self.bad(name, f"want an integer {low} .. {high}")
        return value

    def text(self, name: str, default: str | None = None) -> str:
        value = self._reply.get(name, default)
        if not isinstance(value, str) or len(value) > 10_000:
            raise self.bad(name, "want a text")
        return value

    def hex(self, name: str, size: int | None, default: str | None = None) -> bytes:
        text = self.text(name, default)
        try:
            return from_hex(text, size)
        except ValueError as error:
            raise self.bad(name, str(error)) from None

    def words(self, name: str) -> list[str]:
        value = self._reply.get(name, [])
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise self.bad(name, "want a list of texts")
        return value

    def bad(self, name: str, want: str) -> RemoteProtocolError:
        told = _shown(self._reply[name]) if name in self._reply else "missing"
        return RemoteProtocolError(f"template field {_shown(name)} is {told}: {want}")


def parse_template(  # one line a field: the table reads best whole
    reply: object, chain: str, before: Template | None = None
) -> Template:
    """Validate a whole answer. `before`: an earlier template of the same node, to save work.

    RemoteProtocolError: refused, keep the old one. SourceRefused: a rule this program does not
    know; nothing this node gives can be mined.
    """
    if not isinstance(reply, dict):
        raise RemoteProtocolError(f"the template is not an object but {_shown(reply)}")
    fields = _Fields(reply)
    rules = fields.words("rules")
    _refuse_unknown_rules(rules)
    nbits, target, alarms = _target(fields)
    curtime, ntime, limit = _times(fields, chain)
    checked = read_transactions(reply.get("transactions"), before.checked if before else None)
    segwit = bool({"segwit", "!segwit"} & set(rules))
    segwit = segwit or any(tx.txid != tx.wtxid for tx in checked.items)
    commitment, fault = _commitment(fields, checked, segwit)
    height = fields.integer("height", 1, 2**31 - 1)
    value, transactions = _coinbase_value(fields), checked.items
    if fault:
        transactions, commitment = (), commitment_script(witness_root([])) if segwit else b""
        value = min(value, subsidy(height, HALVING_BLOCKS.get(chain, 210_000)))
        alarms += (f"mining an empty block: {fault}",)
    return Template(
        chain=chain,
        version=fields.integer("version", -(2**31), UINT32_MAX) & 0xFFFFFFFF,
        vbrequired=fields.integer("vbrequired", 0, UINT32_MAX, 0),
        prev_hash=fields.hex("previousblockhash", 32)[::-1],
        height=height,
        nbits=nbits,
        target=target,
        ntime=ntime,
        ntime_limit=limit,
        nonces=_nonces(fields),
        coinbase_value=value,
        transactions=transactions,
        commitment=commitment,
        segwit=segwit and bool(commitment),
        aux=_aux(fields, reply.get("coinbaseaux", {})),
        weight_limit=fields.integer("weightlimit", 4000, MAX_WEIGHT, MAX_WEIGHT),
        curtime=curtime,
        longpollid=_longpollid(reply.get("longpollid")),
        workid=fields.text("workid", ""),
        expires_s=fields.integer("expires", 1, 2**31) if fields.has("expires") else None,
        alarms=alarms,
        checked=checked,
    )


def _refuse_unknown_rules(rules: list[str]) -> None:
    for rule in rules:
        if rule.startswith("!") and rule not in KNOWN_RULES:
            raise SourceRefused(
                f"the node demands the rule {_shown(rule)!r}, which this miner does not know: "
                "update the miner or use another node"
            )


def _target(fields: _Fields) -> tuple[int, int, tuple[str, ...]]:
    """nbits, the target to meet, alarms."""
    nbits = int.from_bytes(fields.hex("bits", 4), "big")
    try:
        from_bits = target_from_nbits(nbits)
    except ValueError as error:
        raise fields.bad("bits", str(error)) from None
    told = from_bits
    if fields.has("target"):
        told = int.from_bytes(fields.hex("target", 32), "big")
        if told == 0:
            raise fields.bad("target", "no hash can meet it")
    if told == from_bits:
        return nbits, from_bits, ()
    return nbits, min(told, from_bits), ("template fields target and bits disagree: harder used",)


def _times(fields: _Fields, chain: str) -> tuple[int, int, int]:
    """curtime, the earliest header time, and how many seconds it may move forward."""
    curtime = fields.integer("curtime", 0, UINT32_MAX)
    ntime = max(curtime, fields.integer("mintime", 0, UINT32_MAX, 0))
    latest = min(curtime + MAX_FUTURE_S, fields.integer("maxtime", ntime, UINT32_MAX, UINT32_MAX))
    fixed = chain in NODE_TIME_CHAINS or chain == "signet" or "time" not in fields.words("mutable")
    return curtime, ntime, 0 if fixed else max(0, latest - ntime)


def _nonces(fields: _Fields) -> range:
    """The first and the last nonce, big-endian (BIP 23)."""
    both = fields.hex("noncerange", 8, FULL_NONCE_RANGE)
    first, last = int.from_bytes(both[:4], "big"), int.from_bytes(both[4:], "big")
    if first > last:
        raise fields.bad("noncerange", "the first nonce is above the last")
    return range(first, last + 1)


def _longpollid(told: object) -> str | None:
    """What cannot be sent back is no reason to refuse the work."""
    if isinstance(told, str) and len(told.encode(errors="replace")) <= MAX_LONGPOLLID_BYTES:
        return told
    return None


def _coinbase_value(fields: _Fields) -> int:
    if fields.has("coinbasetxn") and not fields.has("coinbasevalue"):
        raise fields.bad("coinbasetxn", "only coinbasevalue is supported: use another server")
    return fields.integer("coinbasevalue", 0, MAX_MONEY)


def _commitment(fields: _Fields, checked: Transactions, segwit: bool) -> tuple[bytes, str]:
    """The commitment output's script (empty: none) and why the transactions cannot be used.

    The node's script is used as given when it starts as ours; BIP 141 allows bytes after it.
    """
    if checked.fault:
        return b"", checked.fault
    name = "default_witness_commitment"
    given = fields.hex(name, None) if fields.has(name) else b""
    if not given and not any(tx.txid != tx.wtxid for tx in checked.items):
        return b"", ""
    ours = commitment_script(witness_root([tx.wtxid for tx in checked.items]))
    if not given:
        return ours if segwit else b"", ""
    if given[: len(ours)] == ours:
        return given, ""
    looks = "differs from ours" if given.startswith(COMMITMENT_HEADER) else "is no commitment"
    return b"", f"the node's witness commitment {looks}: its transactions cannot be trusted"


def _aux(fields: _Fields, aux: object) -> tuple[bytes, ...]:
    """Data every coinbase of this server must push."""
    if not isinstance(aux, dict) or len(aux) > 20:
        raise fields.bad("coinbaseaux", "want an object of hex texts")
    inner = _Fields(aux)
    return tuple(inner.hex(name, None) for name in aux)
