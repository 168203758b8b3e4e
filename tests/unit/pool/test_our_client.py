"""Our own Stratum session against our own server, in memory: each understands the other."""

import random
from dataclasses import replace

import pytest

from miner.pool.values import Answer, ShareJudged
from miner.protocol.pool import JobReceived, Ready, ShareAnswered
from miner.protocol.stratum.session import StratumSession
from miner.protocol.stratum.settings import SessionSettings
from miner.work.found import Answer as Verdict
from miner.work.found import Share
from miner.work.job import Job
from miner.work.roll import Roller
from tests.unit.pool.kit import EASY_TARGET, SECOND_TIP, Line, Rig

SETTINGS = SessionSettings("class", "Ann", agent="homehash/test", suggest_difficulty=1e-6)


class Client:
    """A StratumSession whose bytes go through the door, in segments of any size."""

    def __init__(self, rig: Rig, settings: SessionSettings = SETTINGS, seed: int = 1) -> None:
        self.rig, self.dice = rig, random.Random(seed)
        self.line = Line(rig)
        self.heard = b""
        self.line.miner.hear = self._hear  # type: ignore[method-assign]
        self.session = StratumSession(settings, 1, rig.now)
        self.events: list[object] = []
        self.session.open()
        self.exchange()

    def _hear(self, data: bytes) -> list[object]:
        self.heard += data
        return []

    def exchange(self) -> None:
        """Until neither has more to say."""
        while (out := b"".join(self.session.data_to_send())) or self.heard:
            while out:
                cut = self.dice.randrange(1, len(out) + 1)
                self.line.connection.data_received(out[:cut])
                out = out[cut:]
            heard, self.heard = self.heard, b""
            cut = self.dice.randrange(len(heard) + 1)
            self.events += self.session.receive(heard[:cut], self.rig.now)
            self.events += self.session.receive(heard[cut:], self.rig.now)

    @property
    def jobs(self) -> list[Job]:
        return [event.job for event in self.events if isinstance(event, JobReceived)]

    def mine(self, wants: int = 1) -> Share:
        """A share of the newest job, found as the engine does."""
        roller = Roller(self.jobs[-1], self.dice.randrange(1 << 32))
        while (unit := roller.next(wants, 0.0)) is not None:
            for nonce in range(4000):
                for version in unit.versions:
                    if (share := Share.from_hit(unit, version, nonce)) is not None:
                        return share
        raise AssertionError("no unit is left")

    def submit(self, share: Share) -> ShareAnswered:
        before = len(self.events)
        self.events += self.session.submit(share, self.rig.now)
        self.exchange()
        (answered,) = (one for one in self.events[before:] if isinstance(one, ShareAnswered))
        return answered


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mask", [0, 0x1FFFE000])
def test_a_session_opens_mines_and_is_credited(seed: int, mask: int) -> None:
    rig = Rig()
    rig.new_template()
    client = Client(rig, replace(SETTINGS, version_mask=mask), seed)
    assert client.session.ready and client.session.granted == (mask or None)
    ready = [event for event in client.events if isinstance(event, Ready)]
    assert ready and not client.session.bad_messages
    assert client.jobs[-1].height == 5 and client.jobs[-1].version_mask == mask
    for _ in range(2):
        share = client.mine(wants=4 if mask else 1)
        assert client.submit(share).verdict.answer is Verdict.ACCEPTED
    assert [event.answer for event in rig.of(ShareJudged)] == [Answer.ACCEPTED] * 2


def test_a_new_tip_makes_old_shares_stale_and_work_clean() -> None:
    rig = Rig()
    rig.new_template()
    client = Client(rig)
    old = client.mine()
    rig.new_template(SECOND_TIP, 6)
    client.exchange()
    assert client.jobs[-1].clean and client.jobs[-1].height == 6
    answered = client.submit(old)
    assert answered.verdict.answer is Verdict.STALE
    assert client.submit(client.mine()).verdict.answer is Verdict.ACCEPTED


def test_a_broken_connection_is_resumed_and_nothing_is_lost_or_doubled() -> None:
    rig = Rig()
    rig.new_template()
    first = Client(rig)
    share = first.mine()
    first.events += first.session.submit(share, rig.now)
    lost = b"".join(first.session.data_to_send())  # the cable is pulled before the answer came
    first.line.connection.data_received(lost)
    first.line.leave()
    again = Client.__new__(Client)
    again.rig, again.dice, again.events, again.heard = rig, random.Random(2), [], b""
    again.line = Line(rig)
    again.line.miner.hear = again._hear  # type: ignore[method-assign]
    again.session = StratumSession(SETTINGS, 2, rig.now, first.session.leave())
    again.session.open()
    again.exchange()
    assert again.session.resumed
    answers = [event.verdict for event in again.events if isinstance(event, ShareAnswered)]
    assert [verdict.answer for verdict in answers] == [Verdict.ACCEPTED]  # "duplicate": it arrived
    assert [event.answer for event in rig.of(ShareJudged)] == [Answer.ACCEPTED, Answer.DUPLICATE]
    assert again.submit(again.mine()).verdict.answer is Verdict.ACCEPTED


def test_the_difficulty_follows_the_miner_and_both_agree_on_the_target() -> None:
    rig = Rig(class_target=1)
    rig.new_template()
    client = Client(rig)
    for _ in range(9):
        rig.now += 0.25
        assert client.submit(client.mine()).verdict.answer is Verdict.ACCEPTED
    assert client.jobs[-1].share_target < client.jobs[0].share_target
    given = [one.share_target for one in client.jobs]
    assert len(set(given)) >= 2
    assert rig.room.view(rig.now).members[0].refused == 0


def test_a_homehash_hears_what_counts_as_a_block_and_no_other_miner_does() -> None:
    """On regtest's rules every second hash is a block of the chain, but not of the class."""
    rig = Rig()
    rig.new_template()
    client = Client(rig)
    assert client.jobs[-1].network_target == EASY_TARGET
    rig.room.set_target(EASY_TARGET >> 3, rig.now)
    client.exchange()
    assert client.jobs[-1].network_target == EASY_TARGET >> 3
    rig.room.set_target(None, rig.now)
    client.exchange()
    assert client.jobs[-1].network_target == 0x7FFFFF << 232
    assert not client.session.bad_messages
    foreign = rig.joined()
    assert "mining.set_class_target" not in {one.get("method") for one in foreign.miner.lines}
