"""A node that refuses every block of an easy chain is not flooded; a hard chain's get every one."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from miner.bitcoin.target import DIFF1_TARGET
from miner.protocol.gbt.verdicts import Judgement, Ruling
from miner.sources.node import submitter
from miner.sources.node.refusals import PATIENCE, PAUSE_S, Refusals, is_easy
from miner.sources.node.submitter import Submitter
from miner.transport.credentials import CookieFile
from miner.transport.endpoint import parse_node_url
from miner.transport.rpc import Rpc
from miner.work.found import FoundBlock
from tests.fakes.node import GENESIS, FakeNode
from tests.fakes.sink import FAST, until
from tests.faults import fault

EASY, HARD = 0x207FFFFF, 0x1D00FFFF  # HARD is difficulty 1 exactly
SHORT_S = 0.3  # instead of PAUSE_S


def header(nbits: int, number: int = 0) -> bytes:
    parent = bytes.fromhex(GENESIS["regtest"])[::-1]
    numbers = nbits.to_bytes(4, "little") + number.to_bytes(4, "little")
    return bytes(4) + parent + bytes(36) + numbers


def block(number: int, nbits: int = EASY, height: int = 7) -> FoundBlock:
    return FoundBlock(
        "node", f"{number:064x}", height, header(nbits, number), "gbt", header(nbits, number).hex()
    )


class Board:
    """Collects the rulings."""

    def __init__(self) -> None:
        self.rulings: list[tuple[str, Judgement]] = []

    def ruled(self, who: Submitter, found: FoundBlock, judgement: Judgement) -> None:
        self.rulings.append((found.hash_hex, judgement))

    def is_settled(self, found: FoundBlock) -> bool:
        return False

    def skipped(self) -> list[int]:
        return [int(n, 16) for n, judgement in self.rulings if judgement.ruling is Ruling.NOT_SENT]


class Refusing:
    """A submitter before a node that answers `word` to each block."""

    def __init__(self, folder: Path, word: str) -> None:
        self.node, self.board = FakeNode(folder), Board()
        self.node.do_submitblock = lambda *_: word  # type: ignore[method-assign]
        self.node.start()
        lanes = [
            Rpc(parse_node_url(self.node.url, 1).endpoint, CookieFile(self.node.cookie), 5.0)
            for _ in range(2)
        ]
        self.submitter = Submitter("node", (lanes[0], lanes[1]), self.board, FAST)
        self.submitter.chain = "regtest"
        self.submitter.start()

    def close(self) -> None:
        self.submitter.stop()
        self.submitter.join(time.monotonic() + 5.0)
        self.node.stop()

    def send(self, *blocks: FoundBlock, replayed: bool = False) -> None:
        for found in blocks:
            self.submitter.send(found, replayed=replayed)

    def sent(self) -> list[float]:
        return [at for at, method, _ in self.node.calls if method == "submitblock"]

    def refuse_ten(self) -> None:
        self.send(*[block(number) for number in range(PATIENCE)])
        until(lambda: len(self.sent()) == PATIENCE)
        until(lambda: len(self.board.rulings) >= PATIENCE)


@pytest.fixture
def refusing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Refusing]]:
    """Starts a node that refuses; the pause is shortened."""
    monkeypatch.setattr(submitter, "PAUSE_S", SHORT_S)
    with ExitStack() as stack:

        def go(word: str = "bad-cb-amount") -> Refusing:
            made = Refusing(tmp_path, word)
            stack.callback(made.close)
            return made

        yield go


@fault("G42")
def test_of_new_blocks_on_a_hopeless_node_the_newest_waits(
    refusing: Callable[..., Refusing],
) -> None:
    it = refusing()
    it.refuse_ten()
    it.send(*[block(number, height=8) for number in range(100, 105)], block(105, height=7))
    until(lambda: len(it.sent()) == PATIENCE + 1)
    assert it.sent()[-1] - it.sent()[-2] >= SHORT_S - 0.02
    assert sorted(it.board.skipped()) == [100, 101, 102, 103, 105]
    until(lambda: it.board.rulings[-1][0] == block(104).hash_hex)
    assert PAUSE_S == 5.0


@fault("G42")
def test_blocks_of_the_journal_are_sent_however_hopeless(
    refusing: Callable[..., Refusing],
) -> None:
    it = refusing()
    it.refuse_ten()
    it.send(*[block(number) for number in range(100, 103)], replayed=True)
    until(lambda: len(it.sent()) == PATIENCE + 3)
    gaps = [after - before for before, after in pairwise(it.sent()[PATIENCE - 1 :])]
    assert min(gaps) >= SHORT_S - 0.02
    assert not it.board.skipped()


@fault("G42")
def test_retries_count(refusing: Callable[..., Refusing]) -> None:
    it = refusing("prev-blk-not-found")
    it.send(*[block(number) for number in range(4)])
    until(lambda: len(it.sent()) == PATIENCE + 3)
    gaps = [after - before for before, after in pairwise(it.sent()[PATIENCE:])]
    assert min(gaps) >= SHORT_S - 0.02
    assert not it.board.skipped()


@fault("G42")
def test_at_difficulty_1_every_block_is_sent_at_once(
    refusing: Callable[..., Refusing],
) -> None:
    it = refusing()
    began = time.monotonic()
    it.send(*[block(number, HARD) for number in range(4 * PATIENCE)])
    until(lambda: len(it.sent()) == 4 * PATIENCE)
    assert time.monotonic() - began < 30 * SHORT_S  # with pauses
    assert not it.board.skipped()


def test_the_same_reason_in_a_row_makes_a_node_hopeless() -> None:
    refusals = Refusals()
    for number in range(PATIENCE):
        assert not refusals.hopeless
        refusals.note(f"bad-version({number:#010x})")
    assert refusals.hopeless
    assert "10 blocks" in str(refusals) and "bad-version" in str(refusals)
    refusals.note("high-hash")
    assert not refusals.hopeless


@pytest.mark.parametrize("other", ["", "high-hash"])
def test_another_answer_is_hope(other: str) -> None:
    refusals = Refusals()
    for _ in range(PATIENCE - 1):
        refusals.note("bad-version")
    refusals.note(other)
    refusals.note("bad-version")
    assert not refusals.hopeless


@pytest.mark.parametrize(
    ("nbits", "easy"),
    [(EASY, True), (HARD, False), (0x1D010000, True), (0x1C0FFFFF, False), (0xFF800000, False)],
)
def test_easy_is_easier_than_difficulty_1(nbits: int, easy: bool) -> None:
    assert is_easy(header(nbits)) is easy
    assert HARD.to_bytes(4, "big")[1:] == (DIFF1_TARGET >> 208).to_bytes(3, "big")
