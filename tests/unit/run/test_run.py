"""A run without a head: two at once in one process, and views of every bad kind."""

import io
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from miner.run import config
from miner.run.run import Run
from miner.state import history
from miner.state.events import Event, ShareAnswered, Stopped
from miner.state.snapshot import Snapshot
from miner.views.jsonl import JsonView, event_line, status_line
from tests.fakes.engine import until
from tests.fakes.pool import FakePool

STOP_S = 0.2  # a bad view may make a stop this much longer


class Collecting:
    """A view that keeps all it is shown."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.last: Snapshot | None = None

    def event(self, event: Event) -> None:
        self.events.append(event)

    def tick(self, now: Snapshot) -> None: ...

    def close(self, last: Snapshot) -> None:
        self.last = last


class Blocking(Collecting):
    """Never gives control back."""

    def event(self, event: Event) -> None:
        threading.Event().wait()


class Raising(Collecting):
    def event(self, event: Event) -> None:
        raise RuntimeError("a bug of the view")

    def tick(self, now: Snapshot) -> None:
        raise RuntimeError("a bug of the view")


class Slow(Collecting):
    def event(self, event: Event) -> None:
        time.sleep(1.0)


@pytest.fixture
def pool() -> Iterator[FakePool]:
    with FakePool(difficulty="1e-6") as made:
        yield made


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINER_HOME", str(tmp_path / "home"))


def made(pool: FakePool, user: str = "u", **flags: object) -> Run:
    plain = {"pool": (pool.url,), "user": (user,), "backend": ("hashlib",), "threads": "1"}
    return Run(config.load({**plain, "idle": False, **flags}, {}))


def stop_time(pool: FakePool, *views: Collecting) -> float:
    """Seconds that a stop takes, after some shares; hashing must go on beside the views."""
    run = made(pool)
    for view in views:
        run.add(view)
    run.start()
    shares = len(pool.shares())
    pool.wait(lambda: len(pool.shares()) > shares + 20, 30)
    began = time.monotonic()
    run.stop()
    took = time.monotonic() - began
    assert run.outcome == ("stopped", None)
    return took


def test_two_runs_at_once_in_one_process_on_two_pools(pool: FakePool) -> None:
    """Each sees its own pool, shares and events alone; one stops and the other goes on."""
    with FakePool(difficulty="1e-6") as other:
        runs, views = (made(pool, "one"), made(other, "two")), (Collecting(), Collecting())
        for run, view in zip(runs, views, strict=True):
            run.add(view)
            run.start()
        for one in (pool, other):
            one.wait(lambda one=one: len(one.shares()) > 10, 30)  # type: ignore[misc]
        runs[0].stop()
        shares = len(other.shares())
        other.wait(lambda: len(other.shares()) > shares + 10, 30)
        assert runs[1].wait(0.0) is None
        runs[1].stop()
        for run, view, one in zip(runs, views, (pool, other), strict=True):
            now = run.snapshot()
            assert now == view.last
            assert [row.name for row in now.sources] == [f"127.0.0.1:{one.port}"]
            assert now.shares.accepted == len(one.shares())
            assert isinstance(view.events[-1], Stopped)
            answers = [event for event in view.events if isinstance(event, ShareAnswered)]
            assert {event.source for event in answers} == {f"127.0.0.1:{one.port}"}


@pytest.mark.parametrize("bad", [Blocking, Raising, Slow])
def test_a_bad_view_holds_neither_the_run_nor_its_stop(
    pool: FakePool, bad: type[Collecting]
) -> None:
    without = stop_time(pool, Collecting())
    good = Collecting()
    assert stop_time(pool, bad(), good) < without + STOP_S + 0.3  # and a busy machine
    assert isinstance(good.events[-1], Stopped)


def test_events_and_snapshots_are_what_the_json_view_prints(pool: FakePool) -> None:
    run, out, seen = made(pool, stop_after=("5shares",)), io.StringIO(), Collecting()
    run.add(seen)
    run.add(JsonView(out))
    run.start()
    outcome = run.wait(60.0)
    assert outcome is not None
    assert outcome.reason == "goal reached: 5 shares"
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    events = [line for line in lines if line["type"] != "status"]
    assert events == json.loads(json.dumps([event_line(event) for event in seen.events]))
    assert seen.last is not None
    last = json.loads(json.dumps(status_line(seen.last)))
    assert {**lines[-1], "time_s": 0} == {**last, "time_s": 0}


def test_a_pause_stops_hashing_and_keeps_the_pool(pool: FakePool) -> None:
    run = made(pool)
    run.start()
    pool.wait(lambda: len(pool.shares()) > 5, 30)
    run.pause(True)
    until(lambda: run.snapshot().run.activity.value == "paused")
    hashes = run.snapshot().run.hashes
    time.sleep(0.6)
    now = run.snapshot().run
    assert (now.paused, now.hashes) == (True, hashes)
    run.pause(False)
    until(lambda: run.snapshot().run.hashes > hashes)
    assert len(pool.connections) == 1
    run.stop()


def test_history_is_written_at_the_stop(
    pool: FakePool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "FINE_S", 0.5)
    run = made(pool, stop_after=("3s",))
    run.start()
    assert run.wait(60.0) is not None
    kept = json.loads((tmp_path / "home" / "state" / "history.json").read_text())
    assert len(kept["fine"]) >= 1
    assert kept["fine"][0][1] > 0


def test_a_run_that_was_never_started_can_be_stopped(pool: FakePool) -> None:
    run = made(pool)
    assert run.snapshot().run.hashes == 0
    run.stop()
    assert run.wait(0.0) is not None
