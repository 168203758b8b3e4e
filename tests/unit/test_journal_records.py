"""What a journal record may be, and what a file is worth keeping for."""

import binascii
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from miner.errors import JournalError
from miner.journal import Journal, block_of, decode, encode, found_record, read
from miner.journal import file as journal_file
from miner.journal.file import slug
from miner.work.found import Answer, Verdict
from tests.fakes.found import solo_block

BLOCK = solo_block(7)
FOUND = {"v": 1, **found_record("node", BLOCK)}


def line_of(body: bytes) -> bytes:
    """A record around any body, its length and checksum right."""
    return b"HHJ1 %08x %08x %s" % (len(body), binascii.crc32(body), body)


def verdict(answer: Answer = Answer.ACCEPTED, reason: str = "why") -> Verdict:
    return Verdict("node", BLOCK.hash_hex, answer, is_block=True, reason=reason)


def abandoned(journal: Journal) -> Path:
    """Let go of the file as a killed process does."""
    os.close(journal._fd)
    journal._fd = -1
    return journal.path


# -- records ------------------------------------------------------------------------------------
def test_a_record_is_a_line_with_length_and_checksum() -> None:
    line = encode({"type": "x"})
    assert line.endswith(b"\n")
    assert decode(line[:-1]) == {"v": 1, "type": "x"}
    for broken in (line, b" " + line[:-1], line[:-1] + b" ", line[:5] + b"0" + line[5:-1]):
        with pytest.raises(ValueError, match=r"not a journal record|length or checksum"):
            decode(broken)


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b'"v"', b"{}", b'{"v":0}', b'{"v":true}', b'{"v":"1"}']
)
def test_a_record_of_another_shape_or_version_is_not_ours(body: bytes) -> None:
    with pytest.raises(ValueError, match="unknown record version"):
        decode(line_of(body))


def test_the_length_and_the_checksum_are_both_checked() -> None:
    body = b'{"v":1}'
    good = line_of(body)
    for broken in (
        b"HHJ1 %08x %08x %s" % (len(body) + 1, binascii.crc32(body), body),
        b"HHJ1 %08x %08x %s" % (len(body), binascii.crc32(body) ^ 1, body),
    ):
        with pytest.raises(ValueError, match="length or checksum differs"):
            decode(broken)
    assert decode(good) == {"v": 1}


def test_a_block_comes_back_from_its_record() -> None:
    assert block_of(json.loads(json.dumps(FOUND))) == BLOCK
    assert block_of(FOUND | {"height": None}) == replace(BLOCK, height=None)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        *((name, value) for name in ("source", "hash_hex", "kind", "payload", "context", "header")
          for value in (None, 7, ["x"])),
        ("header", "zz"), ("height", "7"), ("height", 7.0), ("height", True), ("found_at", None),
        ("found_at", "1"), ("found_at", 1.5), ("found_at", True),
    ],
)  # fmt: skip
def test_a_field_of_the_wrong_type_is_no_block(name: str, bad: Any) -> None:
    with pytest.raises(ValueError, match=r"missing|non-hexadecimal"):
        block_of(FOUND | {name: bad})
    unusable = encode(FOUND | {name: bad})
    contents = read(unusable + encode(FOUND))
    assert (list(contents.waiting.values()), contents.damaged) == ([BLOCK], [])
    assert list(contents.unusable) == [unusable[:-1]]
    assert contents.keep


@pytest.mark.parametrize(
    ("answer", "keep"), [("accepted", False), ("rejected", True), ("stale", True), (None, True)]
)
def test_a_block_not_accepted_makes_a_file_worth_keeping(answer: str | None, keep: bool) -> None:
    settled = encode({"type": "settled", "hash_hex": BLOCK.hash_hex, "answer": answer})
    contents = read(encode(FOUND) + settled)
    assert (contents.waiting, contents.damaged, contents.keep) == ({}, [], keep)


def test_whose_run_found_a_block_does_not_matter() -> None:
    contents = read(encode({**FOUND, "key": "other"}))
    assert (list(contents.waiting.values()), contents.keep) == ([BLOCK], False)


# -- files --------------------------------------------------------------------------------------
def test_a_file_name_says_whose_blocks_it_holds() -> None:
    name = slug("https://pool.example:3333/x")
    assert re.fullmatch(r"https-pool\.example-3333-x-[0-9a-f]{8}", name)
    assert re.fullmatch(r"a{40}-[0-9a-f]{8}", slug("a" * 41))
    assert slug("a" * 41) != slug("a" * 42)
    assert slug("--x--").startswith("x-")


def test_each_file_of_one_process_has_its_own_name(tmp_path: Path) -> None:
    one, two = Journal.open_own(tmp_path, "node"), Journal.open_own(tmp_path, "node")
    for journal in (one, two):
        assert re.fullmatch(rf"node-[0-9a-f]{{8}}-{os.getpid()}-[0-9a-f]{{6}}", journal.path.stem)
        journal.close()


def test_a_reason_is_stored_up_to_200_characters(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "blocks", "node")
    journal.append(BLOCK)
    journal.settle(verdict(Answer.REJECTED, "r" * 201))
    journal.close()
    records = [decode(line) for line in journal.path.read_bytes().splitlines()]
    assert [record["type"] for record in records] == ["found", "settled"]
    assert (records[1]["answer"], records[1]["reason"]) == ("rejected", "r" * 200)


@pytest.mark.parametrize(("spare", "left"), [(0, "all"), (-1, "nothing")])
def test_a_settled_file_starts_again_above_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spare: int, left: str
) -> None:
    size = len(encode(FOUND)) + len(
        encode({"type": "settled", "hash_hex": BLOCK.hash_hex, "answer": "accepted",
                "reason": "why"})
    )  # fmt: skip
    monkeypatch.setattr(journal_file, "RETIRE_BYTES", size + spare)
    journal = Journal(tmp_path / "blocks", "node")
    journal.append(BLOCK)
    journal.settle(verdict())
    assert journal.path.stat().st_size == (size if left == "all" else 0)
    journal.append(BLOCK)
    assert list(read(journal.path.read_bytes()).waiting) == [BLOCK.hash_hex]
    journal.close()


def test_a_file_with_a_rejected_block_never_starts_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_file, "RETIRE_BYTES", 1)
    journal = Journal(tmp_path / "blocks", "node")
    journal.append(BLOCK)
    journal.settle(verdict(Answer.REJECTED))
    assert journal.path.stat().st_size > 1
    journal.close()


@pytest.mark.parametrize("what", ["damage", "rejected"])
def test_a_dead_process_s_file_of_worth_is_kept(tmp_path: Path, what: str) -> None:
    dead = Journal.open_own(tmp_path, "node")
    dead.append(BLOCK)
    dead.settle(verdict(Answer.ACCEPTED if what == "damage" else Answer.REJECTED))
    path = abandoned(dead)
    if what == "damage":
        with path.open("ab") as file:
            file.write(b"half a rec")
    journal = Journal.open_own(tmp_path, "node")
    journal.earlier.read(tmp_path)
    assert journal.waiting == ()
    assert not path.exists()
    assert path.with_suffix(".kept").exists()
    journal.close()


def test_a_file_without_its_last_newline_goes_on_with_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "blocks"
    path.write_bytes(encode(FOUND)[:-1])
    journal = Journal(path, "node")
    assert journal.waiting == (BLOCK,)
    second = solo_block(8)
    journal.append(second)
    journal.close()
    assert list(read(path.read_bytes()).waiting.values()) == [BLOCK, second]


def test_a_torn_file_of_an_earlier_run_is_settled_on_a_line_of_its_own(tmp_path: Path) -> None:
    dead = Journal.open_own(tmp_path, "node")
    dead.append(BLOCK)
    path = abandoned(dead)
    path.write_bytes(path.read_bytes() + b"HHJ1 half")
    journal = Journal.open_own(tmp_path, "node")
    journal.earlier.read(tmp_path)
    assert journal.settle(verdict(Answer.STALE))
    contents = read(path.with_suffix(".kept").read_bytes())
    assert (contents.waiting, list(contents.refused)) == ({}, [BLOCK.hash_hex])
    journal.close()


def test_a_record_of_an_unknown_type_says_nothing() -> None:
    contents = read(encode({"type": "later"}) + encode(FOUND))
    assert (list(contents.waiting.values()), contents.damaged, contents.keep) == (
        [BLOCK],
        [],
        False,
    )


def test_what_the_disk_refused_is_written_once_it_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "blocks", "node")
    assert (journal.catch_up(), journal.waiting_count) == (0, 0)

    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as ill:
        ill.setattr(os, "write", full)
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                journal.append(BLOCK)
            with pytest.raises(OSError, match="No space left"):
                journal.catch_up()
    assert journal.waiting_count == 1
    assert journal.catch_up() == 1
    size = journal.path.stat().st_size
    assert list(read(journal.path.read_bytes()).waiting.values()) == [BLOCK]
    assert journal.catch_up() == 0
    assert journal.path.stat().st_size == size
    journal.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(JournalError, match=r"journals .*file.*; name another file with --journal"):
        Journal.open_own(tmp_path / "file" / "journals", "node")
