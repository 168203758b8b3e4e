"""Everything a view may show, as one frozen tree: the newest is published by one assignment.

`_hs` hashes a second, `_s` seconds, `_w` watts; None: not known. No secret is in it: the URLs of
pools and nodes come without logins, and of a login only the name.
"""

import dataclasses
import math
from dataclasses import dataclass
from enum import Enum
from typing import Any

from miner.devices.gpu import Sensors
from miner.state.activity import Activity
from miner.state.history import Row
from miner.state.luck import Luck
from miner.state.rates import Rates

SCHEMA = 1
LATENCY_BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class RunRow:
    """The run as a whole."""

    version: str
    activity: Activity
    started_at_s: float  # wall clock
    elapsed_s: float
    lifetime_s: float  # of all runs that used this state folder, this one included
    lifetime_hashes: int
    goals: tuple[str, ...]
    paused: bool  # by its user
    paced: bool  # blocks are kept apart: most of the time is waiting, so rates say nothing
    tls_insecure: bool  # certificates are not checked: --tls-insecure
    hashes: int
    rates: Rates
    rate_session_hs: float | None  # None while paced
    rate_computer_hs: float | None  # measured between paced blocks
    rate_benchmark_hs: float | None  # saved by `miner bench --save` for these backends and threads
    below_benchmark: bool  # the 1 min rate is more than 5 % below the benchmark's interval
    views_dropped: int  # events that slow views missed


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One pool or node."""

    name: str
    url: str  # without secrets
    kind: str  # "pool" or "node"
    priority: int  # 0: the first choice
    user: str  # the name at a pool; at a node the address that blocks pay
    active: bool  # the job at hand is its
    health: str  # a value of sources.base.Health
    text: str
    accepted: int
    rejected: int
    rejected_reasons: tuple[tuple[str, int], ...]
    stale: int
    unknown: int
    accepted_difficulty: float  # summed up
    rejected_difficulty: float
    stale_difficulty: float
    accepted_at_s: float | None  # wall clock, of the newest accepted share
    accepted_last_difficulty: float | None  # that this share had to have
    difficulty: float | None  # of its last job's shares
    latency_last_s: float | None
    latency_median_s: float | None
    latency_counts: tuple[int, ...]  # answers within each bound of LATENCY_BOUNDS_S, then all
    latency_sum_s: float
    connects: int  # times it became ready
    jobs: int  # it gave so many
    failovers: int  # times the work went from it to a source of lower priority


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One worker: a thread with an opened backend."""

    name: str
    device: str
    kind: str  # "cpu" or "gpu"
    state: str  # "ok", "starting", "sick: ...", "restarting", "quarantined: ..."
    hashes: int
    rates: Rates
    versions: int  # in the units it scans
    false_hits: int
    faults: int
    restarts: int
    sensors: Sensors | None  # a few seconds old at most


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One piece of hardware with all its workers."""

    name: str
    kind: str  # "cpu" or "gpu"
    workers: int
    hashes: int
    rates: Rates
    sensors: Sensors | None
    joules: float | None  # in this session, where its power is known
    false_hits: int
    faults: int
    restarts: int


@dataclass(frozen=True, slots=True)
class CoinbaseRow:
    """What the coinbase of a job says; values in satoshi."""

    height: int | None
    tag: str
    total: int
    outputs: tuple[tuple[int, str, bool], ...]  # value, address or script, is it the user's
    parts: tuple[tuple[str, str, int], ...]  # every byte: name, hex (extranonce2: empty), length


@dataclass(frozen=True, slots=True)
class JobRow:
    """The work at hand. Hashes of the header in internal order, as they are hashed."""

    source: str
    job_id: str
    jobs: int  # so many came
    clean_jobs: int  # so many of them replaced all work before
    age_s: float
    clean: bool
    height: int | None
    version: int
    version_mask: int
    prev_hash: str
    nbits: int
    ntime: int
    network_target: str  # 64 hex digits, most significant first
    share_target: str
    network_difficulty: float
    share_difficulty: float
    versions_per_scan: int
    transactions: int | None  # in the block, with the coinbase; None: a pool does not tell
    branch: tuple[str, ...]  # merkle branch of the coinbase; empty for header-only work
    extranonce1: str
    extranonce2: str | None  # of the unit that is scanned
    header: str | None  # its first 76 bytes, hex: all but the nonce
    nonce: int | None  # where the scan of that unit is
    coinbase: CoinbaseRow | None


@dataclass(frozen=True, slots=True)
class BestShare:
    """One of the best, with what is needed to check it."""

    difficulty: float
    hash: str  # display order
    header: str  # 80 bytes, hex
    job_id: str
    extranonce2: str
    ntime: int
    nonce: int
    version: int
    version_bits: int  # header version within the job's mask
    source: str
    found_at_s: float  # wall clock
    is_block: bool


@dataclass(frozen=True, slots=True)
class FoundShare:
    """One of the newest, as a dot of a plot, with its newest answer."""

    found_at_s: float  # wall clock
    difficulty: float  # of its hash
    source: str
    is_block: bool
    height: int | None
    number: int  # among those of the session, from 1
    expected: float  # shares that all hashes done until then were worth
    hash: str  # display order
    header: str  # 80 bytes, hex
    answer: str | None  # accepted, rejected, stale, ...; None: it is awaited
    reason: str  # the source's word
    latency_s: float | None


@dataclass(frozen=True, slots=True)
class SharesRow:
    """Confirmed hits and what became of them."""

    found: int
    accepted: int
    rejected: int
    rejected_reasons: tuple[tuple[str, int], ...]  # most frequent first
    stale: int
    unknown: int
    pending: int  # sent, and not answered for good
    dropped: int  # shares of a job that a clean one replaced, not sent
    surplus: int  # later blocks on a parent that has one of ours
    not_sent: int  # blocks of an easy chain whose node refuses all of them
    rate_hs: float | None  # found shares' work over time
    rate_error_hs: float | None  # one standard deviation
    best_session: float | None  # difficulty
    best_ever: float | None
    latency_last_s: float | None
    latency_median_s: float | None
    best: tuple[BestShare, ...]  # the best first


@dataclass(frozen=True, slots=True)
class LastBlock:
    """The newest block that was answered."""

    hash: str
    height: int | None
    answered_at_s: float  # wall clock
    answer: str  # a value of work.found.Answer
    source: str


@dataclass(frozen=True, slots=True)
class BlocksRow:
    found: int
    accepted: int
    rejected: int
    waiting: int  # in the journal, fate not known
    last: LastBlock | None


@dataclass(frozen=True, slots=True)
class Odds:
    """What to expect of chance at the present rate; None without a rate."""

    rate_hs: float | None
    share_s: float | None  # mean time to a share
    block_s: float | None  # mean time to a block
    block_hashes: float | None  # mean hashes for a block of this chain
    block_a_day: float | None  # chance of at least one, 0 to 1
    mainnet_difficulty: float | None
    mainnet_block_s: float | None
    mainnet_block_a_year: float | None  # chance


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """The newest rows: an hour of 5 s, a day of minutes, and the newest shares found, all oldest
    first. Not in `to_dict()`: asked for alone."""

    fine: tuple[Row, ...]
    coarse: tuple[Row, ...]
    shares: tuple[FoundShare, ...] = ()


@dataclass(frozen=True, slots=True)
class MachineRow:
    host: str = ""
    addresses: tuple[str, ...] = ()
    cpu: str = ""
    threads: int = 0
    system: str = ""
    python: str = ""
    mac: str = ""


@dataclass(frozen=True, slots=True)
class AlarmRow:
    text: str
    at_s: float  # wall clock


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of a run."""

    run: RunRow
    sources: tuple[SourceRow, ...]
    workers: tuple[WorkerRow, ...]
    devices: tuple[DeviceRow, ...]
    job: JobRow | None
    shares: SharesRow
    blocks: BlocksRow
    luck: Luck
    odds: Odds
    history: HistoryRow
    machine: MachineRow
    alarms: tuple[AlarmRow, ...]  # newest last
    change: int  # only grows

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with the schema's number; without the history."""
        names = [one.name for one in dataclasses.fields(self) if one.name != "history"]
        tree = {name: plain(getattr(self, name)) for name in names}
        for row in (tree["shares"], *tree["sources"]):
            row["rejected_reasons"] = dict(row["rejected_reasons"])
        return {"schema": SCHEMA, **tree}


def plain(value: Any) -> Any:
    """Dicts, lists, texts and finite numbers."""
    if dataclasses.is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
