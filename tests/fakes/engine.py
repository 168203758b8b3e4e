"""A scripted source, and an engine with everything around it."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from miner.backends.base import Backend
from miner.engine.core import Engine, EngineOptions
from miner.engine.worker import WorkerOptions
from miner.journal import Journal
from miner.sources.base import Health, SourceSink, SourceState, WorkSource
from miner.state.events import Alarm, Event, SourceChanged
from miner.state.status import Status
from miner.work.found import Answer, FoundBlock, Share, Verdict
from miner.work.job import Coinbase, Job
from tests.fakes.backend import FakeBackend
from tests.fakes.jobs import changed

EASY = 2**254  # a block for each four hashes
SHARES = 2**248
NEVER = 1


def job(name: str = "a", **changes: object) -> Job:
    plain = Job(
        "scripted", 1, name, True, 0x20000000, 0x1FFFE000, hashlib.sha256(name.encode()).digest(),
        Coinbase(b"one", b"", 8, b"two", ()), 0x207FFFFF, 1_700_000_000, 0, False, EASY, EASY,
        height=7, one_block_per_parent=True,
    )  # fmt: skip
    return changed(plain, **changes)


class ScriptedSource:
    """Records what arrives; `answer` gives the verdict of a share, None = none yet."""

    name = "scripted"

    def __init__(self, kind: str = "gbt") -> None:
        self.kind = kind
        self.submitted: list[Share] = []
        self.sent: list[FoundBlock] = []
        self.resubmitted: list[FoundBlock] = []
        self.answer: Callable[[Share], Answer | None] = lambda share: Answer.ACCEPTED
        self.journal: Journal | None = None
        self.durable_at_submit: list[bool] = []
        self.stopped_with: float | None = None
        self.sink: SourceSink
        self.pack_fails = False

    def start(self, sink: SourceSink) -> None:
        self.sink = sink

    def submit(self, share: Share) -> None:
        self.submitted.append(share)
        if self.journal is not None and share.is_block:
            on_disk = share.hash_hex.encode() in self.journal.path.read_bytes()
            self.durable_at_submit.append(on_disk)
        answer = self.answer(share)
        if answer is not None:
            self.say(share, answer)

    def say(self, share: Share, answer: Answer) -> None:
        self.sink.verdict(Verdict(self.name, share.hash_hex, answer, share.is_block))

    def pack(self, share: Share) -> FoundBlock:
        if self.pack_fails:
            raise ValueError("validator broken")
        return FoundBlock(
            self.name, share.hash_hex, 7, share.header, self.kind, share.header.hex() + "00ff",
            origin=share,
        )  # fmt: skip

    def send(self, block: FoundBlock) -> None:
        if block.origin is None:
            self.resubmitted.append(block)
        else:
            self.sent.append(block)
            self.submit(block.origin)

    def stop(self, grace_s: float) -> None:
        self.stopped_with = grace_s


class Bench:
    """An engine with everything around it."""

    def __init__(self, folder: Path) -> None:
        self.source = ScriptedSource()
        self.events: list[Event] = []
        self.folder = folder
        self.engine: Engine
        self.reopened: list[str] = []
        self.spares: list[FakeBackend] = []
        self.clock = time.monotonic

    def run(self, *backends: Backend, **options: object) -> Engine:
        return self.over(self.source, *backends, **options)

    def over(self, source: WorkSource, *backends: Backend, **options: object) -> Engine:
        """A run on another source than the scripted one."""
        self.journal = Journal.open_own(self.folder, "scripted")
        self.journal.earlier.read(self.folder)
        self.source.journal = self.journal
        self.status = Status(self.clock())
        worker = WorkerOptions(**{"audit_s": 300.0, **options.pop("worker", {})})  # type: ignore[dict-item, arg-type]
        self.engine = Engine(
            source,
            backends,
            self.journal,
            self.status,
            self.events.append,
            self.clock,
            self.reopen,
            EngineOptions(worker, **options),  # type: ignore[arg-type]
        )
        self.engine.start()
        return self.engine

    def reopen(self, name: str) -> Backend:
        self.reopened.append(name)
        return self.spares.pop(0) if self.spares else FakeBackend(name)

    def catch_up(self) -> None:
        """Wait until the engine has handled all that it was told before."""
        text = f"caught up {len(self.events)}"
        self.engine.state(SourceState(self.source.name, Health.READY, text))
        until(
            lambda: any(
                isinstance(event, SourceChanged) and event.why == text for event in self.events
            )
        )

    def alarms(self) -> str:
        return "\n".join(event.text for event in self.events if isinstance(event, Alarm))


@contextmanager
def bench_in(folder: Path) -> Iterator[Bench]:
    """A bench that leaves no thread behind."""
    before = set(threading.enumerate())
    made = Bench(folder)
    yield made
    made.engine.stop()
    for thread in set(threading.enumerate()) - before:
        thread.join(5.0)
        assert not thread.is_alive(), f"{thread.name} is left over"


def until(condition: Callable[[], object], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.005)
