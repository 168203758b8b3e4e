"""`miner grind`: the nonce of one header, in place of `bitcoin-util grind`."""

import sys
import time

import click

from miner.backends import registry
from miner.backends.base import OpenOptions
from miner.bitcoin.encoding import from_hex
from miner.bitcoin.header import HEADER_BYTES, Header
from miner.bitcoin.target import expected_hashes
from miner.engine.grind import Grinder
from miner.errors import MinerError
from miner.paths import cache_dir

SHOW_S = 1.0  # between two lines of progress on a terminal


@click.command()
@click.argument("header_hex")
@click.option("--backend", "backends", multiple=True, help="As for mine; default: auto.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU workers; default: every core.")
def grind(header_hex: str, backends: tuple[str, ...], threads: int | None) -> None:
    """Find a nonce for HEADER_HEX (80 bytes as 160 hex digits) and print the solved header.

    Only the nonce changes, and all 2^32 are tried. Exit 1 when none fits. For a custom signet:
    contrib/signet/miner generate --grind-cmd="miner grind" ...
    """
    try:
        header = Header.parse(from_hex(header_hex.strip(), HEADER_BYTES))
    except ValueError as error:
        raise click.BadParameter(f"{error}", param_hint="HEADER_HEX") from error
    try:
        solved = search(header, backends, threads)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        sys.exit(130)
    if solved is None:
        raise MinerError("none of the 2^32 nonces meets the target; change the header's time")
    click.echo(solved.pack().hex())


def search(header: Header, names: tuple[str, ...], threads: int | None) -> Header | None:
    """Open the devices, search, close them; progress on stderr when that is a terminal."""
    terminal = sys.stderr.isatty()
    options = OpenOptions(cache_dir(), say if terminal else lambda _: None)
    opened = registry.open_choice(names, threads, options)
    try:
        grinder = Grinder(header, opened)
        return grinder.run(Progress(grinder)) if terminal else grinder.run()
    finally:
        for backend in opened:
            backend.close()


def say(text: str) -> None:
    click.echo(text, err=True)


class Progress:
    """Prints at most one line a second while the search goes on."""

    def __init__(self, grinder: Grinder) -> None:
        self._grinder, self._begun = grinder, time.monotonic()
        self._shown = self._begun
        self._expected = float(expected_hashes(grinder.target))

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self._shown < SHOW_S:
            return
        self._shown = now
        hashes = self._grinder.hashes
        rate = hashes / (now - self._begun)
        text = f"{hashes / 1e6:,.0f} MH tested, {rate / 1e6:,.1f} MH/s, about "
        say(f"{text}{self._expected / 1e6:,.0f} MH expected")
