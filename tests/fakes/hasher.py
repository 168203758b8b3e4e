"""A small stand-in for the engine: takes jobs, hashes slowly, submits what it finds."""

import random
import threading
import time
from collections.abc import Callable
from typing import Any, Self

from miner.sources.base import Health, SourceState, WorkSource
from miner.work.found import Answer, Share, Verdict
from miner.work.job import Job
from miner.work.roll import Roller

BATCH = 64  # nonces


class Hasher:
    """A SourceSink with one hashing thread; use as a context manager around a source."""

    def __init__(self, source: WorkSource, pause_s: float = 0.002) -> None:
        self.source, self.pause_s = source, pause_s
        self.jobs: list[Job] = []
        self.verdicts: list[Verdict] = []
        self.states: list[SourceState] = []
        self.alarms: list[str] = []
        self.found: list[Share] = []
        self.headers: set[bytes] = set()  # prefixes of every unit, to see that none repeats
        self.repeated = 0
        self.changed = threading.Condition()
        self.ready: set[str] = set()
        self.over = threading.Event()
        self._thread = threading.Thread(target=self._hash, name="hasher", daemon=True)

    def __enter__(self) -> Self:
        self.source.start(self)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.over.set()
        self._thread.join(5.0)
        self.source.stop(2.0)

    def job(self, job: Job) -> None:
        self._note(self.jobs, job)

    def verdict(self, verdict: Verdict) -> None:
        self._note(self.verdicts, verdict)

    def state(self, state: SourceState) -> None:
        assert state.text.isprintable()
        with self.changed:
            if state.health is Health.READY:
                self.ready.add(state.source)
            else:
                self.ready.discard(state.source)
        self._note(self.states, state)

    def alarm(self, text: str) -> None:
        assert text.isprintable()
        self._note(self.alarms, text)

    def _note(self, where: list[Any], what: object) -> None:
        with self.changed:
            where.append(what)
            self.changed.notify_all()

    def wait(self, test: Callable[[], object], seconds: float = 10.0) -> None:
        with self.changed:
            assert self.changed.wait_for(test, seconds), (
                self.states[-5:],
                self.verdicts[-3:],
                len(self.jobs),
            )

    def answers(self, answer: Answer) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.answer is answer]

    def accepted(self, count: int, seconds: float = 10.0) -> None:
        """Wait for so many accepted shares."""
        self.wait(lambda: len(self.answers(Answer.ACCEPTED)) >= count, seconds)

    def said(self, text: str, seconds: float = 10.0) -> SourceState:
        """Wait for a state whose text contains this."""
        self.wait(lambda: any(text in state.text for state in self.states), seconds)
        return next(state for state in self.states if text in state.text)

    def _hash(self) -> None:
        rollers: dict[tuple[str, int], Roller] = {}
        job, born = None, 0.0
        while not self.over.is_set():
            with self.changed:
                newest = self.jobs[-1] if self.jobs else None
                paused = not self.ready
            if newest is None or paused:
                time.sleep(0.005)
                continue
            if newest is not job:
                key = (newest.source, newest.session)
                start = rollers[key].next_extranonce2 if key in rollers else random.getrandbits(64)
                job, born, rollers[key] = newest, time.monotonic(), Roller(newest, start)
            unit = rollers[(job.source, job.session)].next(2, time.monotonic() - born)
            if unit is None:
                time.sleep(0.01)
                continue
            self.repeated += unit.prefix in self.headers
            self.headers.add(unit.prefix)
            for nonce in range(BATCH):
                for version in unit.versions:
                    if share := Share.from_hit(unit, version, nonce):
                        self.found.append(share)
                        self.source.submit(share)
            self.over.wait(self.pause_s)
