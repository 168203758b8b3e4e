"""From the user's wishes to a finished result: cases, meters, environment, verification."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psutil

from miner import __version__, units
from miner.backends import registry
from miner.backends.base import Backend, Kind
from miner.baseline import Baseline
from miner.devices import cpu, energy
from miner.devices.gpu import load_nvml
from miner.errors import BackendUnavailable, ConfigError
from miner.measure import cases, environment, perf, stats
from miner.measure.bench import Bench, Plan, Progress
from miner.measure.compare import CANNOT_TELL, choose_basis, word
from miner.measure.result import WALL, CaseResult, Result

QUICK = Plan(samples=16, slice_s=1.0, warmup_s=3.0)
FULL = Plan(samples=30, slice_s=1.0, warmup_s=5.0, idle_s=30.0)
MOVED = ("throttled", "clock fell", "clock rose", "drifting")
STEADY, MOST_STEADY = "steady", 1800  # half an hour is enough for any cooler
MOST_SAMPLES = 100_000  # more than a day of slices is a mistake

Say = Callable[[str], None]
Tell = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What to measure. Empty names = auto, empty threads = all usable (--full: a scan)."""

    plan: Plan
    mode: str  # quick, full, soak
    names: tuple[str, ...] = ()
    threads: tuple[int, ...] = ()
    rolling: tuple[bool, ...] = (True,)
    watts: float | None = None
    seed_block: tuple[str | None, str | None] = (None, None)  # hash, header; both in hex


def seconds(text: str) -> float:
    """90s, 10m, 1.5h -> seconds. Raises ConfigError."""
    try:
        length = units.seconds_of(text)
    except ValueError:
        length = 0.0
    if length <= 0:
        raise ConfigError(f"duration {text!r} is not like 90s, 10m or 1h")
    return length


def threads(text: str | None) -> tuple[int, ...]:
    """1,2,4 -> numbers. Raises ConfigError."""
    if not text:
        return ()
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and 0 < int(part) <= 1024 for part in parts):
        raise ConfigError(f"--threads {text!r} is not a list like 1,2,4 of numbers from 1 to 1024")
    return tuple(dict.fromkeys(int(part) for part in parts))


def plan(full: bool, samples: int | None, soak: str | None, seed: int) -> tuple[Plan, str]:
    """The plan and its name. Raises ConfigError for a run of no length."""
    base = replace(FULL if full else QUICK, seed=seed)
    if soak == STEADY:
        return replace(base, samples=MOST_STEADY, until_steady=True), "soak"
    if soak is not None:
        samples = round(seconds(soak) / base.slice_s)
    elif samples is None:
        samples = base.samples
    if not 1 <= samples <= MOST_SAMPLES:
        raise ConfigError(f"{samples} slices is not between 1 and {MOST_SAMPLES}")
    return replace(base, samples=samples), "soak" if soak else "full" if full else "quick"


def card(backend: Backend) -> tuple[bool, frozenset[str]]:
    """Is its device a graphics card, and at which PCI address, where the driver tells?"""
    info = backend.info
    return info.kind is Kind.GPU, frozenset({info.bus} - {""})


class Meters:
    """One energy meter for CPUs and one for each graphics card, opened when first asked for."""

    def __init__(self, root: Path, watts: float | None, say: Say) -> None:
        self._root, self._say = root, say
        self._given = energy.Given(watts) if watts is not None else None
        self._found: dict[tuple[bool, frozenset[str]], energy.Meter | None] = {}

    def get(self, backend: Backend) -> energy.Meter | None:
        if self._given:
            return self._given
        device = gpu, buses = card(backend)
        if device not in self._found:
            nvml = load_nvml() if gpu else None
            meter, passed = energy.find(gpu, self._root / "sys", nvml, buses)
            self._found[device] = meter
            for reason in passed if meter is None else ():
                self._say(f"no energy measured: {reason}")
            if meter is None:
                self._say("for joules from a wall meter, repeat with --watts W")
        return self._found[device]

    def close(self) -> None:
        for meter in self._found.values():
            if meter:
                meter.close()


def run(
    order: Order, cache: Path, tell: Tell, say: Say, root: Path = Path("/"),
    started: Callable[[Result], None] = lambda result: None,
) -> Result:  # fmt: skip
    """Measure. `started` gets the result before it grows. Ctrl-C gives a partial result.

    Raises BackendUnavailable, ConfigError.
    """
    found = environment.collect(root)
    if why := perf.why_not():
        say(why)
    rows = registry.probe_all(for_auto=cases.ALL not in order.names, named=order.names)
    found["devices"] = {row.name: row.detail for row in rows if row.usable}
    for sentence in environment.advice(found):
        say(sentence)
    result = Result(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        version=__version__,
        commit=found["commit"],
        environment=found,
        seed=order.plan.seed,
        mode=order.mode,
        seed_block=order.seed_block[0],
        seed_header=order.seed_block[1],
    )
    started(result)
    meters = Meters(root, order.watts, say)
    bench = Bench(order.plan, result, root, tell, meters.get)
    try:
        for case in build(order, cache, say):
            bench.add(case, cache)
    except KeyboardInterrupt:
        result.partial = True
    try:
        bench.run()
    finally:
        meters.close()
    return result


def build(order: Order, cache: Path, say: Say) -> list[cases.Case]:
    """The matrix of an order."""
    names = cases.choose_names(list(order.names), cache, say)
    rows = registry.probe_all(for_auto=cases.ALL not in order.names, named=order.names)
    usable = cpu.usable_threads()
    counts = list(order.threads) or [usable]
    if order.mode == "full" and not order.threads:
        counts = cases.thread_scan(usable, psutil.cpu_count(logical=False))
    return cases.build(
        names, counts, list(order.rolling), lambda name: cases.is_parallel(name, rows)
    )


def baselines(result: Result) -> list[Baseline]:
    """What `--save` keeps: every valid case, by its sustained rate where it has one.

    Raises ConfigError for a partial result, and for a rate that is no expectation.
    """
    if result.partial:
        raise ConfigError("a partial result is not saved as a baseline; let the run finish")
    kept = []
    for case in result.cases:
        if case.summary(result.seed) is None:
            continue
        _worth_keeping(case)
        found = stats.summarize(case.later(), result.seed)
        low, high = found.ci95 or (found.median, found.median)
        model = str(result.environment.get("cpu"))
        kept.append(
            Baseline(
                case.name, case.threads, case.versions, found.median, low, high,
                result.created, model,
            )
        )  # fmt: skip
    return kept


def _worth_keeping(case: CaseResult) -> None:
    """A rate that others or heat have spoilt is no expectation. Raises ConfigError."""
    trust = case.trust()
    if trust.word in MOVED:
        raise ConfigError(
            f"{case.label} is not saved: {trust.reasons[0]}; measure the sustained rate: --soak 10m"
        )
    if trust.disturbed and case.basis == WALL:
        raise ConfigError(f"{case.label} is not saved: {trust.reasons[0]}; quiet the machine")


@dataclass(frozen=True, slots=True)
class Check:
    """One case of a file, repeated here."""

    label: str
    digest: str  # "same", "DIFFERENT" or why it could not be repeated
    word: str  # of the rate: same, faster ..., "" when not measured
    ratio: float | None


def verify(old: Result, cache: Path, tell: Tell, say: Say, plan: Plan = QUICK) -> list[Check]:
    """Repeat a file's seed: digests must agree exactly, rates statistically."""
    result = replace_cases(old)
    bench = Bench(replace(plan, seed=old.seed), result, Path("/"), tell, lambda backend: None)
    missing: dict[str, str] = {}
    for case in old.cases:
        try:
            bench.add(cases.Case(case.name, case.threads, case.versions > 1), cache)
        except BackendUnavailable as error:
            missing[case.name] = error.why
    bench.run()
    return [_check(case, result, missing) for case in old.cases]


def replace_cases(old: Result) -> Result:
    """The same result, with nothing measured yet."""
    return replace(old, cases=[])


def _check(case: CaseResult, new: Result, missing: dict[str, str]) -> Check:
    if case.name in missing:
        return Check(case.label, f"not here: {missing[case.name]}", "", None)
    again = next(
        (
            one
            for one in new.cases
            if (one.name, one.threads, one.versions) == (case.name, case.threads, case.versions)
        ),
        None,
    )
    if again is None:
        return Check(case.label, "DIFFERENT: it failed its self-test here", "", None)
    digest = "same" if again.gate.digest == case.gate.digest else "DIFFERENT"
    if not (again.slices and case.slices and again.gate.passed):
        return Check(case.label, digest, "", None)
    basis, rates, why = choose_basis([case, again])
    found = stats.compare([rates(case)], [rates(again)], new.seed)
    said = CANNOT_TELL if why else word(found.interval(), (1, 1))
    return Check(case.label, digest, f"{said} ({basis})", found.ratio)
