"""A screen whose failures cost its lines, never the mining."""

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from miner.status import Event, StatusSnapshot
from miner.text import scrub


class Screen(Protocol):
    """What a run shows itself on."""

    def event(self, event: Event) -> None: ...

    def tick(self, now: StatusSnapshot) -> None: ...

    def close(self, now: StatusSnapshot | None) -> None: ...

    def restore(self) -> None: ...


class SturdyScreen:
    """Hands everything on. A full disk, a terminal that is gone or a bug of the screen is named
    once, where that is possible; only a reader that left (BrokenPipeError) is passed on."""

    def __init__(self, screen: Screen) -> None:
        self._screen, self._said = screen, False

    def event(self, event: Event) -> None:
        self._show(lambda: self._screen.event(event))

    def tick(self, now: StatusSnapshot) -> None:
        self._show(lambda: self._screen.tick(now))

    def close(self, now: StatusSnapshot | None) -> None:
        self._show(lambda: self._screen.close(now))

    def restore(self) -> None:
        with suppress(Exception):
            self._screen.restore()

    def _show(self, draw: Callable[[], None]) -> None:
        try:
            draw()
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - no screen ends the mining
            if not self._said:
                self._said = True
                text = f"output is lost: {scrub(getattr(error, 'strerror', None) or repr(error))}"
                with suppress(Exception):
                    self._screen.event(Event("alarm", f"{text}; mining goes on", "warning"))
