"""PPLNS: a block's reward split over the last shares before it."""

from collections import Counter
from fractions import Fraction

from miner.learn.task import Case, Task, cases
from miner.work.payout import Pplns

Shares = list[tuple[str, int]]
Paid = dict[str, int]


def windowed(shares: Shares, window: int) -> Counter[str]:
    """Work of each miner in the last `window`, the oldest share cut where it sticks out."""
    work, left = Counter[str](), window
    for name, difficulty in reversed(shares):
        part = min(difficulty, left)
        if part:
            work[name] += part
        left -= part
    return work


def split(work: Counter[str], reward: int, whole: int) -> Paid:
    return {name: reward * part // whole for name, part in work.items()}


def right(shares: Shares, window: int, reward: int) -> Paid:
    """By the pool's own window; in whole satoshis, rounded down."""
    names = sorted({name for name, _ in shares})
    pool = Pplns(window)
    for name, difficulty in shares:
        pool.share(names.index(name), difficulty)
    return {names[member]: int(reward * part) for member, part in pool.parts().items()}


def oldest(shares: Shares, window: int, reward: int) -> Paid:
    return right(shares[::-1], window, reward)


def everything(shares: Shares, window: int, reward: int) -> Paid:
    return right(shares, sum(one for _, one in shares), reward)


def uncut(shares: Shares, window: int, reward: int) -> Paid:
    """The share that reaches over the window's edge counts whole."""
    work, left = Counter[str](), window
    for name, difficulty in reversed(shares):
        if left <= 0:
            break
        work[name] += difficulty
        left -= difficulty
    return split(work, reward, work.total())


def left_out(shares: Shares, window: int, reward: int) -> Paid:
    """The share that reaches over the window's edge does not count at all."""
    work, left = Counter[str](), window
    for name, difficulty in reversed(shares):
        if difficulty > left:
            break
        work[name] += difficulty
        left -= difficulty
    return split(work, reward, work.total() or 1)


def number(shares: Shares, window: int, reward: int) -> Paid:
    """Each share counts the same, whatever its difficulty."""
    work = Counter(name for name, _ in shares[-window:])
    return split(work, reward, work.total())


def last_number(shares: Shares, window: int, reward: int) -> Paid:
    """The last N shares by their number, weighed by difficulty."""
    return everything(shares[-window:], window, reward)


def by_window(shares: Shares, window: int, reward: int) -> Paid:
    return split(windowed(shares, window), reward, window)


def rounded(shares: Shares, window: int, reward: int) -> Paid:
    work = windowed(shares, window)
    return {name: round(Fraction(reward * part, work.total())) for name, part in work.items()}


def floats(shares: Shares, window: int, reward: int) -> dict[str, float]:
    work = windowed(shares, window)
    return {name: reward * part / work.total() for name, part in work.items()}


def everybody(shares: Shares, window: int, reward: int) -> Paid:
    return {**dict.fromkeys((name for name, _ in shares), 0), **right(shares, window, reward)}


def made() -> tuple[Case, ...]:
    day = [("ann", 4), ("bob", 2), ("ann", 4), ("cem", 8), ("bob", 2), ("ann", 4)]
    coins = 3125 * 10**5  # 3.125 coins, the subsidy since 2024
    return cases(
        right,
        three=([("ann", 1), ("bob", 1), ("bob", 1)], 2, 100),
        weights=(day, 14, coins),
        edge=(day, 10, coins),
        thirds=([("ann", 1), ("bob", 1), ("cem", 1), ("bob", 2)], 3, coins + 7),
        young=([("ann", 3), ("bob", 1)], 100, coins),
        gone=([("dee", 50), ("ann", 5), ("bob", 5)], 10, coins),
    )


TASK = Task(
    "payout(shares: list[tuple[str, int]], window: int, reward: int) -> dict[str, int]",
    right,
    made,
    {
        "oldest": oldest, "everything": everything, "uncut": uncut, "left-out": left_out,
        "number": number, "last-number": last_number, "by-window": by_window,
        "rounded": rounded, "floats": floats, "everybody": everybody,
    },
)  # fmt: skip
