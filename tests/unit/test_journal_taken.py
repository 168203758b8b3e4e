"""Files of the journal that were taken away, replaced, damaged, or grew long."""

import os
import shutil
from pathlib import Path

import pytest

from miner.journal import Journal
from tests.fakes.found import solo_block as block
from tests.faults import fault
from tests.unit.test_journal import crash, reopen


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be removed there")
@pytest.mark.parametrize("how", ["deleted", "folder deleted", "moved away", "replaced"])
@fault("P02")
def test_a_block_found_after_the_file_was_taken_away_survives(tmp_path: Path, how: str) -> None:
    """Cleaners of temporary folders remove files in use; bytes in a nameless one are lost."""
    folder = tmp_path / "journal"
    journal = reopen(folder)
    journal.append(block(1))
    if how == "folder deleted":
        shutil.rmtree(folder)
    elif how == "moved away":
        journal.path.rename(tmp_path / "elsewhere")
    else:
        journal.path.unlink()
    if how == "replaced":
        journal.path.write_bytes(b"not a whole line")
    journal.append(block(2))
    crash(journal)
    again = reopen(folder)
    assert again.waiting == (block(1), block(2))
    again.close()


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be removed there")
@fault("P02")
def test_a_link_put_in_the_files_place_is_not_followed(tmp_path: Path) -> None:
    journal = reopen(tmp_path / "journal")
    (tmp_path / "target").write_text("precious")
    journal.path.unlink()
    journal.path.symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="symbolic"):
        journal.append(block(1))
    assert journal.waiting == (block(1),)
    assert (tmp_path / "target").read_text() == "precious"
    journal.close()


@fault("P03")
def test_damage_in_a_named_file_is_put_aside_once(tmp_path: Path) -> None:
    path = tmp_path / "blocks"
    path.write_bytes(b"HHJ1 rubbish\n")
    for _ in range(3):
        Journal(path, "node").close()
    assert (tmp_path / "blocks.damaged").read_bytes() == b"HHJ1 rubbish\n"


@fault("P02")
def test_a_long_journal_is_read_without_an_fsync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5 ms for each block made a start of minutes, in which nothing was mined or said."""
    dead = reopen(tmp_path)
    dead._append(map(block, range(2000)))
    crash(dead)
    syncs: list[int] = []
    monkeypatch.setattr(os, "fsync", syncs.append)
    again = reopen(tmp_path)
    assert again.waiting == tuple(map(block, range(2000)))
    assert again.waiting_count == 2000
    assert len(syncs) <= 1  # the folder
    again.close()
