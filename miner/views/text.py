"""Plain lines for people: results to stdout, talk to stderr. A summary each minute."""

import time
from typing import TextIO

from miner.state.events import Event, JobArrived
from miner.state.snapshot import Snapshot
from miner.views import words
from miner.views.sentences import sentence

SUMMARY_S = 60.0
QUIET_S = 0.2  # between two lines of jobs: a pool may send 1,000 a second


class TextView:
    """One line an event."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out, self._err = out, err
        self._next_summary: float | None = None
        self._last_job = 0.0

    def event(self, event: Event) -> None:
        if not (isinstance(event, JobArrived) and self._is_noise(event)):
            self._line(event_line(event), event.level == "result")

    def _is_noise(self, event: JobArrived) -> bool:
        """Clean jobs alone are told, a few a second."""
        if not event.clean or event.wall_s - self._last_job < QUIET_S:
            return True
        self._last_job = event.wall_s
        return False

    def tick(self, now: Snapshot) -> None:
        elapsed_s = now.run.elapsed_s
        if self._next_summary is None:
            self._next_summary = elapsed_s + SUMMARY_S
        elif elapsed_s >= self._next_summary:
            self._next_summary = elapsed_s + SUMMARY_S
            self._line(f"{time.strftime('%H:%M:%S')} {words.summary(now)}", result=False)

    def close(self, last: Snapshot) -> None:
        for line in farewell(last):
            self._line(line, result=True)

    def restore(self) -> None:
        """Nothing of the terminal was changed."""

    def _line(self, text: str, result: bool) -> None:
        stream = self._out if result else self._err
        stream.write(text + "\n")
        stream.flush()


def event_line(event: Event) -> str:
    stamp = time.strftime("%H:%M:%S", time.localtime(event.wall_s))
    mark = "WARNING: " if event.level == "warning" else ""
    return f"{stamp} {mark}{sentence(event)}"


def farewell(last: Snapshot) -> list[str]:
    """The last lines. After blocks on the own node: what they mean, and what to try next."""
    run, odds = last.run, last.odds
    if not run.paced or run.rate_computer_hs is None or not last.blocks.accepted:
        return [words.summary(last)]
    blocks = last.blocks.accepted
    main = words.mainnet(odds)
    return [
        words.summary(last),
        "",
        f"{blocks} block{'s' * (blocks != 1)} accepted by Bitcoin Core's engine.",
        f"This computer: {words.hashrate(run.rate_computer_hs)}, measured between the blocks.",
        *([f"{main[0].upper()}{main[1:]}."] if main else []),
        "Next: `miner learn` explains what happened, `miner bench` measures this computer,",
        "and `miner mine --pool HOST:PORT --user ADDRESS.NAME` joins a pool.",
    ]
