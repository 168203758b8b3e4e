"""A web server over a snapshot that a test chooses, and a client that says what it is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from miner.backends.base import BackendInfo, Kind
from miner.bitcoin.address import p2wsh_address
from miner.protocol.coinbase_parts import coinbase_parts
from miner.sources.fixed import never_found
from miner.state.activity import Activity, WorkerState
from miner.state.snapshot import CoinbaseRow, Snapshot
from miner.state.sources import Place
from miner.state.status import Status
from miner.transport.listening import ListenAddress
from miner.views.feed import Feed
from miner.views.web.app import App, Reach
from miner.work.found import Answer, Share, Verdict
from miner.work.job import Coinbase, Job
from miner.work.unit import build_unit
from tests.fakes.asking import Asker, listening

ADDRESS = p2wsh_address(b"\x51", "main")
USER = f"{ADDRESS}.desk"
PART1 = bytes.fromhex("01000000" + "01" + "00" * 32 + "ffffffff" + "0c" + "03a0bb0d")
PART2 = bytes.fromhex("ffffffff" + "01" + "00f2052a01000000" + "0151" + "00000000")
JOB = replace(
    never_found(),
    source="a pool",
    job_id="7f",
    version=0x20000000,
    version_mask=0x1FFFE000,
    merkle=Coinbase(PART1, b"\x01\x02\x03\x04", 4, PART2, (b"\x11" * 32, b"\x22" * 32)),
    share_target=2**240,
    network_target=2**224,
    height=900_000,
)


def status(job: Job | None = JOB) -> Status:
    """A run on a pool, some minutes old: three shares, one of them refused."""
    made = Status(0.0, decode=decoded)
    made.expect_sources([Place("a pool", "stratum+tcp://pool.example:3333", "pool", 0, USER)])
    meter = made.worker(BackendInfo("native:avx2", "a CPU", 1, 1, Kind.CPU), 0.0)
    meter.hashes, meter.versions, meter.state = 61_000_000, 4, WorkerState.OK
    made.source("a pool", "ready", "connected")
    made.activity = Activity.MINING
    if job is not None:
        made.job(job, 0.5)
        unit = build_unit(job, (job.version,), bytes(4), job.ntime)
        meter.unit, meter.nonce = unit, 0x01020304
        for number in range(1, 4):
            share = Share(
                unit, job.version, number, unit.header(job.version, number), hashed(number)
            )
            made.share(share)
            answer = Answer.REJECTED if number == 3 else Answer.ACCEPTED
            reason = "low difficulty" if number == 3 else ""
            made.verdict(Verdict("a pool", share.hash_hex, answer, False, reason, "", 9, 0.02, 1.0))
    return made


def hashed(number: int) -> bytes:
    return number.to_bytes(32, "little")


def decoded(job: Job) -> CoinbaseRow:
    outputs = ((5_000_000_000, ADDRESS, True),)
    return CoinbaseRow(job.height, "/tag/", 5_000_000_000, outputs, coinbase_parts(job.coinbase))


@dataclass
class Site(Asker):
    """A running server; `now` may be changed at any time."""

    now: Snapshot = field(kw_only=True)


@contextmanager
def served(
    now: Snapshot, host: str = "127.0.0.1", names: tuple[str, ...] = (), whole: bool = False
) -> Iterator[Site]:
    site = Site(ListenAddress(host, 0), now=now)
    reach = Reach(names, not site.place.is_loopback)
    app = App(Feed(lambda: site.now, whole), reach, complain=site.complaints.append)
    with listening(app, site):
        yield site
