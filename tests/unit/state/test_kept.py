"""What outlives a run when miners share a state folder, run after each other, or are killed."""

import json
from pathlib import Path

import pytest

from miner import files
from miner.state.history import Reading
from miner.state.kept import Kept, Totals
from miner.state.status import Status


def hour(kept: Kept, rate: int) -> None:
    for second in range(3_601):
        kept.history.see(float(second), 1e6 + second, Reading(second * rate, 0, 0))


def test_the_totals_of_runs_add_up(tmp_path: Path) -> None:
    for run in (1, 2, 3):
        kept = Kept(0.0, tmp_path)
        kept.lifetime.mine = Totals(10.0, 5)
        kept.save()
        kept.lifetime.mine = Totals(60.0, 100)
        assert kept.lifetime.total == Totals(60.0 * run, 100 * run)
        kept.close()
    status = Status(0.0, Kept(0.0, tmp_path))
    status.tick(20.0)
    now = status.snapshot(20.0).run
    assert (now.lifetime_s, now.lifetime_hashes) == (200.0, 300)


def test_two_miners_at_once_both_count(tmp_path: Path) -> None:
    one, two = Kept(0.0, tmp_path), Kept(0.0, tmp_path)
    for step in range(1, 5):
        one.lifetime.mine, two.lifetime.mine = Totals(step, step), Totals(step, 10 * step)
        one.save()
        two.save()
    one.close()
    two.close()
    assert two.lifetime.total == Totals(8.0, 44)
    assert Kept(0.0, tmp_path).lifetime.total == Totals(8.0, 44)


def test_one_of_two_miners_writes_the_history(tmp_path: Path) -> None:
    """Both wrote it before, and the last one won."""
    one, two = Kept(0.0, tmp_path), Kept(0.0, tmp_path)
    assert one.owns_history()
    assert not two.owns_history()
    hour(one, 100)
    hour(two, 7)
    one.save()
    two.save()
    kept = json.loads((tmp_path / "history.json").read_text())
    assert {row[1] for row in kept["coarse"]} == {100.0}
    one.close()
    assert two.owns_history()  # it goes on where the first one left
    two.close()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"schema": 1}',
        '{"seconds": "x", "hashes": 1}',
        '{"schema": 1, "seconds": 1e999, "hashes": 1}',
        '{"schema": 1, "seconds": 1, "hashes": 1.5}',
    ],
)
def test_a_broken_file_of_totals_counts_from_nothing(content: str, tmp_path: Path) -> None:
    (tmp_path / "lifetime.json").write_text(content)
    kept = Kept(0.0, tmp_path)
    kept.lifetime.mine = Totals(1.0, 2)
    kept.close()
    assert Kept(0.0, tmp_path).lifetime.total == Totals(1.0, 2)


def test_a_lock_that_another_keeps_costs_this_save_alone(tmp_path: Path) -> None:
    other = files.locked(tmp_path / "totals.lock")
    assert other is not None
    kept = Kept(0.0, tmp_path)
    kept.lifetime.mine = Totals(1.0, 2)
    kept.save()
    assert not (tmp_path / "lifetime.json").exists()
    other.close()
    kept.close()
    assert Kept(0.0, tmp_path).lifetime.total == Totals(1.0, 2)


def test_without_a_folder_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = Kept(0.0)
    kept.lifetime.mine = Totals(1.0, 2)
    assert kept.owns_history()
    kept.close()
    assert not list(tmp_path.iterdir())
