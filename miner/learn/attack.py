"""The arithmetic of rewriting history: a race between q of the hashrate and the rest.

Sources: S. Nakamoto, Bitcoin: A Peer-to-Peer Electronic Cash System (2008), section 11; M.
Rosenfeld, Analysis of hashrate-based double-spending (2012) for the exact form.
"""

import math
import random


def nakamoto_success(q: float, z: int) -> float:
    """Chance to catch up from z blocks behind, the paper's Poisson form; q: attacker's share."""
    if not 0 <= q <= 1 or z < 0:
        raise ValueError(f"share {q} and confirmations {z}: want 0..1 and not negative")
    p = 1 - q
    if q >= p:
        return 1.0
    mean = z * q / p
    total = 0.0
    for k in range(z + 1):
        poisson = _poisson(k, mean)
        total += poisson * (1 - (q / p) ** (z - k))
    return 1 - total


def exact_success(q: float, z: int) -> float:
    """The same with the honest blocks' count taken as negative binomial, as it is (Rosenfeld)."""
    p = 1 - q
    if q >= p:
        return 1.0
    total = 0.0
    for m in range(z + 1):
        ways = math.comb(m + z - 1, m) if z else float(m == 0)
        total += ways * (p**z * q**m - p**m * q**z)
    return 1 - total


def confirmations_for(q: float, risk: float) -> int:
    """The least z with a success chance of at most `risk`. q below one half."""
    if q >= 0.5:
        raise ValueError("with half of the hashrate no number of confirmations is enough")
    z = 0
    while nakamoto_success(q, z) > risk:
        z += 1
    return z


def race(q: float, z: int, trials: int, seed: int, give_up: int = 60) -> float:
    """The share of simulated races the attacker wins: block by block until level or hopeless.

    The attacker mines in secret while the merchant waits for z confirmations, then must draw
    level; `give_up` blocks behind counts as lost (its chance is (q/p)**give_up).
    """
    rng = random.Random(seed)
    won = 0
    for _ in range(trials):
        behind, honest = 0, 0
        while honest < z:
            if rng.random() < q:
                behind -= 1
            else:
                honest += 1
                behind += 1
        while 0 < behind < give_up:
            behind += -1 if rng.random() < q else 1
        won += behind <= 0
    return won / trials


def _poisson(k: int, mean: float) -> float:
    if mean == 0:
        return float(k == 0)
    return math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1))
