"""M7: how long hashing stands still when a pool goes away, and until a good one has it back."""

import socket
import time
from dataclasses import replace

from lab.reliability.measure import Row, Run, quantile

from miner.secret import Secret
from miner.sources.pool.options import PoolOptions
from miner.sources.pool.pools import pool_source
from miner.transport.urls import pool_login
from tests.fakes.hasher import Hasher
from tests.fakes.pool import Connection, FakePool

GONE_GOAL_S, BACK_GOAL_S, SLACK_S = 3.0, 90.0, 5.0
SHORT_SILENCE_S = 3.0


def measure(run: Run) -> list[Row]:
    trials = run.pick(2, 6, 20)
    rows = [gone(run, kind, trials) for kind in ("refused", "reset")]
    rows.append(silent(run.pick(1, 2, 3), SHORT_SILENCE_S))
    if run.size == 2:
        rows.append(silent(1, PoolOptions().silence_s))
        rows.append(back(PoolOptions()))
    else:
        rows.append(back(replace(PoolOptions(), stable_s=2.0, probe_s=1.0)))
    return rows


def miner_on(primary: FakePool, backup: FakePool, options: PoolOptions) -> Hasher:
    pools = [pool_login(pool.url, "alice", Secret("x")) for pool in (primary, backup)]
    return Hasher(pool_source(pools, options))


def works_on(miner: Hasher, pool: FakePool, since: float, within_s: float) -> float:
    """Seconds from `since` until a job of this pool is hashed."""
    where = f"127.0.0.1:{pool.port}"
    miner.wait(lambda: bool(miner.jobs) and where in miner.jobs[-1].source, within_s)
    return time.monotonic() - since


def gone(run: Run, kind: str, trials: int) -> Row:
    """The primary listens no more and closes its connections, by FIN or by RST."""
    took = []
    for trial in range(trials):
        with (
            FakePool(seed=2) as backup,
            FakePool(seed=1) as primary,
            miner_on(primary, backup, PoolOptions()) as miner,
        ):
            miner.accepted(1, 20.0)
            began = time.monotonic()
            primary.listener.shutdown(socket.SHUT_RDWR)
            primary.listener.close()
            primary.drop_all(reset=kind == "reset")
            took.append(works_on(miner, backup, began, 30.0))
        run.say(f"  failover {kind} {trial}: {took[-1]:.2f} s")
    return row(f"failover, {kind}", took, GONE_GOAL_S)


def silent(trials: int, silence_s: float) -> Row:
    """The primary's connection stays open and says nothing more."""
    took = []
    for _ in range(trials):
        with FakePool(seed=2) as backup, FakePool(seed=1) as primary:
            options = replace(PoolOptions(), silence_s=silence_s)
            with miner_on(primary, backup, options) as miner:
                miner.accepted(1, 20.0)
                mute(primary)
                took.append(works_on(miner, backup, time.monotonic(), silence_s + 60.0))
    return row(f"failover, silent for {silence_s:g} s", took, silence_s + SLACK_S)


def mute(pool: FakePool) -> None:
    """It still reads, and answers nothing; later connections meet silence too."""

    def swallow(connection: Connection, message: object) -> None: ...

    for method in ("mining.submit", "mining.configure", "mining.subscribe", "mining.authorize",
                   "mining.ping", "mining.suggest_difficulty"):  # fmt: skip
        pool.on[method] = swallow
    pool.handle = lambda connection, message: None  # type: ignore[method-assign]


def back(options: PoolOptions) -> Row:
    """The primary is well again: until it has the work."""
    with FakePool(seed=2) as backup, FakePool(seed=1) as primary:
        port = primary.port
        with miner_on(primary, backup, options) as miner:
            miner.accepted(1, 20.0)
            primary.__exit__()
            works_on(miner, backup, time.monotonic(), 30.0)
            with FakePool(seed=3, port=port) as again:
                took = works_on(miner, again, time.monotonic(), BACK_GOAL_S + 60.0)
    return row("back on the primary", [took], BACK_GOAL_S)


def row(figure: str, took: list[float], goal_s: float) -> Row:
    worst, late = max(took), sum(value > goal_s for value in took)
    value = f"p50 {quantile(took, 0.5):.2f} s, worst {worst:.2f} s"
    return Row("M7", figure, value, f"<= {goal_s:g} s", len(took), reached=late == 0)
