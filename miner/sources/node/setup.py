"""How a node is reached, and how long everything may take."""

from dataclasses import dataclass

from miner.sources.node.tips import WAIT_S
from miner.transport.credentials import Credentials
from miner.transport.endpoint import Endpoint
from miner.transport.tls import TlsSettings


@dataclass(frozen=True, slots=True)
class NodeSetup:
    """How to reach one node."""

    endpoint: Endpoint
    credentials: Credentials
    tls: TlsSettings | None = None
    long_poll: bool = False  # its workers are all ours: wait for templates in long polls


@dataclass(frozen=True, slots=True)
class Timing:
    """Every wait, in seconds; tests shorten them."""

    call: float = 30.0
    connect: float = 2.5  # the first try: an unreachable node is named within 3 s
    longpoll: float = 600.0  # Core answers within a minute once transactions arrive, else never
    tip: float = WAIT_S
    tip_beside_longpoll: float = 5.0
    tip_call: float = 10.0  # a dead connection, as after a suspend, is noticed by then
    refresh: float = 30.0  # a template is fetched again after this
    template_age: float = 300.0  # and not mined any longer after this
    longpoll_grace: float = 0.5  # a new tip seen by polling: let the long poll bring it first
    retry_first: float = 1.0
    retry_max: float = 15.0  # a node is mostly our own: it may be asked often
    not_ready: float = 2.0
    submit_first: float = 0.25
    submit_max: float = 5.0
    side_poll: float = 10.0
