"""How a pool splits its blocks, and how far an income scatters: PPLNS and the closed forms.

Definitions and closed forms: M. Rosenfeld, Analysis of Bitcoin Pooled Mining Reward Systems
(2011). Work is in expected hashes; amounts are whole satoshi, and none is lost or made.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

MOST_SHARES = 65_536  # of a window: an hour of 128 miners at 8 shares a minute


@dataclass(frozen=True, slots=True)
class Outlook:
    """One miner in one pool over one stretch of time. Scatter is in block rewards."""

    own_blocks: float  # blocks the miner would find alone, on average
    pool_blocks: float  # blocks the whole pool finds, on average
    shares_per_block: float  # network difficulty / share difficulty

    @property
    def part(self) -> float:
        """The miner's part of the pool's hashrate."""
        return self.own_blocks / self.pool_blocks

    @property
    def solo_sd(self) -> float:
        """Of an income alone: a whole block or nothing, Poisson."""
        return math.sqrt(self.own_blocks)

    @property
    def pay_per_share_sd(self) -> float:
        """Of an income at a fixed price a share."""
        return math.sqrt(self.own_blocks * self.shares_per_block) / self.shares_per_block

    @property
    def proportional_sd(self) -> float:
        """Of an income where each block is split over its own round."""
        q, chance = self.part, 1 / self.shares_per_block
        mean_inverse = -chance * math.log(chance) / (1 - chance)  # E[1 / shares of a round]
        return math.sqrt(self.pool_blocks * (q * q + q * (1 - q) * mean_inverse))

    def last_n_shares_sd(self, window: float) -> float:
        """Of an income by PPLNS over `window` shares.

        Windows of different blocks are taken as independent: true for windows far below a round.
        """
        q = self.part
        return math.sqrt(self.pool_blocks * (q * q + q * (1 - q) / window))


class Pplns:
    """The newest shares of a pool; each block is split over the last `window` hashes of them."""

    def __init__(self, window: Fraction | int) -> None:
        """Raises ValueError for a window that holds nothing."""
        if window <= 0:
            raise ValueError(f"a window of {window} hashes")
        self.window = window
        self._shares: deque[tuple[int, Fraction | int]] = deque(maxlen=MOST_SHARES)
        self._held: Fraction | int = 0

    def share(self, member: int, work: Fraction | int) -> None:
        """An accepted share that took `work` hashes on average."""
        if len(self._shares) == MOST_SHARES:
            self._held -= self._shares[0][1]
        self._shares.append((member, work))
        self._held += work
        self._drop_old()

    def resize(self, window: Fraction | int) -> None:
        """Of a smaller window the older shares are gone for good."""
        self.window = window
        self._drop_old()

    def _drop_old(self) -> None:
        while self._shares and self._held - self._shares[0][1] >= self.window:
            self._held -= self._shares.popleft()[1]

    def parts(self) -> dict[int, Fraction]:
        """Each member's part of the window. The oldest share counts for what reaches into it."""
        parts: dict[int, Fraction | int] = {}
        over = max(self._held - self.window, 0)
        for member, work in self._shares:
            parts[member] = parts.get(member, 0) + work - over
            over = 0
        total = sum(parts.values())
        return {member: Fraction(part) / total for member, part in parts.items()} if total else {}

    def split(self, reward: int) -> dict[int, int]:
        """Satoshi a member; they sum up to the reward. Nobody is paid before the first share."""
        return divided(reward, self.parts())


def divided(amount: int, parts: Mapping[int, Fraction]) -> dict[int, int]:
    """An amount in whole units by parts that sum up to one; what rounding leaves goes to the
    largest remainders, the lower number first."""
    exact = {member: amount * part for member, part in parts.items()}
    paid = {member: math.floor(value) for member, value in exact.items()}
    left = amount - sum(paid.values()) if parts else 0
    order = sorted(parts, key=lambda member: (paid[member] - exact[member], member))
    for member in order[:left]:
        paid[member] += 1
    return paid
