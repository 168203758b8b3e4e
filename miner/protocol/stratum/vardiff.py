"""How hard a share should be: each miner finds about ten a minute, whatever its speed.

The speed is estimated from the last eight to 32 shares. From few of them a change of less than a
factor of two, and of what chance does to so few, is not worth telling; 32 of them must be 2.5 sigma
off. Pure; difficulties are exact fractions,
and short decimals, so that a miner that reads them from JSON has the same target as we have.
"""

import math
from collections import deque
from decimal import Decimal
from fractions import Fraction

EVERY_S = 6  # between two shares of a miner
SHARES, MOST_SHARES = 8, 32  # of an estimate
FACTOR = 2.0  # of a change, and a sigma more, from few shares
SIGMAS = 2.5  # of a change, from as many shares as are kept: a factor of 1.6
MOST_UP, MOST_DOWN = 16, 4  # at once: shares may arrive in a bunch, or none for a while
SILENT_S, SLOW_S = 30.0, 60.0  # without a share, or with too few, until shares get easier
LEAST_SPAN = Fraction(1, 20)  # seconds; shares of one network packet are no measure of speed
SHORTEST = Fraction(1, 2)  # seconds between two shares, where more of them would be blocks
START = Fraction(1, 1000)  # 4.3 million hashes
EASIEST = Fraction(1, 10**6)


class Vardiff:
    """The difficulty of one miner. Times are seconds of one clock that the caller passes in."""

    def __init__(self, now: float, start: Fraction = START) -> None:
        self.difficulty = start
        self.least = EASIEST  # the miner's own wish may raise it
        self._since = now
        self._raised = False  # above what counts as a block, since shares came too fast
        self._shares: deque[tuple[float, Fraction]] = deque()

    def ask(self, wished: Fraction, now: float) -> None:
        """The miner suggests a difficulty: it knows its speed best, until shares tell."""
        self._raised = False  # by shares that came before
        self._begin(short(max(wished, self.least)), now)

    def share(self, credited: Fraction, now: float) -> None:
        """A share was accepted, worth the difficulty of its own job."""
        self._shares.append((now, credited))
        if len(self._shares) > MOST_SHARES:
            self._since = self._shares.popleft()[0]

    def rest(self, now: float) -> None:
        """Nobody mined until now: a pause, or the clock was moved. Difficulty stays."""
        self._begin(self.difficulty, now)

    def turn(self, hardest: Fraction, now: float) -> bool:
        """Choose the difficulty anew; did it change? `hardest`: of what counts as a block. A share
        is no harder than that, or blocks would be missed; but where more than two a second would
        come, each share is a block and what lies between is not looked for."""
        old, estimate = self.difficulty, self._estimate(now)
        if estimate is None:
            wanted = old if self._raised else min(old, hardest)
        else:
            wanted = estimate
            if estimate > hardest:
                wanted = max(hardest, estimate * SHORTEST / EVERY_S)
            small = wanted > 0 and abs(math.log(float(wanted / old))) < self._noise
            wanted = min(max(wanted, old / MOST_DOWN), old * MOST_UP)
            if small and (old <= hardest or wanted > hardest):
                return False
        if wanted == old:
            return False
        new = max(short(wanted) if wanted > hardest else short_below(wanted), self.least)
        if new == old:
            return False
        self._raised = new > hardest
        self._begin(new, now)
        return True

    @property
    def _noise(self) -> float:
        """What is too small a change, as a logarithm: the estimate's sigma is 1 / sqrt(shares)."""
        sigma = 1 / math.sqrt(max(len(self._shares), 1))
        if len(self._shares) == MOST_SHARES:
            return SIGMAS * sigma
        return math.log(FACTOR) + sigma

    def _estimate(self, now: float) -> Fraction | None:
        """The difficulty of a share every six seconds, as shares tell; None: too early to say."""
        span = max(Fraction(now - self._since), LEAST_SPAN)
        patience = SLOW_S if self._shares else SILENT_S
        if len(self._shares) < SHARES and span < patience:
            return None
        return sum((credited for _, credited in self._shares), Fraction()) * EVERY_S / span

    def _begin(self, difficulty: Fraction, now: float) -> None:
        self.difficulty, self._since = difficulty, now
        self._shares.clear()


def short(difficulty: Fraction) -> Fraction:
    """The same within two digits; from 1 on a whole number, which is all that some miners read."""
    rounded = Fraction(Decimal(f"{float(difficulty):.1e}"))
    return Fraction(round(rounded)) if rounded >= 1 else rounded


def short_below(difficulty: Fraction) -> Fraction:
    """`short`, but never above the value."""
    near = short(difficulty)
    if near <= difficulty:
        return near
    exponent = Decimal(float(difficulty)).adjusted()
    step = max(Fraction(10) ** (exponent - 1), Fraction(1) if near > 1 else Fraction(0))
    return near - step
