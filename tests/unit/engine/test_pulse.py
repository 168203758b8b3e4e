"""A run that hashes nothing says so, says why, and raises an alarm after a minute."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from miner.engine.announcer import Announcer
from miner.engine.current import CurrentWork
from miner.engine.pulse import Pulse
from miner.engine.vitals import Vitals
from miner.state.activity import Activity
from miner.state.events import Event
from miner.state.status import Status
from miner.views.sentences import sentence
from tests.fakes.backend import FakeBackend
from tests.fakes.clock import FakeClock
from tests.fakes.engine import NEVER, Bench, bench_in, job, until

HARD: dict[str, Any] = {"share_target": NEVER, "network_target": NEVER}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr("miner.engine.pulse.BEAT_S", 0.3)
    monkeypatch.setattr("miner.engine.pulse.SILENT_S", 1.0)
    with bench_in(tmp_path) as made:
        yield made


def alarmed_at(pulse: Pulse, script: list[tuple[int, bool]]) -> list[int]:
    """The seconds at which a silence is told; one (hashes, excused) a second."""
    told = []
    for second, (hashes, excused) in enumerate(script):
        pulse.see(hashes, excused, float(second))
        if pulse.silence(float(second)) is not None:
            told.append(second)
    return told


def test_a_silence_is_told_once_and_again_after_hashes() -> None:
    script = [(1, False)] * 200 + [(2, False)] * 100
    assert alarmed_at(Pulse(0.0), script) == [60, 260]


def test_nothing_is_told_while_nobody_expects_a_hash() -> None:
    assert alarmed_at(Pulse(0.0), [(1, True)] * 500) == []
    assert alarmed_at(Pulse(0.0), [(1, True)] * 100 + [(1, False)] * 100) == [159]


def test_it_mines_only_while_hashes_were_counted_a_moment_ago() -> None:
    pulse = Pulse(0.0)
    assert not pulse.beats(0.0) and not pulse.began
    pulse.see(5, False, 10.0)
    assert pulse.beats(12.0) and not pulse.beats(12.1) and pulse.began


def test_a_used_up_nonce_space_is_named(bench: Bench) -> None:
    bench.run(FakeBackend())
    small = job(extranonce2_size=0, version_mask=0, nonces=range(64), **HARD)
    bench.source.sink.job(small)
    until(lambda: bench.engine.snapshot().run.activity is Activity.USED_UP)
    until(lambda: "no hash for 1 s: nonce space used up" in bench.alarms())
    bench.source.sink.job(job("b", **HARD))
    until(lambda: bench.engine.snapshot().run.activity is Activity.MINING)
    assert bench.alarms().count("no hash for") == 1


def test_a_node_that_gives_no_next_job_is_named(bench: Bench) -> None:
    bench.run(FakeBackend())
    bench.source.sink.job(job())
    until(lambda: bench.status.blocks_accepted == 1)
    until(lambda: bench.engine.snapshot().run.activity is Activity.NO_JOB)
    until(lambda: "waiting for the next job; the node gives no job on top" in bench.alarms())


def test_a_node_that_never_judges_is_named(bench: Bench) -> None:
    bench.source.answer = lambda share: None
    bench.run(FakeBackend())
    bench.source.sink.job(job())
    until(lambda: "no hash for 1 s: waiting for a verdict" in bench.alarms())


def test_paced_blocks_and_a_lost_pool_raise_no_alarm() -> None:
    """Five minutes of each, by a clock that is moved."""
    clock = FakeClock()
    told: list[Event] = []
    status, work = Status(clock()), CurrentWork(clock)
    vitals = Vitals(status, work, Announcer(status, told.append))

    def after(minutes: int) -> Activity:
        for _ in range(60 * minutes):
            clock.move(1.0)
            vitals.tick(clock(), stood=False)
        return status.activity

    work.opens = clock() + 300.0
    work.take(job(), lambda: 0)
    assert after(4) is Activity.PACED
    work.pause(Activity.NO_WORK, paused=True)  # as the loop does when no source is ready
    assert after(5) is Activity.NO_WORK
    assert told == []
    work.pause(Activity.NO_WORK, paused=False)
    assert after(2) is Activity.STARTING  # the pause between blocks is over, and no worker hashes
    assert [sentence(event) for event in told] == ["no hash for 60 s: starting; see `miner doctor`"]
