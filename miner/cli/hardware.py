"""`miner hardware`: the dated table of machines that computed SHA-256d."""

import click

from miner import units
from miner.gap import csvfile, screen
from miner.gap import hardware as rows
from miner.paths import config_dir


@click.command()
@click.option("--kind", help=f"One of {', '.join(rows.KINDS)}.")
@click.option("--year", metavar="YYYY[-YYYY]", help="Of release or measurement.")
@click.option("--sort", default="released", help=f"One of {', '.join(rows.SORTS)} [released].")
def hardware(kind: str | None, year: str | None, sort: str) -> None:
    """List mining hardware of 2009 to today, each row with date, source and confidence."""
    found = rows.select(rows.load(config_dir()), kind, year, sort)
    screen.show_hardware([_cells(row) for row in found])
    click.echo(rows.BOUNDARY_SENTENCE, err=True)
    click.echo(f"your own rows: {config_dir() / 'hardware.csv'}", err=True)


def _cells(row: rows.HardwareRow) -> list[str]:
    marks = "own" if row.own else rows.CONFIDENCE[row.confidence]
    return [
        row.released,
        row.name,
        row.kind,
        units.rate(row.hashrate_hs),
        "n/a" if row.power_w is None else f"{units.significant(row.power_w, 3)} W",
        units.energy(row.j_per_th),
        marks + (", announced" if row.announced_only else ""),
        csvfile.place(row.source_url),
    ]
