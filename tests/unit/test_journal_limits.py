"""Foreign files, newer records, blocks that cannot be sent, and how much is kept of lost ones."""

import binascii
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from miner.errors import ConfigError
from miner.journal import Journal, earlier, encode, found_record, read
from miner.journal import file as journal_file
from miner.journal.records import trimmed
from miner.work.found import Answer, Verdict
from tests.fakes.found import hash_of, pool_block, solo_block

POOL: dict[str, object] = {"kind": "stratum", "context": "ab"}


def line_of(body: bytes) -> bytes:
    return b"HHJ1 %08x %08x %s\n" % (len(body), binascii.crc32(body), body)


def settle(journal: Journal, number: int, answer: Answer) -> None:
    journal.settle(Verdict("node", hash_of(number), answer, is_block=True, reason="why"))


# -- foreign files ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "content", [b"precious text\n", b"\n\nHello", b"HH?", b"\x00" * 5_000_000, b"hhj1 x\n"]
)
def test_a_file_that_is_no_journal_is_refused_and_not_touched(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "letters.txt"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"not a journal, it begins with b'.*name a new") as error:
        Journal(path, "node")
    assert error.value.exit_code == 2
    assert str(path) in str(error.value)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"\n", b"HH", b"HHJ1", b"\nHHJ1 torn"])
def test_what_a_crash_may_leave_is_still_a_journal(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "blocks"
    path.write_bytes(content)
    journal = Journal(path, "node")
    journal.append(solo_block(1))
    journal.close()
    assert list(read(path.read_bytes()).waiting.values()) == [solo_block(1)]


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be removed there")
def test_a_stranger_s_file_put_in_our_place_is_moved_not_written(tmp_path: Path) -> None:
    path = tmp_path / "blocks"
    journal = Journal(path, "node")
    journal.append(solo_block(1))
    path.unlink()
    path.write_bytes(b"precious")
    journal.append(solo_block(2))
    journal.close()
    assert list(read(path.read_bytes()).waiting.values()) == [solo_block(1), solo_block(2)]
    (aside,) = tmp_path.glob("blocks.aside-*")
    assert aside.read_bytes() == b"precious"


# -- newer and unusable records -----------------------------------------------------------------
@pytest.mark.parametrize(
    "line", [line_of(b'{"v":2,"type":"found"}'), b"HHJ2 whatever comes\n", line_of(b'{"v":99}')]
)
def test_records_of_a_newer_version_are_called_so_and_kept(tmp_path: Path, line: bytes) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    path = folder / "a.journal"
    path.write_bytes(encode(found_record("node", solo_block(1))) + line)
    journal = Journal.open_own(folder, "node")
    journal.earlier.read(folder)
    assert journal.waiting == (solo_block(1),)
    assert "1 records of a newer homehash" in journal.notes[0]
    assert "damaged" not in journal.notes[0]
    settle(journal, 1, Answer.ACCEPTED)
    journal.close()
    assert line in path.read_bytes()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"payload": "not hex"}, "non-hexadecimal"),
        ({"payload": "00" * 200}, "does not begin with its header"),
        ({"header": "00" * 79}, "its header has 79 bytes"),
        ({"hash_hex": "00" * 32}, "its hash is not that of its header"),
        ({"kind": "strange"}, "kind 'strange'"),
        (POOL | {"payload": "{}"}, "no mining.submit"),
        (POOL | {"payload": '{"params":[1,2,3,4,5]}'}, "not all params are texts"),
        (POOL | {"payload": "[" * 100_000}, ""),
        (POOL | {"payload": '{"params":["","","","",""]}', "context": "xy"}, "hex"),
    ],
)
def test_a_block_that_cannot_be_sent_is_named_and_kept_aside(
    tmp_path: Path, changes: dict[str, object], why: str
) -> None:
    record = encode(found_record("node", solo_block(1)) | changes)
    path = tmp_path / "blocks"
    path.write_bytes(record + encode(found_record("pool", pool_block(2))))
    journal = Journal(path, "node")
    assert journal.waiting == (pool_block(2),)
    (note,) = journal.notes
    assert why in note
    assert f"{path}: a block that cannot be sent" in note
    assert (tmp_path / "blocks.damaged").read_bytes() == record
    settle(journal, 2, Answer.ACCEPTED)
    journal.close()
    assert record in path.read_bytes()


def test_blocks_of_stratum_v2_are_known_and_their_payloads_checked() -> None:
    fields = {"channel_id": 1, "job_id": 2, "nonce": 3, "ntime": 4, "version": 5}
    block = replace(
        pool_block(1), kind="sv2", payload=json.dumps(fields | {"extranonce": None}), context="t"
    )
    assert list(read(encode(found_record("pool", block))).waiting.values()) == [block]
    for payload in ("{}", "[]", json.dumps({"solution": {}})):
        for kind in ("sv2", "template"):
            bad = replace(block, kind=kind, payload=payload)
            contents = read(encode(found_record("pool", bad)))
            assert (contents.waiting, len(contents.unusable)) == ({}, 1)


def test_a_block_that_cannot_be_sent_but_was_settled_is_forgotten() -> None:
    record = encode(found_record("node", solo_block(1)) | {"kind": "strange"})
    settled: dict[str, object] = {
        "type": "settled", "hash_hex": hash_of(1), "answer": "accepted"
    }  # fmt: skip
    contents = read(record + encode(settled))
    assert (contents.unusable, contents.keep) == ({}, False)


def test_params_kept_in_pieces_are_usable() -> None:
    """A pool that puts the password into a job id must not bring it onto the disk."""
    payload = '{"params":["u",["job-","-id"],"00","5f5e1000","00000001"]}'
    block = replace(pool_block(1), payload=payload)
    assert list(read(encode(found_record("pool", block))).waiting.values()) == [block]


# -- how much is kept ---------------------------------------------------------------------------
def test_at_most_so_many_refused_blocks_are_kept_and_every_waiting_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_file, "MOST_REFUSED", 20)
    journal = Journal(tmp_path / "blocks", "node")
    journal.append(solo_block(1000))
    for number in range(100):
        journal.append(solo_block(number))
        settle(journal, number, Answer.REJECTED)
        contents = read(journal.path.read_bytes())
        assert len(contents.refused) <= 20
        assert list(contents.waiting) == [hash_of(1000)]
    assert len(contents.refused) >= 14
    assert list(contents.refused)[-1] == hash_of(99)  # the oldest went first
    journal.append(solo_block(1001))  # the file goes on
    journal.close()
    again = Journal(journal.path, "node")
    assert again.waiting == (solo_block(1000), solo_block(1001))
    again.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blocks"]


def test_refused_blocks_take_at_most_so_many_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = len(encode(found_record("node", solo_block(10))))
    monkeypatch.setattr(journal_file, "MOST_REFUSED_BYTES", 10 * one)
    journal = Journal(tmp_path / "blocks", "node")
    for number in range(10, 60):
        journal.append(solo_block(number))
        settle(journal, number, Answer.STALE)
        assert journal.path.stat().st_size <= 10 * one
    journal.close()


def test_accepted_blocks_do_not_fill_a_file_that_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_file, "RETIRE_BYTES", 5_000)
    journal = Journal(tmp_path / "blocks", "node")
    for number in range(60):
        journal.append(solo_block(number))
        settle(journal, number, Answer.REJECTED if number == 0 else Answer.ACCEPTED)
        assert journal.path.stat().st_size < 7_000
    journal.close()
    assert list(read(journal.path.read_bytes()).refused) == [hash_of(0)]


def test_a_rewrite_that_the_disk_refuses_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_file, "MOST_REFUSED", 3)
    journal = Journal(tmp_path / "blocks", "node")

    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as ill:
        ill.setattr(os, "replace", full)
        for number in range(6):
            journal.append(solo_block(number))
            settle(journal, number, Answer.REJECTED)
    journal.append(solo_block(7))
    journal.close()
    contents = read(journal.path.read_bytes())
    assert (len(contents.refused), list(contents.waiting)) == (6, [hash_of(7)])


def test_trimming_leaves_every_line_it_does_not_know() -> None:
    strange = b"noise\n" + line_of(b'{"v":2}') + line_of(b'{"v":1,"type":"later"}')
    unusable = encode(found_record("n", solo_block(5)) | {"payload": "zz"})
    data = strange + encode(found_record("n", solo_block(1))) + unusable
    settled: dict[str, object] = {"type": "settled", "hash_hex": hash_of(1), "answer": "accepted"}
    assert trimmed(data + encode(settled), 10, 10_000) == strange + unusable


def test_files_put_away_are_pruned_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(earlier, "MOST_REFUSED", 5)
    for run in range(4):
        journal = Journal.open_own(tmp_path, "node")
        for number in range(2):
            journal.append(solo_block(10 * run + number))
            settle(journal, 10 * run + number, Answer.REJECTED)
        journal.close()
        os.utime(journal.path.with_suffix(".kept"), (run, run))
    precious = tmp_path / "old.kept"
    precious.write_bytes(encode(found_record("node", solo_block(99))))
    os.utime(precious, (0, 0))
    earlier.prune(tmp_path)
    kept = [read(path.read_bytes()) for path in tmp_path.glob("*.kept")]
    refused = {name for contents in kept for name in contents.refused}
    assert refused == {hash_of(10 * run + number) for run in (2, 3) for number in range(2)}
    assert precious.exists()  # something waits in it
