"""What the engine has to say: events for the views, alarms for the status."""

from collections.abc import Callable

from miner.state.events import Alarm, Event
from miner.state.status import Status
from miner.text import scrub

Tell = Callable[[Event], None]

MOST_ONCE = 100  # different alarms that are told once


class Announcer:
    """Any thread may speak."""

    def __init__(self, status: Status, tell: Tell) -> None:
        self._status, self.tell = status, tell
        self._told: set[str] = set()

    def alarm(self, text: str) -> None:
        self._status.alarm(text)
        self.tell(Alarm(text))

    def bug(self, where: str, error: Exception) -> None:
        """What should never be raised: it is told once, and the run goes on."""
        what = f"{where}: {type(error).__name__}: {scrub(error)}"
        self.alarm_once(f"{what}; a bug of homehash, please report it; mining goes on")

    def alarm_once(self, text: str) -> None:
        if text not in self._told and len(self._told) < MOST_ONCE:
            self._told.add(text)
            self.alarm(text)
