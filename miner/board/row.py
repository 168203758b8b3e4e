"""A miner as the board shows it, whatever language it speaks; None: it does not tell.

`_hs` hashes a second, `_s` seconds, `_w` watts, `_c` degrees Celsius.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from miner.state.history import Row


class State(Enum):
    """The value is what the board shows."""

    WAITING = "asking"  # it has not answered yet
    MINING = "mining"
    PAUSED = "paused"
    IDLE = "not mining"  # it answers, and hashes nothing
    OFFLINE = "offline"


class Seen(Enum):
    """Who tells the figures: a pool's are estimates from shares, of miners that may also stand on
    the board by themselves."""

    ITSELF = "itself"
    POOL = "its pool"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one answer says of one miner."""

    name: str = ""  # its own; "" when it has none
    model: str | None = None
    rate_10s_hs: float | None = None
    rate_1min_hs: float | None = None
    rate_1h_hs: float | None = None
    accepted: int | None = None
    rejected: int | None = None
    stale: int | None = None
    best_session: float | None = None  # difficulty
    best_ever: float | None = None
    pool: str | None = None  # host and port, never a login
    power_w: float | None = None
    temperature_c: float | None = None
    uptime_s: float | None = None
    paused: bool = False
    mining: bool | None = None  # None: judged by its rate
    last_share_s: float | None = None  # wall clock
    seen: Seen = Seen.ITSELF

    @property
    def rate_hs(self) -> float | None:
        """The shortest window that is known."""
        for rate in (self.rate_10s_hs, self.rate_1min_hs, self.rate_1h_hs):
            if rate is not None:
                return rate
        return None

    def state(self) -> State:
        if self.paused:
            return State.PAUSED
        mining = self.rate_hs != 0 if self.mining is None else self.mining
        return State.MINING if mining else State.IDLE


@dataclass(frozen=True, slots=True)
class MinerRow:
    """One line of the board. An offline miner keeps its last figures and its last-seen time."""

    label: str  # unique on this board
    kind: str  # which language: "axeos"
    address: str
    state: State
    why: str  # why it is offline; else ""
    last_seen_s: float | None  # wall clock; None: never
    told: Reading
    history: tuple[Row, ...] = ()  # 5 s a row, an hour of them

    @property
    def online(self) -> bool:
        return self.state not in (State.OFFLINE, State.WAITING)


@dataclass(frozen=True, slots=True)
class Sum:
    """A total of what is known: `known` of `of` miners told it."""

    total: float
    known: int
    of: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Of the miners that are online and speak for themselves; what pools say is summed apart, or
    a miner would be counted twice."""

    online: int
    miners: int
    rate_hs: Sum
    accepted: Sum
    rejected: Sum
    power_w: Sum
    best: float | None  # the best difficulty any of them ever had, offline ones too
    pool_workers: int
    pool_rate_hs: Sum


@dataclass(frozen=True, slots=True)
class BoardState:
    """One moment of the board."""

    rows: tuple[MinerRow, ...]
    totals: Totals
    time_s: float  # wall clock
    change: int  # only grows


def totals(rows: Iterable[MinerRow]) -> Totals:
    own = [row for row in rows if row.told.seen is Seen.ITSELF]
    pools = [row for row in rows if row.told.seen is Seen.POOL]
    live = [row for row in own if row.online]
    bests = [best for row in rows for best in (row.told.best_ever, row.told.best_session)]
    return Totals(
        online=len(live),
        miners=len(own),
        rate_hs=added(live, len(own), lambda told: told.rate_hs),
        accepted=added(live, len(own), lambda told: told.accepted),
        rejected=added(live, len(own), lambda told: told.rejected),
        power_w=added(live, len(own), lambda told: told.power_w),
        best=max((best for best in bests if best is not None), default=None),
        pool_workers=len(pools),
        pool_rate_hs=added(
            [row for row in pools if row.online], len(pools), lambda told: told.rate_hs
        ),
    )


def added(rows: list[MinerRow], of: int, field: Callable[[Reading], float | None]) -> Sum:
    known = [value for row in rows if (value := field(row.told)) is not None]
    return Sum(sum(known), len(known), of)
