"""How far a rate may be trusted, in a word, with a guessed cause and advice."""

from collections.abc import Mapping
from dataclasses import dataclass

from miner.bench import stats

NOISY = 0.03  # sd / median
DRIFT = 0.03  # Theil-Sen slope over the whole run / median
OUTLIERS = 0.10  # share of slices
CLOCK_DROP = 0.05  # last third against first third
STEAL = 0.01  # of one CPU's time
SHORT_OF_CPU = 0.03  # of the time our threads could have had


@dataclass(frozen=True, slots=True)
class Verdict:
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
) -> Verdict:
    """Worst cause first: throttled, shared machine, drifting, interrupted, noisy, too short.

    `counters`: what moved during the slices; `seconds` is their length, `cpu_s` the CPU time we
    got, of `cpus` that the threads could fill. They say nothing about a GPU's rate (batch "gpu").
    """
    if not rates:
        return Verdict("not measured", ("no slice was finished",))
    found = [*_machine(clocks_mhz, counters, cpus)] if batch == "cpu" else []
    if len(rates) >= stats.MIN_FOR_INTERVAL:
        found += _series(rates)
    else:
        found.append(
            ("too short", f"{len(rates)} slices, fewer than 8: no interval; raise --samples")
        )
    if not found:
        return Verdict("steady", ())
    return Verdict(found[0][0], tuple(reason for _, reason in found))


def _machine(
    clocks: list[float], counters: Mapping[str, float], cpus: int
) -> list[tuple[str, str]]:
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
    got = counters.get("cpu_s", 0) / (seconds * cpus) if seconds else 0
    if 0 < got < 1 - SHORT_OF_CPU:
        found.append(
            ("shared machine", f"we got {got:.0%} of {cpus} CPU: other programs took the rest")
        )
    if counters.get("quota_stops", 0) > 0:
        found.append(
            ("shared machine", "the container's CPU quota stopped us: use fewer --threads")
        )
    return found


def _series(rates: list[float]) -> list[tuple[str, str]]:
    found = []
    summary = stats.summarize(rates, 0)
    drift = stats.theil_sen(rates) * (len(rates) - 1) / summary.median
    if abs(drift) > DRIFT:
        cause = "heat or a falling clock" if drift < 0 else "a rising clock or a load that ended"
        found.append(("drifting", f"{drift:+.1%} over the run, {cause}: try --soak 10m"))
    share = sum(stats.outliers(rates)) / len(rates)
    if share > OUTLIERS:
        found.append(
            ("interrupted", f"{share:.0%} of the slices are far off: another process was at work")
        )
    if summary.relative_sd > NOISY:
        found.append(
            (
                "noisy",
                f"slices vary by {summary.relative_sd:.1%}: other load; stop it or raise --samples",
            )
        )
    return found
