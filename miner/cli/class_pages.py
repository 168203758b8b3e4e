"""What `miner class` shows: pages for phones, board and desk; a replay; the lesson plan."""

import shlex
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from miner import files
from miner.cli.listening import need_packages
from miner.cli.serving import EVERYWHERE, LOOK_S, Serving, reachable, say
from miner.errors import ConfigError
from miner.pool.service import PoolService
from miner.run.machine import addresses
from miner.run.run import start_thread
from miner.transport.listening import bound, open_url
from miner.views.listeners import Listeners, Service

if TYPE_CHECKING:  # its views are an extra
    from miner.pool.record import Record

WEB_PORT, DESK_PORT = "8080", "8081"
LOOPBACK = "127.0.0.1"


class Pages:
    """The sockets of the class's pages; without their packages there are none, which is said."""

    def __init__(self, serving: Serving, web: str | None, desk: str | None) -> None:
        """Raises ConfigError: a port that is taken; packages that are missing when pages were
        asked for; a desk that others could reach."""
        self._web: socket.socket | None = None
        self._record: Record | None = None
        try:
            need_packages("segno")
        except ConfigError as error:
            if web is not None or desk is not None:
                raise
            say(f"no pages, so no phones, board or desk: {str(error).removeprefix('--web: ')}")
            return
        self._web = serving.bind("--web", web or WEB_PORT, EVERYWHERE)
        self._desk = serving.bind("--desk", desk or DESK_PORT, LOOPBACK)
        if not bound(self._desk).is_loopback:
            raise ConfigError(f"--desk {desk}: the desk is for this computer alone, give a PORT")

    def services(self, service: PoolService, join: str, easy: bool) -> list[Service]:
        """`join`: the command by which a computer joins. Says where the pages are."""
        if self._web is None:
            return []
        from miner.pool import pages  # its libraries are an extra
        from miner.pool.document import Invitation
        from miner.pool.orders import Orders

        room, place = service.room, f"http://{reachable(self._web)[0]}/"
        screen = pages.class_screen(room, Invitation(join, place), easy)
        self._record = pages.class_record(room)
        orders = Orders(room, screen, time.time, easy)
        desk, path = pages.class_desk(orders, self._record, self._desk, say)
        say(f"phones: {place}")
        say(f"board, for the projector: {place}board")
        say(f"desk, for you alone: http://{LOOPBACK}:{bound(self._desk).port}{path}")
        return [pages.class_site(room, self._web, screen, say), desk]

    def keep(self, folder: Path) -> None:
        """At the end: the session as a file, where anybody has mined."""
        if self._record is None or not self._record.is_worth_keeping:
            return
        from miner.pool.export import session

        kept = session(self._record, time.time())
        path = folder / "sessions" / kept.name
        try:
            files.replace(path, kept.body)
        except OSError as error:
            say(f"the session could not be kept in {path}: {error.strerror or error}")
            return
        say(f"the session is kept: miner class --replay {shlex.quote(str(path))} shows it again")


class BoardAlone:
    """The page of `miner pool`: a board, which only shows."""

    def __init__(self, serving: Serving, web: str) -> None:
        """Raises ConfigError: a port that is taken, packages that are missing."""
        need_packages("segno")
        self._web = serving.bind("--web", web, LOOPBACK)

    def service(self, service: PoolService, join: str) -> Service:
        """`join`: where miners connect to. Says where the page is."""
        from miner.pool import pages
        from miner.pool.document import Invitation

        where, warning = reachable(self._web)
        say(f"board: http://{where}/board; {warning}")
        screen = pages.class_screen(service.room, Invitation(join, ""), easy=False)
        return pages.board_site(screen, self._web, say)


def replay(file: Path, speed: float, web: str | None) -> None:
    """Show a recorded session on a board until a signal. Raises ConfigError."""
    need_packages("segno")
    from miner.pool import pages
    from miner.pool.document import Invitation
    from miner.pool.recorded import load
    from miner.pool.replay import Replay
    from miner.pool.screen import Screen

    shown = Replay(*load(file), speed, time.monotonic)
    serving = Serving()
    listener = serving.bind("--web", web or WEB_PORT, LOOPBACK)
    screen = Screen(shown.view, Invitation("", ""), shown.told)
    listeners = Listeners([pages.board_site(screen, listener, say)], say)
    start_thread(listeners.start)
    say(f"{file}: {shown.about}; see it at {open_url(bound(listener), addresses())}board")
    try:
        while not serving.asked.wait(LOOK_S):
            pass
    finally:
        listeners.stop()
        listener.close()


def print_plan(lang: str) -> None:
    """The lesson plan on stdout."""
    from miner.pool.plan import plan

    click.echo(plan(lang), nl=False)
