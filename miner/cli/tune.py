"""`miner tune`: find the fastest kernel shape of each OpenCL device and remember it."""

import json
from dataclasses import asdict

import click

from miner.backends import registry
from miner.backends.base import Kind
from miner.backends.opencl.drivers import FAMILY, check_drivers
from miner.errors import BackendUnavailable, MinerError
from miner.paths import cache_dir


@click.command()
@click.argument("names", nargs=-1, metavar="[BACKEND]...")
@click.option("--seconds", type=click.FloatRange(0, 600), default=20.0, show_default=True,
              help="Time for each device; a shape that is being measured is finished.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def tune(names: tuple[str, ...], seconds: float, as_json: bool) -> None:
    """Find the fastest kernel shape of each OpenCL device and remember it.

    BACKEND is a name as in `miner devices`, such as opencl:nvidia:0. Without one: every GPU, or
    when there is none, every OpenCL device.
    """
    check_drivers(names[0] if names else FAMILY)
    from miner.backends.opencl import tune as tuning  # loads the drivers

    failures: list[MinerError] = []
    for name in names or chosen():
        try:
            full, won = tuning.tune_named(name, cache_dir(), progress, seconds)
        except MinerError as error:
            failures.append(error)  # and on with the others
            continue
        if as_json:
            click.echo(json.dumps({"name": full, **asdict(won)}))
        else:
            path = "; so each version is hashed alone" if won.alone else ""
            click.echo(
                f"{full}  {won.rate_hs / 1e6:.1f} MH/s with {tuning.words(won.shape)}, "
                f"best of {won.tried}; one version alone {won.single_rate_hs / 1e6:.1f} MH/s{path}"
            )
    for failure in failures[:-1]:
        progress(str(failure))
    if failures:
        raise failures[-1]


def progress(line: str) -> None:
    click.echo(line, err=True)


def chosen() -> list[str]:
    """Every usable GPU; without one, every usable OpenCL device."""
    rows = registry.provider(FAMILY).probe()
    usable = [row for row in rows if row.usable]
    if not usable:
        raise BackendUnavailable(FAMILY, "; ".join(row.why_not for row in rows))
    return [row.name for row in usable if row.kind is Kind.GPU] or [row.name for row in usable]
