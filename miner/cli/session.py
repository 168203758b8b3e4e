"""A run at a terminal or in a pipe: its views, the signals, and the way out when something hangs.

The run works in threads of its own; the main thread waits for it and for signals.
"""

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from miner import limits, paths
from miner.cli.keys import Keys, Screen
from miner.errors import MinerError, OutputLeft
from miner.gap import economics
from miner.run.config import MineConfig
from miner.run.run import Run, start_thread
from miner.signals import ForcedExit, Signals, StopAsked
from miner.state.events import Caution
from miner.streams import let_go
from miner.views.base import ViewThread
from miner.views.jsonl import JsonView
from miner.views.text import TextView

if TYPE_CHECKING:
    from miner.cli.listening import Listening
    from miner.views.hook import Hook

LOOK_S = 0.25
BY_SIGNAL = "stopped by a signal"
HOOK_S = {False: 10.0, True: 0.5}  # for commands of --on-event; by whether a signal asked
FAREWELL_S = 1.0  # after a signal, for the last words
HARD_STOP_S = 8.0  # a stop takes 3 s at most; what hangs longer is left to the journal


class Session:
    """One `miner mine`."""

    def __init__(self, config: MineConfig) -> None:
        self.run = Run(config, mainnet_difficulty())
        self.listening = open_listeners(config, self.run)
        self.view, self.hook = open_view(config.json), open_hook(config, self.run)
        self.shown: ViewThread | None = None
        self.keys = Keys(self.run, self.view)
        self.forced = start_thread(lambda: ForcedExit(self._exit_code))
        self.signals = start_thread(lambda: Signals(self._restore, self._exit_code))

    def mine(self) -> None:
        """Until a goal, a signal or an error ends it. Raises MinerError when the run failed."""
        try:
            self.shown = self.run.add(self.view)
            if self.hook is not None:
                self.run.add(self.hook)
            self._mine()
        finally:
            self.signals.restore()
            if self.listening is not None:
                self.listening.stop()
            if self.shown is not None and not self.shown.join(FAREWELL_S, FAREWELL_S):
                self._leave()
            self.forced.cancel()
            let_go()

    def _mine(self) -> None:
        signals = self.signals
        try:
            self.run.open(self._check)
        except StopAsked:
            signals.notice()
            return
        finally:
            signals.starting = False  # no signal breaks into what follows
        if self.listening is not None:
            self.listening.start()
        self.run.start()
        with self.keys:
            while not (self.run.ending or signals.asked or self.keys.quit):
                self.run.wait(LOOK_S)
        signals.notice()
        self.forced.within(HARD_STOP_S)
        self.run.stop(BY_SIGNAL if signals.asked else "stopped by its user")
        if signals.asked:
            self.forced.within(FAREWELL_S)  # nothing but words is left
        if self.hook is not None:
            self.hook.finish(HOOK_S[signals.asked])
        if (error := self.run.outcome.error) is not None:
            raise error

    def _check(self) -> None:
        """Notice a signal whose exception was lost (one raised inside a destructor is)."""
        if self.signals.asked:
            raise StopAsked

    def _exit_code(self) -> int:
        """Of a process that is ended by force: that of the run's error, or of a reader's leaving
        that the run has not noticed yet."""
        error = self.run.outcome.error
        if error is None and self.shown is not None and self.shown.left:
            error = OutputLeft()
        return 0 if error is None else error.exit_code

    def _leave(self) -> None:
        """Whoever reads our output takes nothing: its thread holds the stream, which Python would
        wait for at its end."""
        self._restore()
        os._exit(self._exit_code())

    def _restore(self) -> None:
        """The terminal as it was before, when the process ends at once."""
        with suppress(Exception):
            self.view.restore()
        self.keys.restore()


def mine_on(config: MineConfig) -> None:
    """Raises MinerError."""
    limits.require(limits.MINING_MIB, "mining")
    Session(config).mine()


def open_listeners(config: MineConfig, run: Run) -> "Listening | None":
    """Bound already, when a page or an API was asked for. Raises ConfigError."""
    if config.web is None and config.cgminer_api is None:
        return None
    from miner.cli.listening import Listening  # for these alone: asyncio costs memory

    return Listening(config, run)


def open_hook(config: MineConfig, run: Run) -> "Hook | None":
    """The user's command for events."""
    if config.on_event is None:
        return None
    from miner.views.hook import Hook  # for this alone

    return Hook(config.on_event, lambda text: run.tell(Caution(text)))


def open_view(as_json: bool) -> Screen:
    """JSON, or for people: live when talk goes to a terminal."""
    if as_json:
        return JsonView(sys.stdout)
    if not sys.stderr.isatty():
        return TextView(sys.stdout, sys.stderr)
    from miner.views.live import LiveView  # for a terminal alone: rich costs memory

    return LiveView(sys.stdout, sys.stderr)


def mainnet_difficulty() -> float | None:
    """The newest published one in the package, or the user's own; None when that is unusable."""
    try:
        return economics.load(paths.config_dir())["network_difficulty"].value
    except (MinerError, KeyError):
        return None
