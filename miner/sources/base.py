"""The contract of a work source: a pool session, a node, or a fixed header."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from miner.work.found import FoundBlock, Share, Verdict
from miner.work.job import Job


class Health(Enum):
    """How a source is; the engine hashes only while some source is READY."""

    CONNECTING = "connecting"
    WAITING = "waiting"  # reached, but not ready: warming up, initial block download, no job yet
    READY = "ready"
    DOWN = "down"  # not reached; a retry is scheduled
    REFUSED = "refused"  # said no: `SourceState.fatal` holds the error


@dataclass(frozen=True, slots=True)
class SourceState:
    """A change worth a line on the screen."""

    source: str
    health: Health
    text: str  # one line, scrubbed
    fatal: Exception | None = None  # a MinerError that ends the run when no other source is left


class SourceSink(Protocol):
    """What a source calls, from its own threads; every method returns at once."""

    def job(self, job: Job) -> None: ...

    def verdict(self, verdict: Verdict) -> None: ...

    def state(self, state: SourceState) -> None: ...

    def alarm(self, text: str) -> None:
        """Something the user should act upon: one line, scrubbed, that names the source."""


class WorkSource(Protocol):
    """Gives jobs, takes shares."""

    @property
    def name(self) -> str: ...

    def start(self, sink: SourceSink) -> None:
        """Connect in the background and begin to call the sink."""

    def submit(self, share: Share) -> None:
        """Send a share or block; any thread; queues, never waits for the network."""

    def pack(self, share: Share) -> FoundBlock:
        """Everything needed to send a block again; pure."""

    def send(self, block: FoundBlock) -> None:
        """Send a block; any thread; never waits for the network; ends in a verdict.

        With an origin `pack` has made it just now. Without one it is of a journal, or repeated
        after "unknown": it goes where it belongs, and is PENDING while that is nowhere.
        """

    def stop(self, grace_s: float) -> None:
        """Wait up to `grace_s` for open submits, then close every connection and thread."""
