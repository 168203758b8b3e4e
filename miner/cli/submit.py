"""`miner bench submit`: check a result and put it into a collection under its model's name."""

from pathlib import Path

import click

from miner.cli.verify import sentence
from miner.gap import collection


@click.command()
@click.argument("file", type=Path)
@click.argument("folder", type=Path, default=Path(), metavar="[DIR]")
def submit(file: Path, folder: Path) -> None:
    """Check gate, proof, trust and plausibility, then write FILE into DIR [here] by its model."""
    target, found = collection.submit(file, folder)
    click.echo(sentence(found.finding), err=True)
    click.echo("what the file tells of the machine (no host, user, path or address):", err=True)
    for text in collection.stays(found.result):
        click.echo(f"  {text}", err=True)
    click.echo(target)
