"""The mining methods: getblocktemplate with long poll and proposals, submitblock, waitfornewblock,
getmininginfo."""

import time
from typing import Any, ClassVar

from miner.bitcoin.encoding import from_hex
from miner.node.arguments import Argument
from miner.node.chain import KernelFailed, Undecodable
from miner.node.describe import COIN, difficulty_fields
from miner.node.jsonrpc import (
    DESERIALIZATION,
    INVALID_PARAMETER,
    MISC,
    NOT_CONNECTED,
    TYPE,
    VERIFY_ERROR,
    RpcFault,
)
from miner.node.judge import ProposalJudge
from miner.node.rpc import Caller
from miner.node.state import NodeState
from miner.node.template import TemplateMaker

LONGPOLL_MEMPOOL_S = 60.0  # a changed mempool alone answers a long poll after this, as in Core
WAKE_S = 1.0  # how often a waiting call looks whether its client is still there
HASHRATE_SPAN = 120  # blocks of getmininginfo's estimate
NO_SEGWIT = (
    'getblocktemplate must be called with the segwit rule set (call with {"rules": ["segwit"]})'
)


class MiningMethods:
    """Each method takes the caller and its checked arguments."""

    ARGUMENTS: ClassVar[dict[str, tuple[Argument, ...]]] = {
        "getblocktemplate": (Argument("template_request", "object"),),
        "submitblock": (Argument("hexdata"), Argument("dummy", required=False)),
        "waitfornewblock": (
            Argument("timeout", "number", required=False),
            Argument("current_tip", required=False),
        ),
        "getmininginfo": (),
    }

    def __init__(
        self,
        state: NodeState,
        judge: ProposalJudge | None,
        templates: TemplateMaker,
        block_interval_s: float,
    ) -> None:
        self._state, self._judge, self._templates = state, judge, templates
        self._interval_s = block_interval_s

    def getblocktemplate(self, caller: Caller, request: dict[str, Any]) -> Any:
        mode = request.get("mode", "template")
        if mode == "proposal":
            return self._propose(request.get("data"))
        if mode != "template":
            raise RpcFault(INVALID_PARAMETER, "Invalid mode")
        rules = request.get("rules")
        if not isinstance(rules, list) or "segwit" not in rules:
            raise RpcFault(INVALID_PARAMETER, NO_SEGWIT)
        if (longpollid := request.get("longpollid")) is not None:
            self._await_change(caller, longpollid)
        self._pace(caller)
        return self._templates.make()

    def submitblock(self, _: Caller, hexdata: str, __: str | None) -> str | None:
        try:
            return self._state.submit(_block_bytes(hexdata)) or None
        except Undecodable:
            raise RpcFault(DESERIALIZATION, "Block decode failed") from None
        except KernelFailed as failed:
            raise RpcFault(VERIFY_ERROR, str(failed)) from None

    def waitfornewblock(
        self, caller: Caller, timeout: int | None, current_tip: str | None
    ) -> dict[str, Any]:
        """The tip once it is not `current_tip` (else: that of now), or after `timeout` ms; 0 or
        none: no limit."""
        until = time.monotonic() + (timeout or 0) / 1000
        if timeout is not None and timeout < 0:
            raise RpcFault(MISC, "Negative timeout")
        with self._state.changed:
            known = self._state.tip.hash if current_tip is None else _block_hash(current_tip)
            while self._state.tip.hash == known:
                left = min(until - time.monotonic(), WAKE_S) if timeout else WAKE_S
                if left <= 0:
                    break
                self._wait(caller, left)
            tip = self._state.tip
            return {"hash": tip.hash[::-1].hex(), "height": tip.height}

    def getmininginfo(self, _: Caller) -> dict[str, Any]:
        with self._state.lock:
            tip, pool = self._state.tip, self._state.mempool
            fields = difficulty_fields(tip.header.nbits)
            seconds = max(self._state.index.next_min_time(), int(time.time()))
            nbits = self._state.rules.difficulty.next_nbits(tip, seconds)
            following = difficulty_fields(nbits)
            return {
                "blocks": tip.height,
                **self._templates.last_size,
                "bits": f"{tip.header.nbits:08x}",
                "difficulty": fields["difficulty"],
                "target": fields["target"],
                "networkhashps": self._network_hashrate(),
                "pooledtx": len(pool.entries),
                "blockmintxfee": 1 / COIN,
                "chain": self._state.rules.name,
                "next": {
                    "height": tip.height + 1,
                    "bits": f"{nbits:08x}",
                    "difficulty": following["difficulty"],
                    "target": following["target"],
                },
                "warnings": list(self._state.rules.warnings),
            }

    def _network_hashrate(self) -> float:
        """Work of the last blocks divided by the span of their times; 0 when it cannot be told."""
        active = self._state.index.active
        rows = active[-HASHRATE_SPAN - 1 :]
        times = [row.header.time for row in rows]
        span = max(times) - min(times)
        return (rows[-1].chainwork - rows[0].chainwork) / span if span else 0

    def _propose(self, data: Any) -> str | None:
        if not isinstance(data, str):
            raise RpcFault(TYPE, "Missing data String key for proposal")
        if self._judge is None:
            reason = f"proposals cannot be judged on {self._state.rules.name} without their work"
            raise RpcFault(INVALID_PARAMETER, reason)
        try:
            return self._judge.judge(_block_bytes(data)) or None
        except Undecodable:
            raise RpcFault(DESERIALIZATION, "Block decode failed") from None
        except KernelFailed as failed:
            raise RpcFault(VERIFY_ERROR, str(failed)) from None

    def _await_change(self, caller: Caller, longpollid: Any) -> None:
        """Wait for another tip, or for a changed mempool that is a minute old."""
        started = time.monotonic()
        with self._state.changed:
            tip = self._state.tip.hash
            known = longpollid if isinstance(longpollid, str) else self._state.longpollid
            if known[:64] != tip[::-1].hex():
                return
            while self._state.tip.hash == tip:
                waited = time.monotonic() - started
                if waited >= LONGPOLL_MEMPOOL_S and self._state.longpollid != known:
                    return
                self._wait(caller, WAKE_S)

    def _pace(self, caller: Caller) -> None:
        """Hold work back until the tip is `block_interval_s` old: blocks cost nothing here, and a
        fast chain runs ahead of its clock and out of subsidy."""
        with self._state.changed:
            until = self._state.tip_since + self._interval_s
            while (left := until - time.monotonic()) > 0:
                self._wait(caller, min(left, WAKE_S))

    def _wait(self, caller: Caller, seconds: float) -> None:
        self._state.changed.wait(seconds)
        if caller.stopping or caller.hung_up():
            raise RpcFault(NOT_CONNECTED, "Shutting down")


def _block_hash(text: str) -> bytes:
    try:
        return from_hex(text, 32)[::-1]
    except ValueError:
        raise RpcFault(
            INVALID_PARAMETER,
            f"current_tip must be of length 64 (not {len(text)}, for {text[:100]!r})",
        ) from None


def _block_bytes(hexdata: str) -> bytes:
    try:
        return from_hex(hexdata)
    except ValueError:
        raise Undecodable from None
