"""One word and its reason; the times are passed in."""

from dataclasses import replace

import pytest

from miner.state.activity import Activity
from miner.state.snapshot import Snapshot
from miner.views.health import FRESH_S, Health, Pulse
from tests.unit.views.web.kit import status


def at(now: Snapshot, change: int, **run: object) -> Snapshot:
    return replace(now, run=replace(now.run, **run), change=change)  # type: ignore[arg-type]


NOW = status().snapshot(60.0)
IDLE = at(NOW, 1, hashes=0)


def seen(*steps: tuple[float, Snapshot]) -> Health:
    """The health after these, each at its time."""
    pulse = Pulse(0.0)
    for when, snapshot in steps:
        pulse.see(when, snapshot)
    return pulse.health(*steps[-1])


def test_hashes_of_the_last_half_minute() -> None:
    assert seen((1.0, at(NOW, 2, hashes=5))).ok
    still = at(NOW, 3, hashes=5)
    assert seen((1.0, at(NOW, 2, hashes=5)), (1.0 + FRESH_S, still)).ok
    late = seen((1.0, at(NOW, 2, hashes=5)), (2.0 + FRESH_S, still))
    assert (late.ok, late.word) == (False, "waiting")
    assert "no hash for 31 s" in late.reason


@pytest.mark.parametrize(
    ("run", "ok", "word"),
    [
        ({"activity": Activity.STARTING}, False, "starting"),
        ({"activity": Activity.NO_WORK}, False, "waiting"),
        ({"activity": Activity.PAUSED, "paused": True}, True, "paused"),
        ({"activity": Activity.PACED, "paced": True}, True, "mining"),
        ({"activity": Activity.NO_WORK, "paced": True}, False, "waiting"),
        ({"activity": Activity.STOPPING}, False, "stopped"),
        ({"activity": Activity.STOPPED, "paused": True}, False, "stopped"),
    ],
)
def test_without_a_hash(run: dict[str, object], ok: bool, word: str) -> None:
    told = seen((1.0, at(IDLE, 2, **run)))
    assert (told.ok, told.word) == (ok, word)
    assert told.reason


def test_a_run_that_says_nothing_any_more() -> None:
    """Whatever it said last: its snapshots do not change."""
    last = at(NOW, 7, hashes=5, paused=True)
    told = seen((1.0, last), (2.0 + FRESH_S, last))
    assert (told.ok, told.word) == (False, "stuck")


def test_what_to_expect() -> None:
    none = replace(NOW.shares, found=0, accepted=0)
    waiting = replace(at(NOW, 2, hashes=9), shares=none, odds=replace(NOW.odds, share_s=190.0))
    assert seen((1.0, waiting)).reason == "no share yet; one comes in 3 min 10 s on average"
    slow = at(NOW, 2, hashes=9, below_benchmark=True)
    assert "benchmark" in seen((1.0, slow)).reason
