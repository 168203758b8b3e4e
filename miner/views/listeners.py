"""The thread in which everything runs that listens: one asyncio loop, away from mining."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from miner.text import scrub

READY_S, STOP_S = 3.0, 0.8


class Service(Protocol):
    """Something that listens."""

    async def serve(self, stop: asyncio.Event) -> None:
        """Until `stop`; closes what it opened."""


class Listeners:
    """Runs services in one thread, away from mining; `complain` hears of one that fails."""

    def __init__(self, services: Sequence[Service], complain: Callable[[str], None]) -> None:
        self._services, self._complain = services, complain
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._work, name="listeners", daemon=True)

    def start(self) -> None:
        """Raises RuntimeError when the system has no thread left."""
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it warns of readers that leave
        self._thread.start()
        self._ready.wait(READY_S)

    def stop(self) -> None:
        """Open answers get a moment; a thread that does not end is left behind."""
        if self._thread.ident is None:
            return
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(STOP_S)

    def _work(self) -> None:
        try:
            asyncio.run(self._main())
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await asyncio.gather(*(self._guarded(one, self._stop) for one in self._services))

    async def _guarded(self, service: Service, stop: asyncio.Event) -> None:
        try:
            await service.serve(stop)
        except Exception as error:  # noqa: BLE001 - no listener ends the mining
            self._complain(
                f"a listener ended: {scrub(error) or type(error).__name__}; mining goes on"
            )
