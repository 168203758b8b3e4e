"""The thread that writes what outlives a run."""

from pathlib import Path

from miner.run.background import Background
from miner.run.records import NOT_OURS, keeper
from miner.state.events import Event, HistoryTold
from miner.state.kept import Kept, Totals


def test_the_second_miner_of_a_folder_says_that_its_history_is_not_kept(tmp_path: Path) -> None:
    told: list[Event] = []
    first, second = (Kept(0.0, tmp_path) for _ in range(2))
    assert first.owns_history()
    records = Background("records", keeper(second, told.append), 5.0)
    records.start()
    second.lifetime.mine = Totals(1.0, 10)
    records.stop()
    assert [(type(event), event.to_dict()["text"]) for event in told] == [(HistoryTold, NOT_OURS)]
    assert not (tmp_path / "history.json").exists()
    assert Kept(0.0, tmp_path).lifetime.total == Totals(1.0, 10)  # the totals are everybody's
    first.close()
    assert (tmp_path / "history.json").exists()


def test_what_was_never_started_can_be_stopped(tmp_path: Path) -> None:
    kept = Kept(0.0, tmp_path / "new")
    Background("records", keeper(kept, lambda event: None), 5.0).stop()
    assert not (tmp_path / "new").exists()
