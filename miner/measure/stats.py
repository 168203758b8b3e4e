"""Statistics of slice rates: robust centre, correlated-sample interval, trend, tests, fits."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RESAMPLES = 2000
MIN_FOR_INTERVAL = 8  # with fewer slices a bootstrap interval is decoration
METHOD = (
    "median of slice rates; 95 % interval by circular moving-block bootstrap, 2000 resamples, "
    "widened by Student's t for the number of blocks"
)
PERMUTATIONS = 2000


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


def summarize(rates: list[float], seed: int) -> Summary:
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
        ci95=interval(values, seed) if len(rates) >= MIN_FOR_INTERVAL else None,
    )


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
    89, 90 and 75, 82, 86 %).
    """
    n, length = len(values), block_length(values)
    starts = rng.integers(0, n, size=(RESAMPLES, math.ceil(n / length)))
    index = (starts[:, :, None] + np.arange(length)) % n
    medians = np.median(values[index.reshape(RESAMPLES, -1)[:, :n]], axis=1)
    centre = np.median(values)
    widened = centre + (medians - centre) * t_widening(n / length - 1)
    return np.asarray(np.maximum(widened, 1e-9 * centre), dtype=np.float64)  # rates are above 0


def t_widening(freedom: float) -> float:
    """97.5 % quantile of Student's t over the normal one (Cornish-Fisher, within 1 % from 3 on)."""
    z, v = 1.959964, max(freedom, 1.0)
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return (z + first / v + second / v**2 + third / v**3) / z


def interval(values: Floats, seed: int) -> tuple[float, float]:
    """95 % percentile interval of the median."""
    low, high = np.percentile(bootstrap_medians(values, np.random.default_rng(seed)), (2.5, 97.5))
    return float(low), float(high)


def theil_sen(values: list[float]) -> float:
    """Median of all pairwise slopes, in units per slice; 0 with fewer than two."""
    series = np.asarray(values, dtype=np.float64)
    if len(series) > 1200:  # a soak: thinned, since the pairs grow with the square
        step = math.ceil(len(series) / 1200)
        return theil_sen(list(series[::step])) / step
    left, right = np.triu_indices(len(series), k=1)
    if not len(left):
        return 0.0
    return float(np.median((series[right] - series[left]) / (right - left)))


def outliers(values: list[float]) -> list[bool]:
    """Modified z-score above 3.5 (Iglewicz and Hoaglin 1993), and 1 % away from the median: a
    very quiet run has a tiny MAD, and would call harmless slices outliers."""
    series = np.asarray(values, dtype=np.float64)
    median = float(np.median(series))
    off = np.abs(series - median)
    mad = float(np.median(off))
    far = 0.6745 * off > 3.5 * mad
    return [bool(flag) for flag in far & (off > 0.01 * abs(median))]


@dataclass(frozen=True, slots=True)
class Comparison:
    """New over old: ratio of medians, its 95 % interval, and a permutation p-value."""

    ratio: float
    ci95: tuple[float, float] | None
    p: float | None


def compare(old: list[float], new: list[float], seed: int) -> Comparison:
    """Interval and test are None when either side has fewer than 8 slices."""
    a, b = np.asarray(old, dtype=np.float64), np.asarray(new, dtype=np.float64)
    ratio = float(np.median(b) / np.median(a))
    if min(len(a), len(b)) < MIN_FOR_INTERVAL:
        return Comparison(ratio, None, None)
    rng = np.random.default_rng(seed)
    ratios = bootstrap_medians(b, rng) / bootstrap_medians(a, rng)
    low, high = np.percentile(ratios, (2.5, 97.5))
    return Comparison(ratio, (float(low), float(high)), permutation_p(a, b, rng))


def permutation_p(a: Floats, b: Floats, rng: np.random.Generator) -> float:
    """Two-sided permutation test of equal medians, relabelling whole blocks of slices.

    Blocks keep the correlation inside a run; p is (1 + as extreme) / (1 + tried), never 0.
    """
    length = max(block_length(a), block_length(b))
    blocks = np.concatenate([_blocks(a, length), _blocks(b, length)])
    first = math.ceil(len(a) / length)
    observed = abs(math.log(float(np.median(b) / np.median(a))))
    order = rng.permuted(np.tile(np.arange(len(blocks)), (PERMUTATIONS, 1)), axis=1)
    left = np.nanmedian(blocks[order[:, :first]].reshape(PERMUTATIONS, -1), axis=1)
    right = np.nanmedian(blocks[order[:, first:]].reshape(PERMUTATIONS, -1), axis=1)
    extreme = int(np.count_nonzero(np.abs(np.log(right / left)) >= observed - 1e-12))
    return (1 + extreme) / (1 + PERMUTATIONS)


def _blocks(values: Floats, length: int) -> Floats:
    """One block a row; the last is filled up with NaN, which nanmedian leaves out."""
    rows = math.ceil(len(values) / length)
    padded = np.full(rows * length, np.nan)
    padded[: len(values)] = values
    return padded.reshape(rows, length)


def holm(p_values: list[float]) -> list[float]:
    """Holm's step-down adjustment for several tests, in the order given."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, running = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted


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
