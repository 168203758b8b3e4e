"""`--on-event COMMAND`: a command of the user's for a block, a new best share and an alarm.

It gets one JSON object on its standard input. At most one runs at a time, for ten seconds; while it
runs sixteen events wait, later ones are counted. All of it happens in the view's own thread, which
nothing of mining waits for.
"""

import json
import os
import subprocess
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from miner.signals import kill
from miner.state.events import Alarm, BlockAnswered, BlockFound, Event
from miner.state.snapshot import Snapshot
from miner.views.jsonl import event_line

MOST_WAITING = 16
LONGEST_S = 10.0
LOOK_S = 0.02
SECRETS = ("MINER_PASSWORD", "MINER_USERPASS", "MINER_RPC_PASSWORD")  # not for the command
WANTED = (BlockFound, BlockAnswered, Alarm)


class Hook:
    """A view. `complain` hears once why the command does not work."""

    def __init__(
        self,
        command: str,
        complain: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.missed = 0  # events, since the last that the command was told
        self._command, self._complain, self._clock = command, complain, clock
        self._waiting: deque[dict[str, Any]] = deque()
        self._running: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._best: float | None = None
        self._told = False  # that it does not work

    def event(self, event: Event) -> None:
        if isinstance(event, WANTED):
            self._queue(event_line(event))

    def tick(self, now: Snapshot) -> None:
        """Several times a second: a new best, and what became of the command."""
        best = now.shares.best_ever
        if best is not None and self._best is not None and best > self._best and now.shares.best:
            row = now.shares.best[0]
            self._queue(
                {
                    "type": "best_share",
                    "time_s": row.found_at_s,
                    "text": f"best share so far: difficulty {best:.6g}",
                    "difficulty": best,
                    "hash": row.hash,
                    "header": row.header,
                    "source": row.source,
                }
            )
        self._best = best if best is not None else 0.0
        self._turn()

    def close(self, last: Snapshot) -> None:
        self.tick(last)

    def finish(self, within_s: float) -> None:
        """At the end of the run, from its owner's thread: tell what waits, in so much time."""
        deadline = self._clock() + within_s
        while (self._running or self._waiting) and self._clock() < deadline:
            self._turn()
            time.sleep(LOOK_S)

    def _queue(self, line: dict[str, Any]) -> None:
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(line)
        else:
            self.missed += 1
        self._turn()

    def _turn(self) -> None:
        """Look after the command that runs; start it for the next event when none does."""
        if self._running is not None:
            code = self._running.poll()
            if code is None and self._clock() - self._began < LONGEST_S:
                return
            if code is None:
                kill(self._running)
                self._complain_once(f"took longer than {LONGEST_S:g} s and was ended")
            elif code:
                self._complain_once(f"ended with code {code}")
            self._running = None
        if self._waiting:
            line = self._waiting.popleft() | {"missed": self.missed}
            self.missed = 0
            self._began = self._clock()
            self._running = self._start(json.dumps(line, allow_nan=False).encode() + b"\n")

    def _start(self, line: bytes) -> "subprocess.Popen[bytes] | None":
        quiet = subprocess.DEVNULL
        outer = {name: value for name, value in os.environ.items() if name not in SECRETS}
        try:
            started = subprocess.Popen(
                self._command,
                shell=True,
                stdin=subprocess.PIPE,
                stdout=quiet,
                stderr=quiet,
                env=outer,
                start_new_session=True,
            )
        except OSError as error:
            self._complain_once(f"cannot be started: {error.strerror}")
            return None
        assert started.stdin is not None
        with suppress(OSError), started.stdin:  # it need not read; a pipe takes a line at once
            started.stdin.write(line)
        return started

    def _complain_once(self, why: str) -> None:
        if not self._told:
            self._told = True
            self._complain(f"--on-event: the command {why}; mining goes on")
