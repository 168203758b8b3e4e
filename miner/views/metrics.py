"""A snapshot for Prometheus: families made anew at each scrape, on a registry of their own.

Base units, `_total` on counters, no label that grows without bound. A pool is named by host:port,
never by its user; what is not known has no sample.
"""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from miner.state.snapshot import LATENCY_BOUNDS_S, DeviceRow, Snapshot, SourceRow
from miner.views.health import Health

PREFIX = "homehash_"
Sample = tuple[tuple[str, ...], float | None]  # values of the labels, and the figure
Newest = Callable[[], tuple[Snapshot, Health]]


class RunCollector(Collector):
    """`newest` gives the snapshot and the health at each scrape."""

    def __init__(self, newest: Newest) -> None:
        self._newest = newest

    def collect(self) -> Iterator[Metric]:
        now, health = self._newest()
        yield from of_run(now, health)
        yield from of_pools(labelled(now.sources))
        yield from of_job(now)
        yield from of_devices(now)
        yield from of_odds(now)


class Metrics:
    """Answers a scrape in the format that its Accept header asks for."""

    def __init__(self, newest: Newest) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(RunCollector(newest))

    def scrape(self, accept: str) -> tuple[bytes, str]:
        """The text and its content type: 0.0.4 or OpenMetrics."""
        encoder, media = choose_encoder(accept)
        return encoder(self._registry), media


def gauge(name: str, about: str, samples: Iterable[Sample], *labels: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(PREFIX + name, about, labels=labels)
    for values, figure in samples:
        if figure is not None:
            family.add_metric(values, figure)
    return family


def counter(name: str, about: str, samples: Iterable[Sample], *labels: str) -> CounterMetricFamily:
    """Its sample is called NAME_total."""
    family = CounterMetricFamily(PREFIX + name, about, labels=labels)
    for values, figure in samples:
        if figure is not None:
            family.add_metric(values, figure)
    return family


def one(figure: float | None) -> list[Sample]:
    return [((), figure)]


def of_run(now: Snapshot, health: Health) -> Iterator[Metric]:
    run, blocks, best = now.run, now.blocks, now.shares
    kernels = sorted({row.name for row in now.workers})
    told = {"version": run.version, "python": now.machine.python, "kernel": ",".join(kernels)}
    yield InfoMetricFamily(PREFIX + "build", "This program.", told)
    mining = health.ok and health.word == "mining"
    yield gauge("mining", "1: hashes were counted in the last 30 s.", one(mining))
    yield gauge("paused", "1: paused by its user.", one(run.paused))
    yield gauge("uptime_seconds", "Since the run started.", one(run.elapsed_s))
    yield counter(
        "blocks",
        "Blocks by what became of them.",
        [
            (("found",), blocks.found),
            (("accepted",), blocks.accepted),
            (("rejected",), blocks.rejected),
        ],
        "status",
    )
    yield gauge("blocks_waiting", "Blocks in the journal without a verdict.", one(blocks.waiting))
    yield gauge(
        "best_share_difficulty",
        "Difficulty of the best hash.",
        [(("session",), best.best_session), (("ever",), best.best_ever)],
        "scope",
    )
    yield gauge(
        "benchmark_hashes_per_second",
        "Saved by miner bench --save for these devices.",
        one(run.rate_benchmark_hs),
    )
    yield gauge("alarms", "Alarms of this run, at most 8.", one(len(now.alarms)))


def labelled(rows: Iterable[SourceRow]) -> list[tuple[str, SourceRow]]:
    """Each pool or node with host:port; a second login at the same one has a number."""
    seen: dict[str, int] = {}
    found = []
    for row in rows:
        place = (row.url.partition("://")[2] or row.url).partition("/")[0]
        seen[place] = seen.get(place, 0) + 1
        found.append((place if seen[place] == 1 else f"{place} #{seen[place]}", row))
    return found


def of_pools(rows: list[tuple[str, SourceRow]]) -> Iterator[Metric]:
    def each(field: Callable[[SourceRow], float | None]) -> list[Sample]:
        return [((pool,), field(row)) for pool, row in rows]

    counts: list[Sample] = []
    worth: list[Sample] = []
    for pool, row in rows:
        counts += [((pool, "accepted"), row.accepted), ((pool, "rejected"), row.rejected)]
        counts += [((pool, "stale"), row.stale), ((pool, "unknown"), row.unknown)]
        worth += [((pool, "accepted"), row.accepted_difficulty)]
        worth += [((pool, "rejected"), row.rejected_difficulty)]
        worth += [((pool, "stale"), row.stale_difficulty)]
    yield counter("shares", "Shares by their answer.", counts, "pool", "result")
    yield counter("share_difficulty", "Their difficulties, summed up.", worth, "pool", "result")
    yield gauge("pool_difficulty", "That a share must have.", each(lambda r: r.difficulty), "pool")
    ready = each(lambda row: float(row.health == "ready"))
    yield gauge("pool_connected", "1: it is ready.", ready, "pool")
    active = each(lambda row: float(row.active))
    yield gauge("pool_active", "1: the work at hand is its.", active, "pool")
    last = each(lambda row: row.accepted_at_s)
    about = "When it accepted a share last."
    yield gauge("pool_last_share_timestamp_seconds", about, last, "pool")
    again = each(lambda row: float(max(row.connects - 1, 0)))
    yield counter("pool_reconnects", "Times it became ready again.", again, "pool")
    lost = each(lambda row: float(row.failovers))
    yield counter("pool_failovers", "Times the work went from it to another.", lost, "pool")
    yield latencies(rows)


def latencies(rows: list[tuple[str, SourceRow]]) -> HistogramMetricFamily:
    name, about = PREFIX + "share_latency_seconds", "From a share's submit to its answer."
    family = HistogramMetricFamily(name, about, labels=["pool"])
    bounds = [*(f"{bound:g}" for bound in LATENCY_BOUNDS_S), "+Inf"]
    for pool, row in rows:
        buckets = list(zip(bounds, (float(one) for one in row.latency_counts), strict=True))
        family.add_metric([pool], buckets, sum_value=row.latency_sum_s)
    return family


def of_job(now: Snapshot) -> Iterator[Metric]:
    job = now.job
    jobs, clean = (job.jobs, job.clean_jobs) if job else (0, 0)
    counts: list[Sample] = [(("true",), clean), (("false",), jobs - clean)]
    yield counter("jobs", "Jobs; clean ones replaced all work before.", counts, "clean")
    if job is None:
        return
    yield gauge("job_age_seconds", "Since the job at hand came.", one(job.age_s))
    yield gauge("network_difficulty", "Of the chain at hand.", one(job.network_difficulty))
    yield gauge("block_height", "Of the block being made.", one(job.height))


def of_devices(now: Snapshot) -> Iterator[Metric]:
    by_backend: dict[tuple[str, str], list[float]] = {}
    for worker in now.workers:
        sums = by_backend.setdefault((worker.device, worker.name), [0.0, 0.0])
        sums[0] += worker.hashes
        sums[1] += worker.rates.rate_1min_hs
    names = ("device", "backend")
    done = [(key, sums[0]) for key, sums in by_backend.items()]
    rates = [(key, sums[1]) for key, sums in by_backend.items()]
    yield counter("hashes", "Hashes done.", done, *names)
    yield gauge("hashrate_hashes_per_second", "Over one minute.", rates, *names)

    def each(field: Callable[[DeviceRow], float | None]) -> list[Sample]:
        return [((row.name,), field(row)) for row in now.devices]

    warm = each(lambda row: None if row.sensors is None else row.sensors.temperature_c)
    yield gauge("device_temperature_celsius", "Its own sensor.", warm, "device")
    watts = each(lambda row: None if row.sensors is None else row.sensors.power_w)
    yield gauge("device_power_watts", "Its own reading.", watts, "device")
    clock = each(clock_hz)
    yield gauge("device_clock_hertz", "Its own reading.", clock, "device")
    joules = each(lambda row: row.joules)
    yield counter("device_energy_joules", "Its power over time.", joules, "device")
    faults = each(lambda row: row.faults)
    yield counter("device_faults", "Failures of its workers.", faults, "device")
    restarts = each(lambda row: row.restarts)
    yield counter("device_restarts", "Workers started again.", restarts, "device")
    false = each(lambda row: row.false_hits)
    yield counter("device_false_hits", "Hits that hashlib refused.", false, "device")


def clock_hz(row: DeviceRow) -> float | None:
    told = None if row.sensors is None else row.sensors.clock_mhz
    return None if told is None else told * 1e6


def of_odds(now: Snapshot) -> Iterator[Metric]:
    """Absent while blocks are paced, and as long as there is no rate."""
    if not now.run.paced:
        about = "Mean time to a {} at the present rate."
        yield gauge("expected_block_seconds", about.format("block"), one(now.odds.block_s))
        yield gauge("expected_share_seconds", about.format("share"), one(now.odds.share_s))
