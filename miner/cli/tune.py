"""`miner tune`: find the fastest kernel shape of each GPU and remember it."""

import json
from dataclasses import asdict

import click

from miner.backends import registry
from miner.backends.base import Kind, OpenOptions, Tunable
from miner.errors import BackendUnavailable, MinerError
from miner.paths import cache_dir

SHOWN = ("name", "shape", "rate_hs", "single_rate_hs", "tried")


@click.command()
@click.argument("names", nargs=-1, metavar="[BACKEND]...")
@click.option("--seconds", type=click.FloatRange(0, 600), default=20.0, show_default=True,
              help="Time for each device; a shape that is being measured is finished.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def tune(names: tuple[str, ...], seconds: float, as_json: bool) -> None:
    """Find the fastest kernel shape of each GPU and remember it.

    BACKEND is a name as in `miner devices`, such as opencl:nvidia:0. Without one: every GPU, or
    when there is none, every device whose kernel has shapes.
    """
    options = OpenOptions(cache_dir(), progress)
    failures: list[MinerError] = []
    for name in names or chosen():
        try:
            won = provider(name).tune(name, options, seconds)
        except MinerError as error:
            failures.append(error)  # and on with the others
            continue
        if as_json:
            told = asdict(won)
            click.echo(json.dumps({key: told[key] for key in SHOWN}))
        else:
            path = "; so each version is hashed alone" if won.alone else ""
            click.echo(
                f"{won.name}  {won.rate_hs / 1e6:.1f} MH/s with {won.words}, "
                f"best of {won.tried}; one version alone {won.single_rate_hs / 1e6:.1f} MH/s{path}"
            )
    for failure in failures[:-1]:
        progress(str(failure))
    if failures:
        raise failures[-1]


def progress(line: str) -> None:
    click.echo(line, err=True)


def provider(name: str) -> Tunable:
    """Who tunes the device of a name. Raises BackendUnavailable."""
    found = registry.provider(name.partition(":")[0])
    if not isinstance(found, Tunable):
        raise BackendUnavailable(name, "its kernel has no shapes to tune; see `miner devices`")
    return found


def chosen() -> list[str]:
    """Every usable GPU; without one, every usable device that can be tuned."""
    tunable = [one for one in map(registry.provider, registry.families())
               if isinstance(one, Tunable)]  # fmt: skip
    rows = [row for one in tunable for row in one.probe()]
    usable = [row for row in rows if row.usable]
    if not usable:
        raise BackendUnavailable(registry.AUTO, "; ".join(row.why_not for row in rows))
    return [row.name for row in usable if row.kind is Kind.GPU] or [row.name for row in usable]
