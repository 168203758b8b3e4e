"""The table of RPC methods: each class names its own, with their arguments."""

import logging
from collections.abc import Callable
from typing import Any, ClassVar

from miner.errors import NodeError
from miner.node.arguments import Argument, arrange, usage
from miner.node.chain import KernelFailed
from miner.node.jsonrpc import METHOD_NOT_FOUND, MISC, Params, RpcFault
from miner.node.lookups import LookupMethods
from miner.node.mining import MiningMethods
from miner.node.rpc import Caller

log = logging.getLogger(__name__)


class Methods:
    """Calls a method by name with positional or named arguments."""

    ARGUMENTS: ClassVar[dict[str, tuple[Argument, ...]]] = {
        "help": (Argument("command", required=False),),
        "stop": (),
    }

    def __init__(
        self, mining: MiningMethods, lookups: LookupMethods, stop: Callable[[], None]
    ) -> None:
        self._stop = stop
        self._table: dict[str, tuple[Callable[..., Any], tuple[Argument, ...]]] = {
            name: (getattr(owner, name), arguments)
            for owner in (mining, lookups, self)
            for name, arguments in owner.ARGUMENTS.items()
        }

    def call(self, name: str, params: Params, caller: Caller) -> Any:
        """The method's result. Raises RpcFault."""
        if name not in self._table:
            raise RpcFault(METHOD_NOT_FOUND, "Method not found")
        function, arguments = self._table[name]
        values = arrange(name, params, arguments)
        try:
            return function(caller, *values)
        except RpcFault:
            raise
        except KernelFailed as failed:
            raise RpcFault(MISC, f"{name}: {failed}") from None
        except NodeError as error:  # no memory is left, say
            log.error("RPC method %s failed: %s", name, error)
            raise RpcFault(MISC, f"{name}: {error}") from None
        except Exception:
            log.exception("RPC method %s failed", name)
            raise RpcFault(MISC, f"{name} failed inside the node; its log says why") from None

    def help(self, _: Caller, command: str | None) -> str:
        if command is None:
            return "\n".join(usage(name, self._table[name][1]) for name in sorted(self._table))
        if command not in self._table:
            return f"help: unknown command: {command}"
        return usage(command, self._table[command][1])

    def stop(self, _: Caller) -> str:
        self._stop()
        return "homehash node stopping"
