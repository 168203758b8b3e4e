"""Work that others have moved past is left, with the reason."""

from dataclasses import replace

import pytest

from miner.protocol.pool import Notice
from miner.sources.base import Health
from miner.sources.pool.tips import BEHIND_S, BehindWatch, Tip, tip_of
from miner.work.job import FixedRoot, Job
from tests.fakes.engine import job as any_job
from tests.unit.sources.pool.kit import ListStream, bench, logged_in
from tests.unit.sources.pool.members import Rig

NBITS = any_job().nbits


def job(height: int | None = 100, **changes: object) -> Job:
    return replace(any_job(), source="a", height=height, **changes)  # type: ignore[arg-type]


def tip(height: int, nbits: int = NBITS, parent: bytes | None = None) -> Tip:
    return Tip("your node", height, nbits, parent)


def test_old_work_is_named_once_it_is_old_for_long_enough() -> None:
    watch = BehindWatch()
    assert watch.see(job(), [None, tip(100)], 0.0) == ""
    assert watch.see(job(), [tip(100)], BEHIND_S - 0.1) == ""
    why = watch.see(job(), [tip(100)], BEHIND_S)
    assert why == "its work is older than the chain: your node has had block 100 for 30 s"
    assert watch.see(job(), [tip(100)], BEHIND_S + 1) == "", "a new connection gets its time"


def test_a_source_that_catches_up_begins_anew() -> None:
    watch = BehindWatch()
    watch.see(job(), [tip(100)], 0.0)
    assert watch.see(job(101), [tip(100)], 20.0) == ""
    assert watch.see(job(101), [tip(101)], BEHIND_S) == ""


@pytest.mark.parametrize(
    "other",
    [
        tip(99),  # the parent itself
        tip(50),  # the other one is behind
        tip(100, nbits=0x1D00FFFF),  # another chain
        tip(5000),  # so far apart it is another chain of the same difficulty
    ],
)
def test_what_is_no_proof_of_old_work(other: Tip) -> None:
    watch = BehindWatch()
    assert [watch.see(job(), [other], now) for now in (0.0, 100.0)] == ["", ""]


def test_header_only_work_is_compared_by_its_parent() -> None:
    watch, root = BehindWatch(), FixedRoot(bytes(32))
    bare = job(None, merkle=root, prev_hash=b"\x07" * 32)
    assert tip_of(bare) is None
    for other, old in ((tip(100, parent=b"\x07" * 32), True), (tip(100, parent=bytes(32)), False)):
        watch.see(bare, [other], 0.0)
        assert bool(watch.see(bare, [other], BEHIND_S)) is old


def test_a_pool_behind_another_one_is_connected_anew() -> None:
    rig = Rig("ab")
    rig["a"].says(Health.DOWN)
    rig["b"].works()
    rig["a"].works()  # the work is not back yet: both are connected
    assert rig["a"].sink is not None
    newer = replace(rig.log.jobs[-1], source="a", height=(rig.log.jobs[-1].height or 0) + 1)
    rig["a"].sink.job(newer)
    rig.later(1.0)
    rig.later(29.0)
    assert (rig["a"].renewed, rig["b"].renewed) == ([], [])
    rig.later(1.0)
    assert rig["a"].renewed == []
    (why,) = rig["b"].renewed
    assert why.startswith("its work is older than the chain: a has had block")


def test_a_pool_behind_your_node_is_connected_anew() -> None:
    known: list[Tip | None] = [None]
    rig = Rig("a", elsewhere=lambda: known[0])
    given = rig["a"].works()
    rig.later(100.0)
    known[0] = Tip("http://127.0.0.1:8332", given.height or 0, given.nbits)
    rig.later(1.0)
    rig.later(30.0)
    (why,) = rig["a"].renewed
    assert "http://127.0.0.1:8332 has had block" in why


def test_a_connection_is_left_at_once_for_a_new_one() -> None:
    first, second = ListStream(logged_in()), ListStream(logged_in())
    made = bench(first, second)
    first.steps += [lambda _: made.connection.renew("its work is old"), b"", b"", 5.0]
    second.steps += [0.1]
    log = made.run()
    assert log.said("its work is old; connecting again")
    assert first.closed and made.link.opened[0] == made.link.opened[1]
    assert len(first.steps) >= 1, "it did not wait for anything"


def test_an_alarm_of_a_session_reaches_the_user_once() -> None:
    stream = ListStream(logged_in())
    made = bench(stream)

    def twice(_: ListStream) -> None:
        made.connection._handle([Notice("k", "act now", alarm=True)] * 2)

    stream.steps += [twice, 0.1]
    log = made.run()
    assert log.alarms == ["pool.example:3333: act now"]
