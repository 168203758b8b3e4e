import errno
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from miner.errors import JournalError
from miner.files import try_lock
from miner.journal import Journal, disk, read
from miner.journal import file as journal_file
from miner.journal.file import slug
from miner.work.found import Answer, Verdict
from tests.fakes.found import hash_of, pool_block
from tests.fakes.found import solo_block as block
from tests.faults import fault


def verdict(number: int, answer: Answer = Answer.ACCEPTED) -> Verdict:
    return Verdict("node", hash_of(number), answer, is_block=True, reason="why")


def crash(journal: Journal) -> None:
    """Let go of the file as a killed process does: no settlement, no unlink."""
    os.close(journal._fd)
    journal._fd = -1


def reopen(folder: Path, key: str = "node") -> Journal:
    journal = Journal.open_own(folder, key)
    journal.earlier.read(folder)
    return journal


def test_a_block_survives_a_crash_and_stays_in_its_file_until_it_is_settled(
    tmp_path: Path,
) -> None:
    first = reopen(tmp_path)
    first.append(block(1))
    first.append(block(2))
    first.settle(verdict(1))
    crash(first)
    second, third = reopen(tmp_path), reopen(tmp_path)
    for journal in (second, third):  # whoever can deliver it may
        assert [tuple(left) for left in journal.left] == [(block(2), first.path)]
        assert (journal.waiting, journal.waiting_count) == ((block(2),), 1)
    assert second.settle(verdict(2))
    assert (second.waiting, second.waiting_count) == ((), 0)
    assert not first.path.exists()
    third.settle(verdict(2))  # its file is gone: nothing to do
    second.close()
    third.close()
    assert list(tmp_path.iterdir()) == []


def test_every_field_comes_back(tmp_path: Path) -> None:
    journal = reopen(tmp_path)
    odd = replace(
        pool_block(1, "ab"),
        height=None,
        source="é \n",
        payload='{"params":["\\u00e9","","","",""]}',
    )
    journal.append(odd)
    crash(journal)
    again = reopen(tmp_path)
    assert again.waiting == (odd,)
    again.close()


@pytest.mark.parametrize(
    ("answer", "left"),
    [(Answer.ACCEPTED, []), (Answer.REJECTED, [".kept"]), (Answer.STALE, [".kept"])],
)
@fault("P20")
def test_a_lost_block_is_kept_but_not_tried_again(
    tmp_path: Path, answer: Answer, left: list[str]
) -> None:
    journal = reopen(tmp_path)
    journal.append(block(1))
    assert journal.settle(verdict(1, answer))
    assert not journal.settle(verdict(1, answer))  # settled exactly once
    assert journal.waiting == ()
    journal.close()
    journal.close()
    assert [path.suffix for path in tmp_path.iterdir()] == left
    later = reopen(tmp_path)
    assert later.waiting == ()
    later.close()


@pytest.mark.parametrize("answer", [Answer.UNKNOWN, Answer.PENDING])
def test_no_final_verdict_no_settlement(tmp_path: Path, answer: Answer) -> None:
    journal = reopen(tmp_path)
    journal.append(block(1))
    assert not journal.settle(verdict(1, answer))
    assert journal.waiting == (block(1),)
    journal.close()
    assert journal.path.exists()


@fault("P03")
def test_truncated_at_every_byte_keeps_the_whole_records(tmp_path: Path) -> None:
    journal = reopen(tmp_path)
    journal.append(block(1))
    first = journal.path.stat().st_size
    journal.append(block(2))
    data = journal.path.read_bytes()
    journal.close()
    for cut in range(len(data) - 1):
        contents = read(data[:cut])
        whole = int(cut >= first - 1)  # a record is whole without its newline too
        assert list(contents.waiting.values()) == [block(1)][:whole]
        assert len(contents.damaged) == (cut not in (0, first - 1, first))
    assert list(read(data[:-1]).waiting) == [block(1).hash_hex, block(2).hash_hex]


@fault("P03")
def test_a_flipped_byte_costs_its_record_alone(tmp_path: Path) -> None:
    journal = reopen(tmp_path)
    journal.append(block(1))
    first = journal.path.stat().st_size
    journal.append(block(2))
    data = bytearray(journal.path.read_bytes())
    journal.close()
    for position in range(0, first - 1, 7):
        torn = bytearray(data)
        torn[position] ^= 0x01
        contents = read(bytes(torn))
        assert block(2) in contents.waiting.values()
        assert block(1) not in contents.waiting.values()
        assert contents.damaged


@fault("P03")
def test_damage_is_kept_aside_and_the_file_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "blocks"
    journal = Journal(path, "node")
    journal.append(block(1))
    crash(journal)
    with path.open("ab") as file:
        file.write(b'HHJ1 000000ff 00000000 {"v":1,"ty')
    journal = Journal(path, "node")
    assert journal.waiting == (block(1),)
    assert "damaged" in journal.notes[0]
    assert b'"ty' in (tmp_path / "blocks.damaged").read_bytes()
    journal.append(block(2))  # after the torn tail, on a line of its own
    crash(journal)
    journal = Journal(path, "node")
    assert journal.waiting == (block(1), block(2))
    journal.close()


@fault("P06")
def test_a_second_instance_on_one_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "blocks"
    journal = Journal(path, "node")
    program = f"import miner.journal as j, pathlib; j.Journal(pathlib.Path({str(path)!r}), 'node')"
    other = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True)
    assert "JournalError" in other.stderr
    assert "in use by another miner" in other.stderr
    journal.close()
    assert path.exists()  # the user's own file is never deleted


@fault("P06")
def test_by_default_each_instance_has_its_own_file(tmp_path: Path) -> None:
    one, two = reopen(tmp_path), reopen(tmp_path)
    one.append(block(1))
    assert one.path != two.path
    assert two.waiting == ()
    crash(one)
    two.close()
    three = reopen(tmp_path)
    assert three.waiting == (block(1),)
    three.close()


def test_files_of_another_source_are_read_as_well(tmp_path: Path) -> None:
    mine, other = reopen(tmp_path, "pool-a"), reopen(tmp_path, "pool-b")
    other.append(block(3))
    crash(other)
    mine.close()
    again = reopen(tmp_path, "pool-a")
    assert again.waiting == (block(3),)
    assert other.path.exists()
    again.close()
    assert other.path.exists()


def test_one_file_named_by_the_user_offers_other_sources_blocks(tmp_path: Path) -> None:
    path = tmp_path / "blocks"
    journal = Journal(path, "pool-a")
    journal.append(block(1))
    crash(journal)
    journal = Journal(path, "pool-b")
    assert [tuple(left) for left in journal.left] == [(block(1), path)]
    journal.close()
    journal = Journal(path, "pool-a")
    assert journal.waiting == (block(1),)
    journal.close()


def test_a_file_read_by_a_start_is_not_in_use(tmp_path: Path) -> None:
    """Two starts at one moment read the same files: neither may believe a miner runs there."""
    first = reopen(tmp_path)
    first.append(block(1))
    crash(first)
    fd = disk.open_private(first.path)
    assert try_lock(fd, shared=True)
    second = reopen(tmp_path)
    assert second.waiting == (block(1),)
    os.close(fd)
    second.close()


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_the_file_is_private_and_no_link_is_followed(tmp_path: Path) -> None:
    journal = reopen(tmp_path / "new" / "folder")
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700
    journal.close()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(JournalError, match="link"):
        Journal(tmp_path / "link", "node")
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@fault("P04")
def test_a_failing_disk_keeps_the_block_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    journal = reopen(tmp_path)
    write = os.write
    room = [5]  # bytes the disk takes before it fails

    def failing(fd: int, data: bytes) -> int:
        if room[0] <= 0:
            raise OSError(code, os.strerror(code))
        taken = write(fd, bytes(data[: room[0]]))
        room[0] -= taken
        return taken

    monkeypatch.setattr(os, "write", failing)
    with pytest.raises(OSError, match=os.strerror(code)):
        journal.append(block(1))
    assert journal.waiting == (block(1),)
    room[0] = 1 << 20
    journal.append(block(2))  # the disk is well again: both are written
    crash(journal)
    monkeypatch.undo()
    again = reopen(tmp_path)
    assert again.waiting == (block(1), block(2))
    again.close()


@fault("P04")
def test_a_block_the_disk_refused_still_settles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = reopen(tmp_path)

    def broken(fd: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="broken"):
        journal.append(block(1))
    assert journal.settle(verdict(1))
    assert journal.waiting == ()
    journal.close()


def test_a_long_run_does_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "RETIRE_BYTES", 2000)
    journal = reopen(tmp_path)
    for number in range(30):
        journal.append(block(number))
        journal.settle(verdict(number))
    assert journal.path.stat().st_size < 3000
    journal.close()


@pytest.mark.skipif(os.name == "nt", reason="POSIX files")
@pytest.mark.parametrize("kind", ["pipe", "/dev/null", "/dev/full", "/dev/zero"])
@fault("P04")
def test_what_keeps_no_bytes_is_no_journal(tmp_path: Path, kind: str) -> None:
    """Reading a device may never end, and what it takes is gone."""
    path = Path(kind)
    if kind == "pipe":
        os.mkfifo(path := tmp_path / "pipe")
    with pytest.raises(JournalError, match="no ordinary file"):
        Journal(path, "node")


@pytest.mark.skipif(os.name == "nt", reason="POSIX files")
@fault("P03")
def test_a_pipe_among_the_journals_is_passed_over(tmp_path: Path) -> None:
    first = reopen(tmp_path)
    os.mkfifo(tmp_path / f"{slug('node')}-1-aa.journal")
    first.append(block(1))
    crash(first)
    second = reopen(tmp_path)
    assert second.waiting == (block(1),)
    second.close()


@fault("P04")
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(JournalError, match="name another file with --journal"):
        reopen(tmp_path / "file")
    with pytest.raises(JournalError, match="name another file with --journal"):
        reopen(tmp_path / "file" / "below")


@fault("P04")
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Journal, "_load", broken)
    with pytest.raises(JournalError, match="Input/output error"):
        reopen(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="flock")
@fault("P06")
def test_a_file_system_without_locks_is_not_another_miner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.raises(JournalError, match="cannot be locked: No locks available"):
        reopen(tmp_path)
