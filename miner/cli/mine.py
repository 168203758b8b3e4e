"""`miner mine`: on a pool, on your node, or on the built-in regtest node."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from miner.cli.another_python import go_on_with_node
from miner.cli.argv import hide_arguments
from miner.cli.options import BACKENDS, RUN, SOURCE, options
from miner.errors import ConfigError
from miner.run import config as settings

DUMMIES = ("x", "")  # customary where a pool asks for no password


@click.command()
@options(SOURCE, BACKENDS, RUN)
def mine(config: str | None, algo: str | None, ask_password: bool, **flags: Any) -> None:
    """Mine: on a pool, on your node, or on the built-in regtest node.

    Without --pool and --node an own regtest node is started: its blocks are judged by Bitcoin
    Core's consensus code. Every option can be set as MINER_NAME or in config.toml.
    """
    with signals_end_it():
        if algo not in (None, "sha256d"):
            raise click.UsageError(f"--algo {algo!r}: homehash hashes sha256d alone")
        hide_passwords(flags)
        if ask_password:
            add_asked_password(flags)
        checked = settings.load(flags, os.environ, None if config is None else Path(config))
        if checked.own_node:
            go_on_with_node()
        from miner.cli.session import mine_on  # after the checks: a wrong flag is answered at once

        mine_on(checked)


@contextmanager
def signals_end_it() -> Iterator[None]:
    """Until the run has handlers of its own nothing is open, and a signal may end us at once."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [(number, signal.signal(number, lambda *_: os._exit(0))) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def add_asked_password(flags: dict[str, Any]) -> None:
    """--ask-password. Raises ConfigError when the input ends before a word came."""
    try:
        word = click.prompt("Password", hide_input=True, err=True)
    except click.Abort:
        raise ConfigError(
            "--ask-password: no password came; without a terminal use MINER_PASSWORD or --pass-file"
        ) from None
    flags["password"] = (*flags["password"], word)


def hide_passwords(flags: dict[str, Any]) -> None:
    """Take passwords out of the process list, and say that arguments are a poor place for them."""
    given = list(flags["password"]) + [pair.partition(":")[2] for pair in flags["userpass"]]
    for url in (*flags["pool"], *flags["node"], flags["check_node"] or ""):
        login = url.partition("://")[2].rpartition("@")[0]
        given.append(login.partition(":")[2])
    if any(word not in DUMMIES for word in given):
        command = click.get_current_context().command
        hidden = hide_arguments([one for one in command.params if isinstance(one, click.Option)])
        click.echo(
            "a password on the command line stays in the shell's history"
            + ("" if hidden else ", and others can read it in the process list")
            + "; better: MINER_PASSWORD, --pass-file or --ask-password",
            err=True,
        )
