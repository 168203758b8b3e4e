"""Every error homehash raises on purpose; each class carries the exit code of the command.

The command line catches MinerError alone and prints its text as one line. Anything else is a bug
of ours and shows its traceback.
"""


class MinerError(Exception):
    """The root; its text says what is wrong, with which value, and what to do."""

    exit_code = 1


class OutputLeft(MinerError):
    """Whoever read our standard output went away: nobody would see what is mined."""

    def __init__(self) -> None:
        super().__init__("whoever read the output has left (broken pipe); start miner again")


class ConfigError(MinerError):
    """A flag, environment variable, file or argument that cannot be used."""

    exit_code = 2


class BackendUnavailable(MinerError):
    """A backend was asked for and cannot be opened, or none is usable."""

    exit_code = 3

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"backend {name} cannot be used: {why}")
        self.name, self.why = name, why


class BackendFault(MinerError):
    """A device gave a wrong answer, missed one, hung or was lost."""

    exit_code = 4

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"backend {name} failed: {what}")
        self.name, self.what = name, what


class SourceRefused(MinerError):
    """The pool or node said no: credentials, address, chain or an unknown rule."""

    exit_code = 5


class RpcAuthError(SourceRefused):
    """HTTP 401: wrong or rotated credentials."""


class RpcForbidden(SourceRefused):
    """HTTP 403: address or method not allowed by the node."""


class TransportError(MinerError):
    """The peer could not be reached, or stopped answering."""

    exit_code = 6


class ConnectFailed(TransportError):
    """No connection: name, route, refusal or TLS."""


class DeadlinePassed(TransportError):
    """A complete answer did not arrive in time; what the peer did is unknown."""


class RpcBusy(TransportError):
    """HTTP 503: the node's work queue is full."""


class RpcError(MinerError):
    """A well-formed JSON-RPC error: `code` and `reason` as the node gave them."""

    def __init__(self, method: str, code: int, reason: str) -> None:
        super().__init__(f"{method}: the node answered error {code}: {reason}")
        self.method, self.code, self.reason = method, code, reason


class RpcNotReady(RpcError):
    """-28 warming up, -9 no peers, -10 initial block download: waiting cures it."""

    exit_code = 6


class ProtocolError(MinerError):
    """A message broke the protocol."""


class LocalProtocolError(ProtocolError):
    """We were about to break it: our bug, so stop."""


class RemoteProtocolError(ProtocolError):
    """The peer broke it: its message is refused whole and changes nothing."""


class NodeError(MinerError):
    """The embedded node cannot start or go on."""


class JournalError(MinerError):
    """The journal of found blocks cannot be opened, locked or written."""
