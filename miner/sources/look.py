"""Connects to a source as mining would, until its first job or its refusal."""

import threading
import time
from dataclasses import dataclass, field

from miner.sources.base import Health, SourceState, WorkSource
from miner.work.found import Verdict
from miner.work.job import Job

SECURED = "Stratum v2: "  # begins what an encrypted server shows of itself


@dataclass(slots=True)
class Look:
    """What was seen. It is the source's sink."""

    job: Job | None = None
    took_s: float = 0.0
    last: str = ""  # what the source said last
    facts: list[str] = field(default_factory=list)  # what an encrypted server showed of itself
    alarms: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)


class _Sink:
    def __init__(self, look: Look) -> None:
        self._look = look

    def job(self, job: Job) -> None:
        self._look.job = job
        self._look.ended.set()

    def verdict(self, verdict: Verdict) -> None:
        """None comes: nothing is submitted."""

    def alarm(self, text: str) -> None:
        self._look.alarms.append(text)

    def state(self, state: SourceState) -> None:
        if SECURED in state.text:
            self._look.facts.append(state.text)
        elif state.health is not Health.CONNECTING:
            self._look.last = state.text
        if state.fatal is not None:
            self._look.ended.set()


def look_at(source: WorkSource, wait_s: float) -> Look:
    """Start the source, wait for a job or the end, stop it."""
    look, started = Look(), time.monotonic()
    source.start(_Sink(look))
    look.ended.wait(wait_s)
    look.took_s = time.monotonic() - started
    source.stop(0.0)
    return look
