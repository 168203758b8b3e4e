"""The board for Prometheus: one series a miner, labelled with its name on the board."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from miner.board.row import BoardState, MinerRow, Reading

PREFIX = "homehash_board_"
LABELS = ("miner", "kind", "seen_by")
GAUGES: tuple[tuple[str, str, Callable[[Reading], float | None]], ...] = (
    ("hashrate_hashes_per_second", "Over the shortest window it tells.", lambda told: told.rate_hs),
    ("best_session_difficulty", "Best share of its session.", lambda told: told.best_session),
    ("best_ever_difficulty", "Best share it ever had.", lambda told: told.best_ever),
    ("power_watts", "Electrical power.", lambda told: told.power_w),
    ("temperature_celsius", "Warmest sensor.", lambda told: told.temperature_c),
    ("uptime_seconds", "Since it started.", lambda told: told.uptime_s),
)  # fmt: skip
SHARES: tuple[tuple[str, Callable[[Reading], float | None]], ...] = (
    ("accepted", lambda told: told.accepted),
    ("rejected", lambda told: told.rejected),
    ("stale", lambda told: told.stale),
)


class BoardCollector(Collector):
    """Makes the families of the newest state at each scrape. An offline miner has no figures, only
    that it is offline and when it was seen last."""

    def __init__(self, newest: Callable[[], BoardState]) -> None:
        self._newest = newest

    def collect(self) -> Iterator[Metric]:
        rows = self._newest().rows
        yield gauge("miner_online", "1: it answers.", rows, lambda row: float(row.online))
        yield gauge(
            "last_seen_timestamp_seconds",
            "When it answered last.",
            rows,
            lambda row: row.last_seen_s,
        )
        live = tuple(row for row in rows if row.online)
        for name, about, field in GAUGES:
            yield gauge(name, about, live, lambda row, field=field: field(row.told))  # type: ignore[misc]
        shares = CounterMetricFamily(
            f"{PREFIX}shares", "Shares by their answer.", labels=(*LABELS, "result")
        )
        for row in live:
            for result, field in SHARES:
                if (value := field(row.told)) is not None:
                    shares.add_metric([*labels(row), result], value)
        yield shares


def gauge(
    name: str,
    about: str,
    rows: tuple[MinerRow, ...],
    field: Callable[[MinerRow], float | None],
) -> GaugeMetricFamily:
    """A family with a sample for each miner that tells it."""
    family = GaugeMetricFamily(f"{PREFIX}{name}", about, labels=LABELS)
    for row in rows:
        if (value := field(row)) is not None:
            family.add_metric(labels(row), value)
    return family


def labels(row: MinerRow) -> list[str]:
    return [row.label, row.kind, row.told.seen.value]


def registry(newest: Callable[[], BoardState]) -> CollectorRegistry:
    """One of its own: nothing of Python's process is in it."""
    made = CollectorRegistry(auto_describe=False)
    made.register(BoardCollector(newest))
    return made
