"""The live screen: lines of events scroll by, below them stands what the run is like now.

Rows are functions of the snapshot in `panel`; this module prints. 80 x 24 holds it.
"""

import re
import time
from contextlib import suppress
from typing import TextIO

from rich.console import Console
from rich.live import Live

from miner.state.events import Event, JobArrived
from miner.state.snapshot import Snapshot
from miner.views.panel import Options, panel
from miner.views.text import event_line, farewell

HASH = re.compile(r"\b([0-9a-f]{16})[0-9a-f]{48}\b")
IDENTIFY_S = 30.0


class LiveView:
    """Draws from its view's thread alone; `key` may be called by any thread."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out, self._err = out, err
        self._options = Options()
        self._live: Live | None = Live(
            console=Console(file=err, highlight=False), auto_refresh=False, transient=True
        )
        self._live.start()

    def event(self, event: Event) -> None:
        if isinstance(event, JobArrived):
            return  # the panel shows jobs
        style = {"warning": "yellow", "result": "green"}.get(event.level, "")
        self._line(event_line(event), event.level == "result", style)

    def tick(self, now: Snapshot) -> None:
        if self._live is not None:
            size = self._live.console.size
            self._live.update(panel(now, self._options, size.width, size.height), refresh=True)

    def close(self, last: Snapshot) -> None:
        """The last lines; the terminal as it was before."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        for line in farewell(last):
            self._line(line, result=True)

    def key(self, key: str) -> None:
        """d: details, ?: help, i: show which computer this is."""
        options = self._options
        if key == "d":
            self._options = options._replace(details=not options.details)
        elif key == "?":
            self._options = options._replace(help=not options.help)
        elif key == "i":
            self._options = options._replace(identify_until=time.time() + IDENTIFY_S)
            with suppress(OSError, ValueError):
                self._err.write("\a")

    def restore(self) -> None:
        """From a signal handler that ends the process: show the cursor again."""
        if self._live is not None:
            self._err.write("\x1b[?25h\n")
            self._err.flush()

    def _line(self, text: str, result: bool, style: str = "") -> None:
        """Results that are redirected go there whole; what is read here is kept short."""
        if self._live is not None and (not result or self._out.isatty()):
            short = HASH.sub(r"\1..", text)
            self._live.console.print(short, markup=False, style=style, soft_wrap=True)
            return
        stream = self._out if result else self._err
        stream.write(text + "\n")
        stream.flush()
