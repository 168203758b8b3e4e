"""`miner bench`: measure this computer's hashrate and energy."""

import shlex
import sys
import tempfile
from pathlib import Path

import click

from miner import baseline, units
from miner.cli import compare as comparing
from miner.cli.submit import submit
from miner.cli.verify import verify as verify_command
from miner.devices import energy
from miner.errors import BackendFault, ConfigError
from miner.files import private_dir
from miner.gap import arithmetic, economics, hardware, tables
from miner.measure import (
    compare,
    export,
    proof,
    result,
    runs,
    screen,
    seedblock,
    session,
    stats,
    store,
    terminal,
)
from miner.measure.bench import Plan
from miner.paths import cache_dir, config_dir, state_dir

INTERRUPTED = 130
MOST_RUNS = 100
ROLLING = {"on": (True,), "off": (False,), "both": (True, False)}


@click.group(invoke_without_command=True)
@click.option("--quick", is_flag=True, help="16 slices, about 20 s (the default).")
@click.option("--full", is_flag=True, help="30 slices, idle draw, thread scan, rolling on and off.")
@click.option("--samples", type=int, help="Slices of one second for each case.")
@click.option("--soak", metavar="TIME", help="One long run: 10m, or steady: until it has settled.")
@click.option("--runs", type=int, metavar="N", help="N runs, each in a process of its own.")
@click.option("--against", metavar="CMD", help="Another build's miner: take turns, then compare.")
@click.option("--fail-below", type=float, metavar="R", help="Exit 1 if new/old is surely below R.")
@click.option("--json", "as_json", is_flag=True, help="The comparison as one JSON object.")
@click.option("--watts", type=float, help="Draw under load, read from a wall meter.")
@click.option("--threads", metavar="N,N", help="Thread counts to measure [all usable].")
@click.option(
    "--rolling", type=click.Choice(list(ROLLING)), help="Roll versions as mining does [on]."
)
@click.option(
    "--backend", "backends", multiple=True, metavar="NAME",
    help="auto, all, or a name of `miner devices`; repeat to take turns.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**32), default=1, help="Same seed, same work [1].")
@click.option("--seed-block", metavar="HASH", help="A recent block: proves the work newer.")
@click.option("--node", metavar="URL", help="Take the tip of this node as the seed block.")
@click.option("--cookie", type=Path, metavar="FILE", help="The node's .cookie file.")
@click.option("--save", is_flag=True, help="Keep as the rate the live miner is held against.")
@click.option("--export", "target", type=Path, metavar="FILE", help=".json, .csv or .md")
@click.option("--verify", type=Path, metavar="FILE", help="Measure again what a result tells of.")
@click.pass_context
def bench(  # the signature is the option list
    ctx: click.Context,
    quick: bool,
    full: bool,
    samples: int | None,
    soak: str | None,
    runs: int | None,
    against: str | None,
    fail_below: float | None,
    as_json: bool,
    watts: float | None,
    threads: str | None,
    rolling: str | None,
    backends: tuple[str, ...],
    seed: int,
    seed_block: str | None,
    node: str | None,
    cookie: Path | None,
    save: bool,
    target: Path | None,
    verify: Path | None,
) -> None:
    """Measure this computer's hashrate and energy, with its interval and how far to trust it."""
    if ctx.invoked_subcommand is not None:
        return
    if quick and full:
        raise ConfigError("--quick and --full exclude each other; leave one out")
    comparing.check_ratio(fail_below)
    if (fail_below is not None or as_json) and against is None:
        raise ConfigError("--fail-below and --json are for two builds: name one with --against")
    if watts is not None:
        energy.Given(watts)  # raises for a wrong one, before minutes of measuring
    if target is not None:
        export.check_target(target, export.FORMS, "--export")
    if save:
        _check_state()
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
        seed_block=_seed_block(seed_block, node, cookie),
    )
    if runs is None and against is None:
        _measure(order, target, save)
        return
    if save:
        raise ConfigError("--save keeps one run's result; leave out --runs and --against")
    _many(ctx, runs, against, target, order)


def _check_state() -> None:
    """Can the expected rate be kept? Asked before minutes of measuring."""
    try:
        export.check_target(private_dir(state_dir()) / baseline.FILE, (".json",), "--save:")
    except OSError as error:
        raise ConfigError(f"--save: {state_dir()} cannot be written: {error.strerror}") from error


def _seed_block(
    text: str | None, node: str | None, cookie: Path | None
) -> tuple[str | None, str | None]:
    if text is not None and node is not None:
        raise ConfigError("--seed-block and --node exclude each other; leave one out")
    if node is not None:
        return seedblock.from_node(node, cookie)
    return proof.parse_seed_block(text) if text is not None else (None, None)


def _many(  # the parts of an order that its runs are told
    ctx: click.Context,
    count: int | None,
    against: str | None,
    target: Path | None,
    order: session.Order,
) -> None:
    least = stats.MIN_RUNS if against else 1
    count = count if count is not None else stats.MIN_RUNS
    if not least <= count <= MOST_RUNS:
        raise ConfigError(f"--runs {count} is not between {least} and {MOST_RUNS}")
    if target is not None and target.suffix.lower() != ".json":
        raise ConfigError(f"--export {target}: several runs are kept as .json files")
    options = _words(ctx, order)
    with tempfile.TemporaryDirectory(prefix="homehash-") as folder:
        base = target or Path(folder) / "run.json"
        sides = [
            runs.Side(
                "new" if against else "",
                runs.THIS,
                runs.files(base, "new" if against else "", count),
            )
        ]
        if against:
            old = runs.Side("old", _command(against), runs.files(base, "old", count))
            sides.insert(0, old)
        for path in (path for side in sides for path in side.files):
            export.check_target(path, (".json",), "--export")
        runs.measure(sides, options, lambda text: click.echo(text, err=True))
        if against:
            found = compare.compare(runs.load(sides[0]), runs.load(sides[1]))
            comparing.show(found, ctx.params["as_json"])
            comparing.fail(found, ctx.params["fail_below"])
        else:
            terminal.console().print(screen.several(runs.load(sides[0])))
    if target is not None:
        click.echo(
            f"written: {', '.join(str(path) for side in sides for path in side.files)}", err=True
        )


def _command(text: str) -> tuple[str, ...]:
    """The words that start another build's miner. Raises ConfigError."""
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise ConfigError(f"--against {text!r}: {error}") from error
    if not words:
        raise ConfigError("--against is empty, want the other build's miner: /old/.venv/bin/miner")
    return words


def _words(ctx: click.Context, order: session.Order) -> list[str]:
    """The options as typed, for every run; what is ours alone is left out."""
    words: list[str] = []
    for name in ("quick", "full"):
        if ctx.params[name]:
            words.append(f"--{name}")
    for name in ("samples", "soak", "watts", "threads", "rolling", "seed"):
        if ctx.params[name] is not None:
            words += [f"--{name}", str(ctx.params[name])]
    for name in ctx.params["backends"]:
        words += ["--backend", name]
    block = order.seed_block[1] or order.seed_block[0]
    return words + (["--seed-block", block] if block else [])


def _measure(order: session.Order, target: Path | None, save: bool) -> None:
    with screen.Screen() as shown:
        found = session.run(order, cache_dir(), shown.tell, shown.say, started=shown.started)
    lost = None
    if target is not None:  # before it is printed: a closed pipe must not cost the result
        try:
            export.write(found, target)
            click.echo(f"written: {target}", err=True)
        except ConfigError as error:  # nor must a full disk cost its figures
            lost = error
    _show(found)
    if lost is not None:
        raise lost
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
    terminal.line(
        out,
        f"{tables.difficulty(network)}: mining alone at this rate ({own.length}) finds a share of "
        f"difficulty 1 every {units.span(hope.share_s)} and a block every "
        f"{units.span(hope.block_s)} on average; chance of a block in a year: "
        f"{units.chance(hope.chance_year)}",
    )
    best = arithmetic.best(hardware.load(config_dir()), "asic")
    times = units.many(arithmetic.compare(own, "", best).times_rate)
    terminal.line(
        out, f"{best.name} ({best.released}) hashes as fast as {times} of this; more: miner gap"
    )


def _verify(path: Path, plan: Plan) -> None:
    old = store.load(path)
    proof.refuse_forged(old, str(path))
    with screen.Screen() as shown:
        found = session.verify(old, cache_dir(), shown.tell, shown.say, plan)
    terminal.console().print(screen.checked(found))
    wrong = [one for one in found if one.digest.startswith("DIFFERENT")]
    if wrong:
        why = f"it found other hits than {path} tells of: one of the two computers is wrong"
        raise BackendFault(wrong[0].label, f"{why}; check this one with miner devices --check NAME")


bench.add_command(comparing.compare)
bench.add_command(verify_command)
bench.add_command(submit)
