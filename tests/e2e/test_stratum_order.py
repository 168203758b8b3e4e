"""The order of pools: who is disconnected when, and what becomes of shares without a pool."""

import time
from functools import partial

from miner.sources.base import Health
from miner.work.found import Answer
from tests.e2e.stratum_kit import pools
from tests.fakes.hasher import Hasher
from tests.fakes.pool import FakePool


def works_for(miner: Hasher, pool: FakePool) -> bool:
    place = f"127.0.0.1:{pool.port}"
    return bool(miner.jobs) and miner.jobs[-1].source == place and place in miner.ready


def test_a_backup_is_disconnected_when_the_primary_has_held_and_opened_again_in_need() -> None:
    with (
        FakePool(seed=1) as primary,
        FakePool(seed=2) as backup,
        Hasher(several := pools(primary, backup, stable_s=0.2, rest_s=0.3)) as miner,
    ):
        miner.wait(partial(works_for, miner, primary))
        for _ in range(2):
            primary.on["mining.subscribe"] = lambda connection, message: connection.close()
            primary.drop_all()
            miner.wait(partial(works_for, miner, backup))
            miner.accepted(len(miner.answers(Answer.ACCEPTED)) + 1)
            del primary.on["mining.subscribe"]
            job, share = miner.jobs[-1], miner.found[-1]
            miner.wait(partial(works_for, miner, primary))
            backup.wait(lambda: not backup.live, 5.0)
        assert job.source == f"127.0.0.1:{backup.port}"
        packed = several.pack(share)
        assert packed.source == share.unit.job.source
        before = len(miner.verdicts)
        several.submit(share)
        several.send(packed)
        miner.wait(lambda: len(miner.verdicts) >= before + 2)
        gone = [v for v in miner.verdicts[before:] if "not connected" in v.explanation]
        assert len(gone) >= 1
        assert all(verdict.answer is Answer.UNKNOWN for verdict in gone)
        assert several.name == f"127.0.0.1:{primary.port}"


def test_a_refused_backup_is_told_without_taking_the_screen() -> None:
    with (
        FakePool(seed=1) as primary,
        FakePool(seed=2, users=set()) as wrong,
        FakePool(seed=3) as third,
        Hasher(pools(primary, wrong, third)) as miner,
    ):
        miner.wait(partial(works_for, miner, primary))
        primary.on["mining.subscribe"] = lambda connection, message: connection.close()
        primary.drop_all()
        miner.wait(partial(works_for, miner, third), 15.0)
        told = [state for state in miner.states if state.health is Health.REFUSED]
        assert told
        assert all(state.fatal is None for state in told)
        time.sleep(0.5)
        assert f"127.0.0.1:{third.port}" in miner.ready
        miner.accepted(len(miner.answers(Answer.ACCEPTED)) + 2)
