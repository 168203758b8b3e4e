"""`miner gap`: this computer beside seventeen years of mining hardware, per second and joule."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from miner.devices import energy
from miner.errors import ConfigError
from miner.gap import arithmetic, collection, economics, hardware, screen, tables, twogaps
from miner.gap import site as pages
from miner.measure import export, proof, result, session, store
from miner.measure.screen import Screen
from miner.paths import cache_dir, config_dir

if TYPE_CHECKING:  # matplotlib is asked for only when something is drawn
    from miner.gap.essay import Findings

INTERRUPTED = 130
LIMITS = {  # what a figure can be, with room on both sides
    "--difficulty": (1e-10, 1e25),
    "--price": (1e-6, 1e12),
    "--hashprice": (1e-9, 1e12),
    "--tokens": (1e-3, 1e9),
    "--tokens-watts": (1e-3, 1e6),
}


@click.group(invoke_without_command=True)
@click.option(
    "--from", "source", type=Path, metavar="FILE", help="A result of miner bench [measure now]."
)
@click.option("--plot", type=Path, metavar="FILE", help="Pictures, .png or .svg, named after it.")
@click.option("--html", "page", type=Path, metavar="FILE", help="One page to hand out.")
@click.option("--watts", type=float, help="Draw under load, read from a wall meter.")
@click.option("--difficulty", type=float, help="Of the network, instead of the dated one.")
@click.option("--price", type=float, metavar="USD", help="Of a bitcoin.")
@click.option("--hashprice", type=float, metavar="USD", help="What hashes earn, per PH/s and day.")
@click.option("--tariff", metavar="T", help='0.30, "0.30 EUR" per kWh, or a preset\'s name.')
@click.option("--tokens", type=float, metavar="N", help="Own tokens/s: LLaMA-3 8B, 4 bit, alone.")
@click.option("--tokens-watts", type=float, metavar="W", help="Own draw while it answers so.")
@click.option("--backend", "backends", multiple=True, metavar="NAME", help="What to measure now.")
@click.option("--soak", metavar="TIME", help="Measure now, for so long: 10m, or steady.")
@click.pass_context
def gap(  # the signature is the option list
    ctx: click.Context,
    source: Path | None,
    plot: Path | None,
    page: Path | None,
    watts: float | None,
    difficulty: float | None,
    price: float | None,
    hashprice: float | None,
    tariff: str | None,
    tokens: float | None,
    tokens_watts: float | None,
    backends: tuple[str, ...],
    soak: str | None,
) -> None:
    """How far is this computer from an ASIC: per second, per joule, per coin?"""
    if ctx.invoked_subcommand is not None:
        return
    table, known = hardware.load(config_dir()), economics.load(config_dir())
    network = arithmetic.network_from(
        known,
        _given("--difficulty", difficulty, "1"),
        _given("--price", price, "USD/BTC"),
        _given("--hashprice", hashprice, "USD/(PH/s)/day"),
        economics.tariff(known, tariff) if tariff else None,
    )
    _given("--tokens", tokens, "tokens/s")
    _given("--tokens-watts", tokens_watts, "W")
    if tokens_watts is not None and tokens is None:
        raise ConfigError("--tokens-watts wants the rate at that draw: --tokens N")
    if watts is not None:
        energy.Given(watts)  # raises for a wrong one, before it is measured
    if source is not None and (backends or soak):
        raise ConfigError("--from takes what was measured: leave out --backend and --soak")
    _check_targets(plot, page)
    found = _load(source) if source else _measure(backends, watts, soak)
    own = arithmetic.own_from(found, watts)
    bars = twogaps.bars(own, table, known, tokens, tokens_watts)
    shown = tables.every(own, table, known, network, bars)
    screen.show_sheets(shown, [twogaps.sentence(bars, own.missing), twogaps.coverage(known)])
    if found.partial:
        click.echo("interrupted: these are partial results")
    if plot is not None or page is not None:
        from miner.gap import essay

        proven = collection.shipped()
        _draw(plot, page, essay.Findings(found, own, table, known, network, shown, bars, proven))
    if source is None and found.partial:
        sys.exit(INTERRUPTED)


def _load(source: Path) -> result.Result:
    """A result that its own shares do not contradict. Raises ConfigError."""
    found = store.load(source)
    proof.refuse_forged(found, str(source))
    return found


def _draw(plot: Path | None, page: Path | None, found: "Findings") -> None:
    from miner.gap import drawing, essay

    if plot is not None:
        for path in drawing.save(essay.draw(found), plot):
            click.echo(f"written: {path}", err=True)
    if page is not None:
        try:
            page.write_text(essay.page(found), "utf-8")
        except OSError as error:
            raise ConfigError(f"{page} cannot be written: {error}") from error
        click.echo(f"written: {page}", err=True)


def _check_targets(plot: Path | None, page: Path | None) -> None:
    """Before twenty seconds of measuring, not after. Raises ConfigError."""
    if plot is None and page is None:
        return
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"pictures need matplotlib ({error}): .venv/bin/pip install '.[plots]'"
        ) from error
    if plot is not None:
        from miner.gap import drawing, essay

        for file in drawing.targets(essay.NAMES, plot):
            export.check_target(file, (".png", ".svg"), "--plot")
    if page is not None:
        export.check_target(page, (page.suffix.lower(),), "--html")


def _given(option: str, value: float | None, unit: str) -> economics.Figure | None:
    """What was typed in, if it is of this world. Raises ConfigError."""
    if value is None:
        return None
    low, high = LIMITS[option]
    if not low <= value <= high:
        raise ConfigError(f"{option} {value:g} is not between {low:g} and {high:g}")
    return economics.given(option.strip("-"), value, unit)


def _measure(backends: tuple[str, ...], watts: float | None, soak: str | None) -> result.Result:
    plan, mode = session.plan(False, None, soak, 1)
    with Screen() as shown:
        order = session.Order(plan, mode, names=backends, watts=watts)
        return session.run(order, cache_dir(), shown.tell, shown.say, started=shown.started)


@gap.command()
@click.argument("folder", type=Path, metavar="DIR")
@click.argument("out", type=Path)
def site(folder: Path, out: Path) -> None:
    """Make a static site in OUT of the result files below DIR (see miner bench submit)."""
    entries, refused = collection.read(folder, out / pages.FILES)
    for reason in refused:
        click.echo(f"left out: {reason}", err=True)
    click.echo(pages.write(entries, refused, out))
