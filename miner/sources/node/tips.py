"""How a node's new tip is noticed: no question of ours keeps one of its workers for long.

Bitcoin Core gives every waiting call a worker (-rpcthreads) until the call ends by itself, and does
not notice a client that hangs up. A long poll of getblocktemplate ends with the next block, on an
idle test chain never; waitfornewblock takes a limit.
"""

import time
from collections.abc import Callable
from typing import Any, Protocol

from miner.errors import DeadlinePassed, RpcError, RpcForbidden, RpcNotReady

WAIT_S = 1.0  # most that a question for a new tip may wait at the node; also between two polls
LEAST_WAIT_S = 0.05  # waitfornewblock takes 0 for "no limit"


class Ask(Protocol):
    """One call to the node. Raises MinerError."""

    def __call__(self, method: str, *params: Any, timeout_s: float | None = None) -> object: ...


class TipWatch:
    """Asks for the tip's hash: waitfornewblock, or getbestblockhash where the node does not know
    or allow it. Bitcoin Core before version 29 takes no hash to compare with."""

    def __init__(self, ask: Ask, call_s: float, *, waits: bool = True) -> None:
        """`call_s`: how late an answer may come. `waits` False: never use waitfornewblock."""
        self._ask, self._call_s = ask, call_s
        self._arguments = 2 if waits else 0  # that waitfornewblock takes here; 0: it is not used

    def next(self, known: str, limit_s: float, pause: Callable[[float], object]) -> object:
        """The tip's hash, once it is not `known` or after `limit_s`. `pause` sleeps."""
        while self._arguments:
            try:
                best = self._wait(known, min(limit_s, WAIT_S), pause)
            except RpcNotReady:
                raise
            except RpcForbidden:
                self._arguments = 0
            except RpcError:
                self._arguments -= 1
            except DeadlinePassed:  # perhaps it heeds no limit
                self._arguments = 0
                raise
            else:
                if isinstance(best, str):
                    return best
                self._arguments = 0
        pause(limit_s)
        return self.now()

    def now(self) -> object:
        """The tip's hash, without waiting."""
        return self._ask("getbestblockhash", timeout_s=self._call_s)

    def _wait(self, known: str, limit_s: float, pause: Callable[[float], object]) -> object:
        limit_s = max(limit_s, LEAST_WAIT_S)
        arguments = (int(1000 * limit_s), known)[: self._arguments]
        began = time.monotonic()
        answer = self._ask("waitfornewblock", *arguments, timeout_s=limit_s + self._call_s)
        best = answer.get("hash") if isinstance(answer, dict) else None
        if best == known and time.monotonic() - began < limit_s / 2:
            pause(limit_s)  # it does not wait: ask it no more often for that
        return best
