"""`miner board`: one table, one page and one /metrics for many miners of many kinds."""

import asyncio
import json
import signal
import socket
import sys
import tomllib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from miner import files, paths
from miner.board.answers import board as as_json
from miner.board.place import Place, parse
from miner.board.row import BoardState
from miner.cli.listening import need_packages
from miner.errors import ConfigError
from miner.run.machine import addresses
from miner.transport.listening import bind, bound, listen_address, open_url
from miner.views.listeners import Listeners

if TYPE_CHECKING:  # it needs h11
    from miner.board.board import Board

FILE = "board.toml"
MOST_BYTES, MOST_SOURCES = 1 << 16, 512
EXAMPLE = "miner board axeos://192.168.1.20 cgminer://192.168.1.30 ckpool:/path/to/logs"


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--scan", metavar="NETWORK", help="Look for miners there, such as 192.168.1.0/24.")
@click.option("--once", is_flag=True, help="Ask each once, print, and end.")
@click.option("--json", "json_lines", is_flag=True, help="One JSON object a line, one a change.")
@click.option(
    "--web",
    is_flag=False,
    flag_value="8081",
    metavar="[HOST:]PORT",
    help="Show it as a page, too; bare: 127.0.0.1:8081.",
)
@click.option("--web-name", multiple=True, metavar="NAME", help="Host name it answers to.")
def board(  # the signature is the option list
    sources: tuple[str, ...],
    scan: str | None,
    once: bool,
    json_lines: bool,
    web: str | None,
    web_name: tuple[str, ...],
) -> None:
    """Many miners in one table; it only reads.

    SOURCE is [NAME=]KIND://HOST[:PORT]: homehash, axeos (Bitaxe, NerdQAxe), cgminer, xmrig,
    publicpool (with /ADDRESS), or ckpool:/path/to/logs. A bare HOST is asked in every language.
    Without SOURCE the list `sources` of board.toml in the settings' folder is taken. What a miner
    does not tell is –; totals say of how many they are.
    """
    if find_spec("h11") is None:
        raise ConfigError(f"h11 is not installed; get it by {sys.executable} -m pip install h11")
    places = wanted(sources, scan)
    page = None if web is None else BoardPage(web, web_name)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        asyncio.run(watch(places, scan, Wish(once, json_lines), page))
    except KeyboardInterrupt:
        sys.exit(0)
    finally:
        if page is not None:
            page.stop()


def wanted(sources: tuple[str, ...], scan: str | None) -> list[Place]:
    """Raises ConfigError."""
    if scan is not None:
        from miner.board.scan import hosts

        hosts(scan)
    texts = list(sources) or ([] if scan is not None else from_file())
    if not texts and scan is None:
        file = paths.config_dir() / FILE
        raise ConfigError(f"no miner is named: {EXAMPLE}, or a list `sources` in {file}")
    if len(texts) > MOST_SOURCES:
        raise ConfigError(f"{len(texts)} sources: at most {MOST_SOURCES}")
    return [parse(text) for text in texts]


def from_file() -> list[str]:
    """`sources = ["axeos://...", ...]`; nothing where there is no file. Raises ConfigError."""
    file = paths.config_dir() / FILE
    try:
        table: dict[str, Any] = tomllib.loads(files.read(file, MOST_BYTES).decode("utf-8-sig"))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{file}: {' '.join(str(error).split())[:200]}") from None
    listed = table.get("sources")
    if set(table) - {"sources"} or not isinstance(listed, list):
        raise ConfigError(f'{file}: want one list, sources = ["axeos://192.168.1.20"]')
    for text in listed:
        if not isinstance(text, str):
            raise ConfigError(f"{file}: sources: {text!r:.60} is no text")
    return listed


class Wish(NamedTuple):
    """What is to be printed."""

    once: bool
    json: bool


class BoardPage:
    """The page: its socket is bound before anything is asked."""

    def __init__(self, web: str, names: tuple[str, ...]) -> None:
        """Raises ConfigError: a place that is none, a port that is taken, a missing package."""
        need_packages()
        try:
            place = listen_address(8081)(web)
        except ValueError as error:
            raise ConfigError(f"--web: {web!r} {error}") from None
        assert place is not None
        self._listener, self._names = bind(place, "--web"), names
        self._listeners: Listeners | None = None

    def start(self, shown: "Board") -> None:
        from miner.board.web import BoardApp
        from miner.views.web.app import Reach
        from miner.views.web.server import WebServer

        place, host = bound(self._listener), socket.gethostname()
        reach = Reach((host, f"{host}.local", *addresses(), *self._names), not place.is_loopback)
        service = WebServer(BoardApp(lambda: shown.state, reach), self._listener)
        self._listeners = Listeners([service], lambda text: click.echo(text, err=True))
        self._listeners.start()
        warning = "" if place.is_loopback else "; whoever reaches this computer can read it"
        click.echo(f"see it at {open_url(place, addresses())}{warning}", err=True)

    def stop(self) -> None:
        if self._listeners is not None:
            self._listeners.stop()
        self._listener.close()


async def watch(
    places: list[Place], scan: str | None, wish: Wish, page: "BoardPage | None"
) -> None:
    if scan is not None:
        from miner.board.scan import hosts
        from miner.board.scan import scan as look

        found = await look(hosts(scan))
        told = ", ".join(f"{place.kind}://{place}" for place in found) or "no miner"
        click.echo(f"found: {told}", err=True)
        places = [*places, *found]
    from miner.board.board import Board

    shown = Board(places)
    if page is not None:
        page.start(shown)
    live = sys.stdout.isatty() and not wish.json
    if wish.once or not (live or wish.json or page):
        show(await shown.once(), wish.json)
        return
    async with asyncio.TaskGroup() as group:
        group.create_task(shown.run())
        if wish.json:
            group.create_task(follow_json(shown))
        elif live:
            group.create_task(follow_live(shown))


def show(state: BoardState, json_lines: bool) -> None:
    if json_lines:
        click.echo(json.dumps(as_json(state), allow_nan=False))
        return
    from miner.board.table import lines

    for line in lines(state):
        click.echo(line)


async def follow_json(shown: "Board") -> None:
    """A line for each answer."""
    told = -1
    while True:
        if shown.state.change != told:
            told = shown.state.change
            show(shown.state, True)
            sys.stdout.flush()
        await asyncio.sleep(1)


async def follow_live(shown: "Board") -> None:
    """On a terminal, until Ctrl-C."""
    from rich.console import Console
    from rich.live import Live

    from miner.board.table import live

    with Live(live(shown.state), console=Console(highlight=False), auto_refresh=False) as screen:
        while True:
            screen.update(live(shown.state), refresh=True)
            await asyncio.sleep(1)
