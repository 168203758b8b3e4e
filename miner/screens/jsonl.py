"""`--json`: one JSON object a line on stdout; events as they come, a status every 10 seconds."""

import json
import time
from typing import TextIO

from miner.status import Event, StatusSnapshot

STATUS_S = 10.0


class JsonScreen:
    """Every object has "type" and "time_s" (wall clock); a status has the snapshot's schema."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._next_s = 0.0

    def event(self, event: Event) -> None:
        self._write({"type": event.kind, "time_s": event.wall_s, "text": event.text, **event.data})

    def tick(self, now: StatusSnapshot) -> None:
        if now.elapsed_s >= self._next_s:
            self._next_s = now.elapsed_s + STATUS_S
            self._status(now)

    def close(self, now: StatusSnapshot | None) -> None:
        if now is not None:
            self._status(now)

    def restore(self) -> None:
        """Nothing of the terminal was changed."""

    def _status(self, now: StatusSnapshot) -> None:
        self._write({"type": "status", "time_s": time.time(), **now.to_dict()})

    def _write(self, values: dict[str, object]) -> None:
        self._out.write(json.dumps(values, allow_nan=False, default=str) + "\n")
        self._out.flush()
