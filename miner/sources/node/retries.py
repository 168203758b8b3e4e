"""When a node that fails is tried again, and when it is given up."""

import random

from miner.errors import (
    MinerError,
    RemoteProtocolError,
    RpcAuthError,
    RpcError,
    RpcForbidden,
    RpcNotReady,
    SourceRefused,
    TransportError,
)
from miner.sources.node.setup import Timing

AUTH_TRIES = 2  # before wrong credentials end the run: a cookie may just be changing
CURABLE = (RpcError, RpcAuthError, RpcForbidden, TransportError, RemoteProtocolError)
HOPELESS_CODES = (-32601, -8)  # no such method, no such parameter: not a node to mine on


class Retries:
    """Counts one node's failures. `allowed` in a row before it is given up; None: any number."""

    def __init__(self, name: str, allowed: int | None, timing: Timing) -> None:
        self._name, self._allowed, self._timing = name, allowed, timing
        self._ever_connected = False
        self.connected = False
        self.failures = 0  # in a row

    def succeeded(self) -> None:
        """A template came."""
        self.connected = self._ever_connected = True
        self.failures = 0

    def failed(self) -> None:
        self.connected = False
        self.failures += 1

    @property
    def exhausted(self) -> bool:
        return self._allowed is not None and self.failures > self._allowed

    def fatal(self, error: MinerError) -> MinerError | None:
        """The error that waiting cannot cure, if this is one."""
        if isinstance(error, RpcAuthError | RpcForbidden):
            return None if self._ever_connected or self.failures < AUTH_TRIES else error
        if isinstance(error, SourceRefused):
            return error
        if isinstance(error, RpcError) and error.code in HOPELESS_CODES:
            return SourceRefused(f"{self._name} cannot be mined on: {error}")
        return None if isinstance(error, CURABLE) else error

    def delay_s(self, error: MinerError, failures: int) -> float:
        """Seconds until the next try, after so many failures in a row."""
        if isinstance(error, RpcNotReady):
            return self._timing.not_ready
        if isinstance(error, RpcAuthError):
            return self._timing.retry_first
        longest = min(self._timing.retry_max, self._timing.retry_first * 2.0 ** min(failures, 10))
        return random.uniform(self._timing.retry_first / 4, longest)
