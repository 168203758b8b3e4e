"""`miner board`: one table, one page and one /metrics for many miners of many kinds."""

import asyncio
import json
import sys
import tomllib
from typing import Any

import click

from miner import files, paths
from miner.board.answers import board as as_json
from miner.board.board import Board
from miner.board.place import Place, parse
from miner.board.row import BoardState
from miner.errors import ConfigError

FILE = "board.toml"
MOST_BYTES, MOST_SOURCES = 1 << 16, 512
EXAMPLE = "miner board axeos://192.168.1.20 cgminer://192.168.1.30 ckpool:/path/to/logs"


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--scan", metavar="NETWORK", help="Look for miners there, such as 192.168.1.0/24.")
@click.option("--once", is_flag=True, help="Ask each once, print, and end.")
@click.option("--json", "json_lines", is_flag=True, help="One JSON object a line, one a change.")
def board(sources: tuple[str, ...], scan: str | None, once: bool, json_lines: bool) -> None:
    """Many miners in one table; it only reads.

    SOURCE is [NAME=]KIND://HOST[:PORT]: homehash, axeos (Bitaxe, NerdQAxe), cgminer, xmrig,
    publicpool (with /ADDRESS), or ckpool:/path/to/logs. A bare HOST is asked in every language.
    Without SOURCE the list `sources` of board.toml in the settings' folder is taken. What a miner
    does not tell is –; totals say of how many they are.
    """
    places = wanted(sources, scan)
    try:
        asyncio.run(watch(places, scan, once, json_lines))
    except KeyboardInterrupt:
        sys.exit(0)


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


async def watch(places: list[Place], scan: str | None, once: bool, json_lines: bool) -> None:
    if scan is not None:
        from miner.board.scan import hosts
        from miner.board.scan import scan as look

        found = await look(hosts(scan))
        told = ", ".join(f"{place.kind}://{place}" for place in found) or "no miner"
        click.echo(f"found: {told}", err=True)
        places = [*places, *found]
    shown = Board(places)
    live = sys.stdout.isatty() and not json_lines
    if once or not (live or json_lines):
        show(await shown.once(), json_lines)
        return
    if json_lines:
        await follow_json(shown)
    else:
        await follow_live(shown)


def show(state: BoardState, json_lines: bool) -> None:
    if json_lines:
        click.echo(json.dumps(as_json(state), allow_nan=False))
        return
    from miner.board.table import lines

    for line in lines(state):
        click.echo(line)


async def follow_json(shown: Board) -> None:
    """A line for each answer."""
    async with asyncio.TaskGroup() as group:
        group.create_task(shown.run())
        told = -1
        while True:
            if shown.state.change != told:
                told = shown.state.change
                show(shown.state, True)
                sys.stdout.flush()
            await asyncio.sleep(1)


async def follow_live(shown: Board) -> None:
    """On a terminal, until Ctrl-C."""
    from rich.console import Console
    from rich.live import Live

    from miner.board.table import live

    with Live(live(shown.state), console=Console(highlight=False), auto_refresh=False) as screen:
        async with asyncio.TaskGroup() as group:
            group.create_task(shown.run())
            while True:
                screen.update(live(shown.state), refresh=True)
                await asyncio.sleep(1)
