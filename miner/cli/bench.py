"""`miner bench`: measure this computer; `miner bench compare`: two results side by side."""

import sys
from pathlib import Path

import click

from miner import baseline
from miner.errors import BackendFault, ConfigError
from miner.gap import arithmetic, economics, hardware, tables
from miner.measure import compare as comparing
from miner.measure import export, formats, result, screen, session, terminal
from miner.measure.bench import Plan
from miner.paths import cache_dir, config_dir, state_dir

INTERRUPTED = 130
ROLLING = {"on": (True,), "off": (False,), "both": (True, False)}


@click.group(invoke_without_command=True)
@click.option("--quick", is_flag=True, help="16 slices, about 20 s (the default).")
@click.option("--full", is_flag=True, help="30 slices, idle draw, thread scan, rolling on and off.")
@click.option("--samples", type=int, help="Slices of one second for each case.")
@click.option("--soak", metavar="TIME", help="One long run, 90s or 10m: clocks, heat, throttling.")
@click.option("--watts", type=float, help="Draw under load, read from a wall meter.")
@click.option("--threads", metavar="N,N", help="Thread counts to measure [all usable].")
@click.option("--rolling", type=click.Choice(list(ROLLING)), help="Versions in a work unit [on].")
@click.option(
    "--backend", "backends", multiple=True, metavar="NAME",
    help="auto, all, or a name of `miner devices`; repeat to interleave.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**32), default=1, help="Of the work [1].")
@click.option("--save", is_flag=True, help="Keep as what the live miner is expected to do.")
@click.option("--export", "target", type=Path, metavar="FILE", help=".json, .csv or .md")
@click.option("--verify", type=Path, metavar="FILE", help="Repeat a result's seed and compare.")
@click.pass_context
def bench(  # the signature is the option list
    ctx: click.Context,
    quick: bool,
    full: bool,
    samples: int | None,
    soak: str | None,
    watts: float | None,
    threads: str | None,
    rolling: str | None,
    backends: tuple[str, ...],
    seed: int,
    save: bool,
    target: Path | None,
    verify: Path | None,
) -> None:
    """Measure this computer's hashrate and energy, with its interval and how far to trust it."""
    if ctx.invoked_subcommand is not None:
        return
    if quick and full:
        raise ConfigError("--quick and --full exclude each other; leave one out")
    if target is not None and target.suffix.lower() not in export.FORMS:
        raise ConfigError(f"--export {target}: the name must end in {', '.join(export.FORMS)}")
    plan, mode = session.plan(full, samples, soak, seed)
    if verify is not None:
        _verify(verify, plan)
        return
    order = session.Order(
        plan=plan,
        mode=mode,
        names=backends,
        threads=session.threads(threads),
        rolling=ROLLING[rolling or ("both" if full else "on")],
        watts=watts,
    )
    _measure(order, target, save)


def _measure(order: session.Order, target: Path | None, save: bool) -> None:
    with screen.Screen() as shown:
        found = session.run(order, cache_dir(), shown.tell, shown.say, started=shown.started)
    _show(found)
    if target is not None:
        export.write(found, target)
        click.echo(f"written: {target}", err=True)
    if found.partial:
        sys.exit(INTERRUPTED)
    if save:
        path = baseline.save(session.baselines(found), state_dir())
        click.echo(f"expected rate saved: {path}", err=True)
    wrong = [case for case in found.cases if not case.gate.passed]
    if wrong:
        raise BackendFault(wrong[0].name, wrong[0].gate.why)


def _show(found: result.Result) -> None:
    out = terminal.console()
    out.print(screen.results(found))
    threads = screen.scaling(found)
    if threads is not None:
        out.print(threads)
    for text in screen.details(found):
        terminal.line(out, text)
    if found.best() is None:
        return
    network = arithmetic.network_from(economics.load(config_dir()))
    own = arithmetic.own_from(found)
    hope = arithmetic.prospect("", own.rate_hs, None, network)
    times = f"a block every {formats.span(hope.block_s)} on average"
    terminal.line(
        out,
        f"{tables.difficulty(network)}, mining alone: a share of difficulty 1 every "
        f"{formats.span(hope.share_s)}, {times}, chance a year {formats.chance(hope.chance_year)}",
    )
    best = arithmetic.best(hardware.load(config_dir()), "asic")
    times = formats.many(arithmetic.compare(own, "", best).times_rate)
    terminal.line(out, f"{best.name} ({best.released}) = {times} of this; more: miner gap")


def _verify(path: Path, plan: Plan) -> None:
    old = result.load(path)
    with screen.Screen() as shown:
        found = session.verify(old, cache_dir(), shown.tell, shown.say, plan)
    terminal.console().print(screen.checked(found))
    wrong = [one for one in found if one.digest.startswith("DIFFERENT")]
    if wrong:
        raise BackendFault(wrong[0].label, f"its digest is not that of {path}")


@bench.command()
@click.argument("old", type=Path)
@click.argument("new", type=Path)
@click.option("--cpu-time", is_flag=True, help="Hashes over CPU time: steadier on busy machines.")
def compare(old: Path, new: Path, cpu_time: bool) -> None:
    """Compare two results: ratio with interval, permutation test, one word a case."""
    found = comparing.compare(result.load(old), result.load(new), cpu_time)
    out = terminal.console()
    out.print(screen.compared(found))
    out.print(f"geometric mean of new/old: {found.geometric_mean:.4f}")
    for name, labels in (("old", found.only_old), ("new", found.only_new)):
        if labels:
            terminal.line(out, f"only in the {name} result: {', '.join(labels)}")
    if found.differences:
        out.print("the environments differ, so a difference may not be the program's:")
        for text in found.differences:
            terminal.line(out, f"  {text}")
