"""`miner doctor`: what would stop mining here, each with one remedy."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from miner.cli.mine import add_asked_password, hide_passwords
from miner.cli.options import SOURCE, options
from miner.doctor import Finding, Outcome, examine
from miner.run import config as settings

STYLES = {Outcome.PASS: "green", Outcome.WARN: "yellow", Outcome.FAIL: "bold red"}


@click.command()
@options(SOURCE)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--config", "-c", metavar="FILE", help="Settings; default: config.toml.")
def doctor(as_json: bool, config: str | None, ask_password: bool, **flags: Any) -> None:
    """Check install, devices, disk, and the node or pool named as for `miner mine`.

    Each line passes, warns or fails; warnings and failures name one remedy. Exit code 1 when a
    check failed. Without --node and --pool the own node is looked at.
    """
    hide_passwords(flags)
    if ask_password:
        add_asked_password(flags)
    checked = settings.load(flags, os.environ, None if config is None else Path(config))
    console = Console(highlight=False, soft_wrap=True)
    worst = False
    for finding in examine(checked):
        worst = worst or finding.outcome is Outcome.FAIL
        if as_json:
            click.echo(json.dumps(as_object(finding)))
        else:
            console.print(as_line(finding))
    sys.exit(1 if worst else 0)


def as_object(finding: Finding) -> dict[str, str]:
    return {
        "check": finding.check,
        "outcome": finding.outcome.value,
        "text": finding.text,
        "remedy": finding.remedy,
    }


def as_line(finding: Finding) -> Text:
    """Plain when piped; rich leaves colours out by itself."""
    line = Text()
    line.append(f"{finding.outcome.value:5}", STYLES[finding.outcome])
    line.append(f"{finding.check:10} {finding.text}")
    if finding.remedy:
        line.append(f" -> {finding.remedy}", "italic")
    return line
