"""Catch the time warp: periods whose first block pretends to be older than the block before."""

from miner.learn.task import Case, Task, cases

GRACE_S = 600  # BIP 94: how far the first block of a period may be before the block before it
TEN_MINUTES = 600
Heights = list[int]


def right(times: list[int], period: int) -> Heights:
    """BIP 94's rule for testnet4, as the built-in node applies it."""
    return [at for at in range(period, len(times), period) if times[at] < times[at - 1] - GRACE_S]


def anywhere(times: list[int], period: int) -> Heights:
    return [at for at in range(1, len(times)) if times[at] < times[at - 1] - GRACE_S]


def graceless(times: list[int], period: int) -> Heights:
    return [at for at in range(period, len(times), period) if times[at] < times[at - 1]]


def inclusive(times: list[int], period: int) -> Heights:
    return [at for at in range(period, len(times), period) if times[at] <= times[at - 1] - GRACE_S]


def both_ways(times: list[int], period: int) -> Heights:
    return [
        at for at in range(period, len(times), period) if abs(times[at] - times[at - 1]) > GRACE_S
    ]


def last_block(times: list[int], period: int) -> Heights:
    """Looks at the last block of each period instead of the first."""
    return [
        at for at in range(period - 1, len(times), period) if times[at] < times[at - 1] - GRACE_S
    ]


def next_block(times: list[int], period: int) -> Heights:
    """Looks at the second block of each period."""
    return [at for at in range(1, len(times), period) if times[at] < times[at - 1] - GRACE_S]


def from_first(times: list[int], period: int) -> Heights:
    """Compares with the first block of the period, which the times never fall below for long."""
    return [
        at for at in range(period, len(times), period) if times[at] < times[at - period] - GRACE_S
    ]


def other_way(times: list[int], period: int) -> Heights:
    """Finds blocks far ahead of the one before."""
    return [at for at in range(period, len(times), period) if times[at] > times[at - 1] + GRACE_S]


def before(times: list[int], period: int) -> Heights:
    """Names the block before."""
    return [at - 1 for at in right(times, period)]


def periods(times: list[int], period: int) -> Heights:
    """Names the period."""
    return [at // period for at in right(times, period)]


def python_end(times: list[int], period: int) -> Heights:
    """times[-1] stands for the block before the first one."""
    return [at for at in range(0, len(times), period) if times[at] < times[at - 1] - GRACE_S]


def honest(blocks: int, late: tuple[int, ...], start: int = 1_700_000_000) -> list[int]:
    """A block each ten minutes; those named have clocks that are 25 minutes slow."""
    return [start + TEN_MINUTES * at - 1500 * (at in late) for at in range(blocks)]


def warped(blocks: int, period: int, start: int = 1_700_000_000) -> list[int]:
    """Times that creep, but for the last block of each period, which jumps ahead of all."""
    return [
        start + TEN_MINUTES * blocks if at % period == period - 1 else start + at
        for at in range(blocks)
    ]


def made() -> tuple[Case, ...]:
    steady = honest(13, ())
    edge = list(steady)
    for height, back in ((4, GRACE_S), (8, GRACE_S + 1), (12, 1)):
        edge[height] = steady[height - 1] - back
    return cases(
        right,
        warp=(warped(12, 4), 4),
        steady=(steady, 4),
        late=(honest(20, (13, 19)), 4),
        edge=(edge, 4),
        gap=([*steady[:4], *(one + 90_000 for one in steady[4:])], 4),
        long=(warped(30, 10), 10),
    )


TASK = Task(
    "warps(times: list[int], period: int) -> list[int]",
    right,
    made,
    {
        "anywhere": anywhere, "graceless": graceless, "inclusive": inclusive,
        "both-ways": both_ways, "last-block": last_block, "next-block": next_block,
        "from-first": from_first, "other-way": other_way, "before": before,
        "periods": periods, "end": python_end,
    },
)  # fmt: skip
