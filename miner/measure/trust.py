"""How far a rate may be trusted, in a word, with its cause as far as it was measured.

A rate is split in two: speed = hashes a CPU second (a GPU: a second the device worked), and share =
CPU seconds a second. Others lower the share, heat and clocks the speed, so the two are never taken
for each other; a cause that was not measured is not named.
"""

from dataclasses import dataclass, field

from miner import units
from miner.measure import stats

NOISY = 0.02  # sd / median of the speed
CHANGE = 0.02  # a smaller one is no cause for doubt
LEVEL = 0.02  # p below which speed is said to have changed
FULL = 0.97  # share of the CPUs above which nobody disturbed us
DIP, DIPS = 0.90, 0.10  # slices with a share below DIP: interrupted when more than DIPS of them
STEAL = 0.01  # of the CPU time we could have had
SHARED, INTERRUPTED = "shared machine", "interrupted"


@dataclass(frozen=True, slots=True)
class Observed:
    """What was measured in each slice; an empty list was not."""

    rates: list[float]  # hashes a second
    speeds: list[float] = field(default_factory=list)  # hashes a second of CPU or device time
    shares: list[float] = field(default_factory=list)  # of the CPU time the threads could have had
    clocks: list[float] = field(default_factory=list)  # MHz of the workers' CPUs, or of the GPU
    counted: bool = False  # are the clocks cycles that were counted?
    steal: list[float] = field(default_factory=list)  # seconds a CPU that the hypervisor took
    seconds: float = 0.0
    throttles: float = 0  # thermal throttle events
    quota_stops: float = 0
    card_heat: float = 0  # slices in which the graphics card says that heat held it back
    card_power_cap: float = 0
    cpus: int = 1
    gpu: bool = False


@dataclass(frozen=True, slots=True)
class Trust:
    """`word` is steady, or what to worry about first; one reason for each finding."""

    word: str
    reasons: tuple[str, ...]
    disturbed: bool = False  # others had a part of the machine: wall time counts theirs too
    words: tuple[str, ...] = ()  # one for each reason

    @property
    def steady(self) -> bool:
        return self.word == "steady"


def judge(seen: Observed) -> Trust:
    """Worst first: shared machine, interrupted, throttled, clock, drifting, noisy, too short."""
    if not seen.rates:
        return Trust("not measured", ("no slice was finished",))
    found = _others(seen)
    disturbed = bool(found)
    found += _held(seen)
    if len(seen.rates) >= stats.MIN_FOR_INTERVAL:
        found += _speed(seen, disturbed)
    else:
        found.append(
            ("too short", f"{len(seen.rates)} slices, fewer than 8: no interval; raise --samples")
        )
    if not found:
        return Trust("steady", ())
    words, reasons = zip(*found, strict=True)
    return Trust(words[0], reasons, disturbed, words)


Findings = list[tuple[str, str]]


def _others(seen: Observed) -> Findings:
    """What other programs, guests and quotas took."""
    found: Findings = []
    cpus = f"{seen.cpus} CPUs" if seen.cpus > 1 else "the CPU"
    if seen.quota_stops > 0:
        found.append((SHARED, "the container's CPU quota stopped us: use fewer --threads"))
    stolen = sum(seen.steal) / seen.seconds if seen.seconds else 0.0
    if stolen > STEAL:
        found.append(
            (SHARED, f"the hypervisor gave {units.percent(stolen)} of {cpus} to other guests")
        )
    if not seen.shares:
        return found
    mean = sum(seen.shares) / len(seen.shares)
    low = [share for share in seen.shares if share < DIP]
    if mean < FULL:
        found.append((SHARED, f"others took {units.percent(1 - mean)} of {cpus}"))
    elif len(low) > DIPS * len(seen.shares):
        took = 1 - min(low)
        found.append(
            (
                INTERRUPTED,
                f"in {len(low)} of {len(seen.shares)} slices others took up to "
                f"{units.percent(took)}",
            )
        )
    return found


def _held(seen: Observed) -> Findings:
    """What the hardware itself says of heat."""
    found: Findings = []
    if seen.throttles > 0:
        found.append(
            ("throttled", f"{seen.throttles:.0f} thermal throttle events: cool it, or soak")
        )
    if seen.card_heat > 0:
        found.append(("throttled", f"heat held the card back in {seen.card_heat:.0f} slices"))
    return found


def _speed(seen: Observed, disturbed: bool) -> Findings:
    """Change and scatter of what the device did while we had it."""
    found: Findings = []
    series = seen.speeds or seen.rates
    change = stats.change(series)
    moved = change.p < LEVEL and abs(change.size) > CHANGE
    if moved:
        found.append(_cause(seen, change, disturbed))
    relative = stats.relative_sd(series)
    if relative > NOISY and not moved:
        what = "hashes a CPU second vary" if seen.speeds and not seen.gpu else "slices vary"
        by = units.percent(relative, 1)
        found.append(("noisy", f"{what} by {by}: raise --samples, or quiet the machine"))
    return found


def _cause(seen: Observed, change: stats.Change, disturbed: bool) -> tuple[str, str]:
    """A change of speed: by the clock where the clock was read, else its cause is not known."""
    fell = "fell" if change.size < 0 else "rose"
    by = f"{fell} by {units.percent(abs(change.size))} (p {change.p:.2g})"
    unit = "a GPU second" if seen.gpu else "a CPU second"
    if len(seen.clocks) == len(seen.rates):
        clock = change.of(seen.clocks)
        if clock * change.size > 0 and abs(clock) > abs(change.size) / 2:
            how = "counted in cycles" if seen.counted else "as the system shows it"
            cap = "; its power cap held it" if seen.card_power_cap else ""
            its = units.percent(abs(clock))
            said = f"the clock {fell} by {its}, {how}{cap}; hashes {unit} {by}"
            return f"clock {fell}", said
        if seen.counted:
            return (
                "drifting",
                f"hashes {unit} {by}, the clock did not: memory, caches or a neighbour",
            )
    if not seen.speeds:
        return "drifting", f"the rate {by}; CPU time was not counted, so the cause is not known"
    near = ", while others had a part of it" if disturbed else ""
    return "drifting", f"hashes {unit} {by}{near}: clock, heat or a shared core; none was measured"
