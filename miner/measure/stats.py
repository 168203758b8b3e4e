"""Statistics of slice rates: robust centre, correlated-sample interval, trend, tests, fits."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from miner.measure import exact

Floats = NDArray[np.float64]

RESAMPLES = 2000
MOST_NUMBERS = 1_000_000  # resampled at once: a soak of hours must not fill memory
MIN_FOR_INTERVAL = 8  # with fewer slices a bootstrap interval is decoration
METHOD = (
    "median of slice rates; 95 % interval by circular moving-block bootstrap, 2000 resamples, "
    "widened by Student's t for the number of blocks, never beyond the slices' range; it tells how "
    "this one run varied, not how the next run will differ"
)
RUNS_METHOD = (
    "a run's figure is the median of its slices; ratio of the geometric means of the runs; 95 % "
    "interval by Student's t over the logarithms, variance pooled, never below what the slices "
    "alone give"
)
NORMAL = math.inf  # degrees of freedom: Student's t is the normal distribution then


@dataclass(frozen=True, slots=True)
class Summary:
    """Of n rates in hashes per second; `ci95` is None with fewer than 8."""

    n: int
    median: float
    mean: float
    sd: float
    mad: float  # median absolute deviation, unscaled
    low: float
    high: float
    ci95: tuple[float, float] | None

    @property
    def relative_sd(self) -> float:
        return self.sd / self.median if self.median else 0.0


def summarize(rates: list[float], seed: int, interval: bool = True) -> Summary:
    """Raises ValueError without rates."""
    if not rates:
        raise ValueError("no slice was measured")
    values = np.asarray(rates, dtype=np.float64)
    median = float(np.median(values))
    return Summary(
        n=len(rates),
        median=median,
        mean=float(values.mean()),
        sd=float(values.std(ddof=1)) if len(rates) > 1 else 0.0,
        mad=float(np.median(np.abs(values - median))),
        low=float(values.min()),
        high=float(values.max()),
        ci95=_interval(values, seed) if interval and len(rates) >= MIN_FOR_INTERVAL else None,
    )


def centre(values: list[float]) -> float:
    """The median: what a run's slices come to."""
    return float(np.median(np.asarray(values, dtype=np.float64)))


def lag1(values: Floats) -> float:
    """Lag-1 autocorrelation; 0 for a constant series."""
    centred = values - values.mean()
    power = float(centred @ centred)
    return float(centred[1:] @ centred[:-1]) / power if power else 0.0


def block_length(values: Floats) -> int:
    """Slices a bootstrap block holds: n^(1/3) at least, more when neighbours are alike.

    The growth with correlation is the optimum for an AR(1) series (Carlstein 1986; Hall, Horowitz
    and Jing 1995); at most a third of the series, so that blocks can still be exchanged.
    """
    n = len(values)
    rho = min(max(lag1(values), 0.0), 0.95)
    alike = (2 * rho / (1 - rho * rho)) ** (2 / 3)
    wanted = math.ceil(n ** (1 / 3) * max(1.0, alike))
    return int(max(1, min(wanted, n // 3 or 1)))


def bootstrap_medians(values: Floats, rng: np.random.Generator) -> Floats:
    """Medians of RESAMPLES series glued from random blocks of a circle (no end is rare).

    Blocks are few, so the bare spread is too small: it is widened as Student's t widens the
    normal interval with blocks - 1 degrees of freedom. Simulated coverage of the 95 % interval
    with 16, 30, 60 slices: 97, 94, 93 % uncorrelated; 88, 88, 89 % at correlation 0.5 (bare: 86,
    89, 90 and 75, 82, 86 %). No median leaves the range of the slices.
    """
    n, length = len(values), block_length(values)
    starts = rng.integers(0, n, size=(RESAMPLES, math.ceil(n / length)))
    rows = max(1, MOST_NUMBERS // n)
    parts = []
    for first in range(0, RESAMPLES, rows):
        index = (starts[first : first + rows, :, None] + np.arange(length)) % n
        parts.append(np.median(values[index.reshape(len(index), -1)[:, :n]], axis=1))
    medians = np.concatenate(parts)
    centre = np.median(values)
    widened = centre + (medians - centre) * t_widening(n / length - 1)
    return np.asarray(np.clip(widened, values.min(), values.max()), dtype=np.float64)


def t_widening(freedom: float) -> float:
    """97.5 % quantile of Student's t over the normal one; 1 degree of freedom at least."""
    return exact.t_quantile(0.975, max(freedom, 1.0)) / exact.t_quantile(0.975, NORMAL)


def _interval(values: Floats, seed: int) -> tuple[float, float]:
    """95 % percentile interval of the median."""
    low, high = np.percentile(bootstrap_medians(values, np.random.default_rng(seed)), (2.5, 97.5))
    return float(low), float(high)


def relative_sd(values: list[float]) -> float:
    """Standard deviation over median; 0 for a single value."""
    series = np.asarray(values, dtype=np.float64)
    return float(series.std(ddof=1) / np.median(series)) if len(series) > 1 else 0.0


@dataclass(frozen=True, slots=True)
class Change:
    """A trend or a step in a series. `size`: last level over first, less 1."""

    size: float
    p: float  # of a series that only wanders, as AR(1) with correlation 0.85 does
    step: int | None  # first index after the step; None: a straight trend

    def of(self, other: list[float]) -> float:
        """The change of another series over the same parts."""
        series = np.asarray(other, dtype=np.float64)
        cut = len(series) // 3 if self.step is None else self.step
        first, last = series[:cut], series[len(series) - cut if self.step is None else cut :]
        return float(np.mean(last) / np.mean(first)) - 1


WANDERING = 0.85  # correlation of neighbours that is still not called a change
NULL_TRIALS = 4000
MOST_POINTS = 120  # of a soak: neighbours are averaged, since only long changes matter


def change(values: list[float]) -> Change:
    """The straight line or the single step that explains the series best, and how rarely a series
    that only wanders would be explained as well. Needs 8 values or more."""
    series = np.asarray(values, dtype=np.float64)
    group = math.ceil(len(series) / MOST_POINTS)
    if group > 1:
        usable = len(series) // group * group
        series = series[:usable].reshape(-1, group).mean(axis=1)
    power = float(((series - series.mean()) ** 2).sum())
    if power <= 1e-18 * float((series**2).sum()):
        return Change(0.0, 1.0, None)
    line, step, cut = (part[0] for part in _explained(series[None, :]))
    null = _null_explained(len(series))
    p = float((1 + np.count_nonzero(null >= max(line, step))) / (1 + len(null)))
    if line >= step:
        slope, start = np.polyfit(np.arange(len(series)), series, 1)
        return Change(float(slope * (len(series) - 1) / start), p, None)
    first, last = series[:cut].mean(), series[cut:].mean()
    return Change(float(last / first) - 1, p, int(cut) * group)


def _explained(rows: Floats) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Share of each row's variance that a line explains, that the best step does, and its place.

    A step has two points or more on either side.
    """
    n = rows.shape[1]
    centred = rows - rows.mean(axis=1, keepdims=True)
    power = (centred**2).sum(axis=1)
    x = np.arange(n) - (n - 1) / 2
    line = (centred @ x) ** 2 / (x @ x) / power
    cuts = np.arange(2, n - 1)
    sums = np.cumsum(centred, axis=1)[:, cuts - 1]
    steps = sums**2 * n / (cuts * (n - cuts)) / power[:, None]
    return line, steps.max(axis=1), cuts[steps.argmax(axis=1)]


@cache
def _null_explained(n: int) -> Floats:
    """What line or step explain of wandering series of this length, by simulation."""
    rng = np.random.default_rng(n)
    rows = rng.standard_normal((NULL_TRIALS, n))
    rows[:, 0] /= math.sqrt(1 - WANDERING**2)
    for i in range(1, n):
        rows[:, i] += WANDERING * rows[:, i - 1]
    line, step, _ = _explained(rows)
    return np.asarray(np.maximum(line, step), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Comparison:
    """New over old. `interval(level)` of the ratio; None where the slices are too few to tell."""

    log_ratio: float
    error: float | None  # standard error of log_ratio
    freedom: float  # degrees of freedom of that error
    reach: tuple[float, float]  # log ratios that one run a side cannot leave; infinite with more

    @property
    def ratio(self) -> float:
        return math.exp(self.log_ratio)

    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        if self.error is None:
            return None
        half = exact.t_quantile((1 + level) / 2, self.freedom) * self.error
        low, high = self.log_ratio - half, self.log_ratio + half
        return math.exp(max(low, self.reach[0])), math.exp(min(high, self.reach[1]))

    @property
    def p(self) -> float | None:
        """Two-sided, of no difference; for information: the words rest on the interval."""
        if self.error is None:
            return None
        if self.error == 0:
            return 1.0 if self.log_ratio == 0 else 0.0
        return exact.t_two_sided(self.log_ratio / self.error, self.freedom)


ALIKE = 0.3  # correlation of neighbours that counts
ANYWHERE = (-math.inf, math.inf)
MIN_RUNS = 3  # a side; fewer cannot tell how one run differs from the next


def compare(old: list[list[float]], new: list[list[float]], seed: int) -> Comparison:
    """Rates of slices, a list for each run (process) of a side.

    With three runs a side or more: Student's t over the logarithms of the runs' medians, pooled
    variance, the error never below what the slices alone give. With fewer, the slices alone: that
    interval knows nothing of run-to-run differences and stays inside the range of the slices.
    """
    a, b = ([math.log(centre(run)) for run in side] for side in (old, new))
    ratio = math.fsum(b) / len(b) - math.fsum(a) / len(a)
    inside = _error_inside(old, new, seed)
    if min(len(a), len(b)) < MIN_RUNS:
        low, high = (math.log(min(map(min, new)) / max(map(max, old))),
                     math.log(max(map(max, new)) / min(map(min, old))))  # fmt: skip
        return Comparison(ratio, inside, NORMAL, (low, high))
    freedom = len(a) + len(b) - 2
    variance = (_squares(a) + _squares(b)) / freedom
    error = math.sqrt(variance * (1 / len(a) + 1 / len(b)))
    scale = exact.t_quantile(0.975, freedom) / exact.t_quantile(0.975, NORMAL)
    error = max(error, (inside or 0.0) / scale, _error_of_neighbours(old, new))
    return Comparison(ratio, error, freedom, ANYWHERE)


def _error_of_neighbours(old: list[list[float]], new: list[list[float]]) -> float:
    """Standard error of the log ratio when slices resemble their neighbours.

    A run that stays for long at one of two clocks says little of the other, and runs of one side
    may all have stayed at the same: n slices with correlation r are worth n (1 - r) / (1 + r).
    Below 0.3 the correlation of so few slices is chance.
    """
    total = 0.0
    for side in (old, new):
        for run in side:
            logs = np.log(np.asarray(run, dtype=np.float64))
            rho = lag1(logs)
            rho = min(rho + (1 + 4 * rho) / len(logs), 0.9)  # of few slices it comes out too low
            if len(logs) >= MIN_FOR_INTERVAL and rho >= ALIKE:
                worth = max(len(logs) * (1 - rho) / (1 + rho), 1.0)
                total += float(logs.var(ddof=1)) / worth / len(side) ** 2
    return math.sqrt(total)


def mean_of_runs(medians: list[float]) -> tuple[float, float | None]:
    """Geometric mean of runs, and the factor by which its 95 % interval reaches up and down."""
    logs = [math.log(one) for one in medians]
    if len(logs) < MIN_RUNS:
        return geometric_mean(medians), None
    error = math.sqrt(_squares(logs) / (len(logs) - 1) / len(logs))
    return geometric_mean(medians), math.exp(exact.t_quantile(0.975, len(logs) - 1) * error)


def _squares(values: list[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((one - mean) ** 2 for one in values)


def _error_inside(old: list[list[float]], new: list[list[float]], seed: int) -> float | None:
    """Standard error of the log ratio by the variation inside the runs alone."""
    total = 0.0
    for side in (old, new):
        for index, run in enumerate(side):
            values = np.asarray(run, dtype=np.float64)
            if len(run) < MIN_FOR_INTERVAL:
                return None
            rng = np.random.default_rng([seed, index])
            low, high = np.percentile(np.log(bootstrap_medians(values, rng)), (2.5, 97.5))
            total += (float(high - low) / 2 / 1.959964 / len(side)) ** 2
    return math.sqrt(total)


def geometric_mean(ratios: list[float]) -> float:
    return math.exp(sum(math.log(ratio) for ratio in ratios) / len(ratios))


@dataclass(frozen=True, slots=True)
class ScalingFit:
    """Universal scalability law, R(n) = R(1) n / (1 + serial (n - 1) + contention n (n - 1)).

    Gunther 2007; Amdahl's law is contention = 0. Errors are standard errors, None when the points
    are too few to have any.
    """

    serial: float
    serial_error: float | None
    contention: float
    contention_error: float | None


def fit_scaling(threads: list[int], rates: list[float]) -> ScalingFit | None:
    """Least squares on n R(1) / R(n) - 1; None without R(1) and one more point.

    With two or three thread counts only the serial share is fitted (Amdahl). A term that would
    come out negative is left out, since a law of losses has no gains.
    """
    points = dict(zip(threads, rates, strict=True))
    if 1 not in points or len(points) < 2:
        return None
    n = np.asarray([k for k in sorted(points) if k > 1], dtype=np.float64)
    loss = np.asarray([k * points[1] / points[int(k)] - 1 for k in n], dtype=np.float64)
    terms = {"serial": n - 1} if len(n) < 3 else {"serial": n - 1, "contention": n * (n - 1)}
    found = _least_squares(terms, loss)
    for name in [name for name, (value, _) in found.items() if value < 0 and len(found) > 1]:
        found = _least_squares({key: terms[key] for key in terms if key != name}, loss)
    serial, contention = (found.get(name, (0.0, None)) for name in ("serial", "contention"))
    return ScalingFit(*serial, *contention)


def _least_squares(terms: dict[str, Floats], loss: Floats) -> dict[str, tuple[float, float | None]]:
    """Coefficient and standard error by term; no error without spare points."""
    design = np.stack(list(terms.values()), axis=1)
    solution, *_ = np.linalg.lstsq(design, loss, rcond=None)
    errors: list[float | None] = [None] * len(terms)
    spare = len(loss) - len(terms)
    if spare > 0:
        residual = loss - design @ solution
        variance = float(residual @ residual) / spare
        errors = [float(e) for e in np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))]
    values = zip(solution, errors, strict=True)
    return {name: (float(one), error) for name, (one, error) in zip(terms, values, strict=True)}
