"""What `miner class` and `miner pool` share: sockets, the listeners' thread, signals, the end."""

import signal
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress

import click

from miner.errors import ConfigError
from miner.pool.door import Door
from miner.pool.service import PoolService
from miner.pool.words import Calm, Lines
from miner.run.machine import addresses
from miner.run.run import start_thread
from miner.transport.listening import bind, bound, bracketed, listen_address
from miner.views.listeners import Listeners, Service

EVERYWHERE = "0.0.0.0"  # noqa: S104 - a class is for the room's network
LOOK_S = 0.1  # short, since a wait cannot be interrupted everywhere
STOP_S = 4.0


class Serving:
    """Sockets bound at once, so that a port that is taken is an error of the command; from the
    beginning a signal asks for an orderly end."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._sockets = ExitStack()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.asked.set())

    def bind(self, option: str, value: str, default: str) -> socket.socket:
        """Listen at [HOST:]PORT; without a host on `default`. Raises ConfigError."""
        host = "" if ":" in value or not value.isdigit() else f"{default}:"
        try:
            place = listen_address(0)(host + value)
        except ValueError as error:
            raise ConfigError(f"{option}: {value!r} {error}") from None
        assert place is not None
        listener = bind(place, option)
        self._sockets.callback(listener.close)
        return listener

    def run(self, service: PoolService, door: socket.socket, more: Sequence[Service]) -> None:
        """Until a signal, or an error that nothing can be mined with. Raises MinerError."""
        calm = Calm(say, time.monotonic)
        service.room.subscribe(Lines(say, calm).hear)
        listeners = Listeners([service, Door(service.room, door, calm), *more], say)
        start_thread(listeners.start)
        try:
            while not (self.asked.wait(LOOK_S) or service.fatal):
                pass
        finally:
            listeners.stop()
            service.ended.wait(STOP_S)
            self._sockets.close()
        if service.fatal is not None:
            raise service.fatal


def say(text: str) -> None:
    """A line of what happens. Who read them may have left: the room goes on."""
    with suppress(OSError):
        click.echo(text)


def reachable(listener: socket.socket) -> tuple[str, str]:
    """What others type to reach it, without and with its port; and a warning: who can."""
    place = bound(listener)
    own = addresses()
    if place.is_loopback:
        return f"127.0.0.1:{place.port}", "it listens on this computer alone"
    if place.host == EVERYWHERE and not own:
        return (
            f"127.0.0.1:{place.port}",
            "this computer has no address in a network: nobody else can join until it is connected",
        )
    host = own[0] if place.host == EVERYWHERE else place.host
    return f"{bracketed(host)}:{place.port}", (
        f"whoever reaches {host} can join; if nobody gets through, let TCP port {place.port} "
        "through this computer's firewall (Linux: sudo ufw allow "
        f"{place.port}/tcp; Windows and macOS ask once)"
    )
