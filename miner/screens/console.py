"""The screen for people: plain lines, and on a terminal a live status below them.

Results go to stdout, talk to stderr. One line an event; a summary each minute.
"""

import sys
import time
from typing import TYPE_CHECKING, TextIO

from miner.screens import words
from miner.status import Event, StatusSnapshot
from miner.units import duration

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

SUMMARY_S = 60.0
MOST_ROWS = 16  # of backends on the live screen
QUIET = ("job",)
QUIET_S = 0.2  # between two lines of such events: a pool may send 1,000 jobs a second


class ConsoleScreen:
    """Called from one thread alone."""

    def __init__(self, out: TextIO, err: TextIO, live: bool) -> None:
        self._out, self._err = out, err
        self._next_summary: float | None = None
        self._last_quiet = 0.0
        self._live: Live | None = None
        if live:
            self._open_live()

    def event(self, event: Event) -> None:
        if event.kind in QUIET and self._is_noise(event):
            return
        stamp = time.strftime("%H:%M:%S", time.localtime(event.wall_s))
        mark = "WARNING: " if event.level == "warning" else ""
        self._line(f"{stamp} {mark}{event.text}", result=event.level == "result")

    def _is_noise(self, event: Event) -> bool:
        """The live screen shows jobs itself; plain lines name clean ones, a few a second."""
        if self._live is not None or not event.data.get("clean", True):
            return True
        if event.wall_s - self._last_quiet < QUIET_S:
            return True
        self._last_quiet = event.wall_s
        return False

    def tick(self, now: StatusSnapshot) -> None:
        """Often enough for the live status: a few times a second."""
        if self._live is not None:
            self._live.update(status_view(now), refresh=True)
            return
        if self._next_summary is None:
            self._next_summary = now.elapsed_s + SUMMARY_S
        elif now.elapsed_s >= self._next_summary:
            self._next_summary = now.elapsed_s + SUMMARY_S
            self.event(Event("summary", words.summary(now)))

    def close(self, now: StatusSnapshot | None) -> None:
        """The last summary; the terminal as it was before."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        if now is not None:
            self._line(words.summary(now), result=True)

    def restore(self) -> None:
        """From a signal handler that ends the process: show the cursor again."""
        if self._live is not None:
            self._err.write("\x1b[?25h\n")
            self._err.flush()

    def _line(self, text: str, result: bool) -> None:
        if self._live is not None and (not result or self._out.isatty()):
            self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)
            return
        stream = self._out if result else self._err
        stream.write(text + "\n")
        stream.flush()

    def _open_live(self) -> None:
        from rich.console import Console  # imported for a terminal alone: it costs memory
        from rich.live import Live

        console = Console(file=self._err)
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._live.start()


def open_console() -> ConsoleScreen:
    """Live when talk goes to a terminal."""
    return ConsoleScreen(sys.stdout, sys.stderr, live=sys.stderr.isatty())


def status_view(now: StatusSnapshot) -> "RenderableType":
    """The live status; computes nothing."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    cards = any(row.sensors for row in now.backends)
    titles = ["backend", "10 s", "1 min", "versions", "faults", *["card"] * cards, "state"]
    for title in titles:
        table.add_column(title, no_wrap=title != "state")
    for row in now.backends[:MOST_ROWS]:
        rates = (words.rate(row.rate_10s_hs), words.rate(row.rate_1min_hs))
        faults = str(row.false_hits + row.faults)
        card = [words.sensors(row)] if cards else []
        cells = (row.name, *rates, str(row.versions), faults, *card, row.state)
        table.add_row(*(Text(cell) for cell in cells))
    if len(now.backends) > MOST_ROWS:
        table.add_row(Text(f"and {len(now.backends) - MOST_ROWS} more"))
    describe = (words.rates, words.by_shares, words.work, words.results, words.chances)
    lines = [now.source, *(describe_one(now) for describe_one in describe)]
    state = Text(f"{now.state}, {duration(now.elapsed_s)}", style="bold")
    if now.tls_insecure:
        state.append("   TLS NOT VERIFIED", style="bold red")
    amber = Text(words.benchmark(now), style="yellow" if now.below_benchmark else "")
    alarms = [Text(f"alarm: {text}", style="bold red") for text in now.alarms[-3:]]
    compared = [amber] if amber.plain else []
    return Group(Text(), state, *(Text(line) for line in lines), *compared, table, *alarms)
