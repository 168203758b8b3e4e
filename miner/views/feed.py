"""What listeners read: the newest snapshot, its health, and its JSON made once for all of them.

Belongs to one thread, that of the listeners' loop; the run is only read, by reference.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from miner.state.snapshot import Snapshot
from miner.views import api
from miner.views.health import Health, Pulse
from miner.views.names import Names

Newest = Callable[[], Snapshot]
Made = Callable[["Feed"], Any]


class Feed:
    """`newest` gives the snapshot of this moment without waiting: `Run.snapshot` does."""

    def __init__(
        self,
        newest: Newest,
        whole_addresses: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.names = Names(whole_addresses)
        self._newest, self._clock = newest, clock
        self._pulse = Pulse(clock())
        self._made: dict[str, tuple[int, bytes]] = {}  # by name: of which change, and the text
        self.change = 0  # of the newest text made

    @property
    def now(self) -> Snapshot:
        return self._newest()

    def tick(self) -> Snapshot:
        """Look at the run; call about once a second."""
        now = self._newest()
        self._pulse.see(self._clock(), now)
        self.names.learn(now)
        return now

    def health(self, now: Snapshot) -> Health:
        return self._pulse.health(self._clock(), now)

    def status(self) -> bytes:
        return self._once("status", api.status)

    def compact(self) -> bytes:
        return self._once("compact", api.compact)

    def cut(self, value: Any) -> Any:
        """For JSON: no unknown keys, no whole addresses."""
        return self.names.cut(api.known(value))

    def _once(self, name: str, make: Callable[[Snapshot, Health], dict[str, Any]]) -> bytes:
        """Everybody who asks for the same moment gets the same bytes."""
        now = self.tick()
        self.change = now.change
        change, text = self._made.get(name, (-1, b""))
        if change != now.change:
            text = dump(self.cut(make(now, self.health(now))))
            self._made[name] = now.change, text
        return text


def dump(value: Any) -> bytes:
    """One line of valid JSON. Raises ValueError for NaN, which `cut` leaves out before."""
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
