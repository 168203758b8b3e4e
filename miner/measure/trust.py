"""How far a rate may be trusted, in a word, with a guessed cause and advice."""

from collections.abc import Mapping
from dataclasses import dataclass

from miner.measure import stats

NOISY = 0.03  # sd / median
DRIFT = 0.03  # Theil-Sen slope over the whole run / median
OUTLIERS = 0.10  # share of slices
CLOCK_DROP = 0.05  # last third against first third
STEAL = 0.01  # of one CPU's time
SHORT_OF_CPU = 0.03  # of the time our threads could have had


@dataclass(frozen=True, slots=True)
class Trust:
    """`word` is steady, or what to worry about first; one reason for each finding."""

    word: str
    reasons: tuple[str, ...]

    @property
    def steady(self) -> bool:
        return self.word == "steady"


def judge(
    rates: list[float],
    clocks_mhz: list[float],
    counters: Mapping[str, float],
    batch: str,
    cpus: int = 1,
) -> Trust:
    """Worst cause first: throttled, shared machine, drifting, interrupted, noisy, too short.

    `counters`: what moved during the slices; `seconds` is their length, `cpu_s` the CPU time we
    got, of `cpus` that the threads could fill. They say nothing about a GPU's rate (batch "gpu").
    """
    if not rates:
        return Trust("not measured", ("no slice was finished",))
    got = _cpu_share(counters, cpus) if batch == "cpu" else 1.0
    found = [*_machine(clocks_mhz, counters)] if batch == "cpu" else []
    if got < 1 - SHORT_OF_CPU:
        cpu = f"{cpus} CPUs" if cpus > 1 else "a CPU"
        found.append(("shared machine", f"we got {got:.0%} of {cpu}, others the rest"))
    if len(rates) >= stats.MIN_FOR_INTERVAL:
        found += _series(rates, busy=bool(found))
    else:
        found.append(
            ("too short", f"{len(rates)} slices, fewer than 8: no interval; raise --samples")
        )
    if not found:
        return Trust("steady", ())
    return Trust(found[0][0], tuple(reason for _, reason in found))


def _cpu_share(counters: Mapping[str, float], cpus: int) -> float:
    """CPU time we got over what the threads could have had; 1 when it was not counted."""
    possible = counters.get("seconds", 0) * cpus
    return counters.get("cpu_s", possible) / possible if possible else 1.0


def _machine(clocks: list[float], counters: Mapping[str, float]) -> list[tuple[str, str]]:
    found = []
    if counters.get("throttles", 0) > 0:
        found.append(
            ("throttled", f"{counters['throttles']:.0f} thermal throttle events: cool it, or soak")
        )
    third = len(clocks) // 3
    if third:
        first, last = sum(clocks[:third]) / third, sum(clocks[-third:]) / third
        if last < (1 - CLOCK_DROP) * first:
            found.append(("throttled", f"clock fell from {first:.0f} to {last:.0f} MHz"))
    seconds = counters.get("seconds", 0)
    if seconds and counters.get("steal_s", 0) > STEAL * seconds:
        share = counters["steal_s"] / seconds
        found.append(
            ("shared machine", f"the hypervisor took {share:.0%} of a CPU for other guests")
        )
    if counters.get("quota_stops", 0) > 0:
        found.append(
            ("shared machine", "the container's CPU quota stopped us: use fewer --threads")
        )
    return found


def _series(rates: list[float], busy: bool) -> list[tuple[str, str]]:
    """What the rates themselves show; `busy`: the cause is known already."""
    found = []
    summary = stats.summarize(rates, 0)
    drift = stats.theil_sen(rates) * (len(rates) - 1) / summary.median
    if abs(drift) > DRIFT:
        cause = (
            ": heat or a falling clock?" if drift < 0 else ": a rising clock, a load that ended?"
        )
        found.append(("drifting", f"{drift:+.1%} over the run{'' if busy else cause}"))
    share = sum(stats.outliers(rates)) / len(rates)
    if share > OUTLIERS:
        found.append(
            ("interrupted", f"{share:.0%} of the slices are far off: another process was at work")
        )
    if summary.relative_sd > NOISY:
        advice = "" if busy else ": other load; stop it or raise --samples"
        found.append(("noisy", f"slices vary by {summary.relative_sd:.1%}{advice}"))
    return found
