"""Solo by template distribution: against a recording of sv2-tp, and against a double."""

from dataclasses import replace
from typing import Any

import pytest

from miner.bitcoin.tx import Transaction
from miner.errors import ConfigError, RemoteProtocolError
from miner.protocol.pool import Dropped, JobReceived, Notice, Ready, Refused, ShareAnswered
from miner.protocol.sv2 import messages as sv2
from miner.protocol.sv2.crypto import new_key
from miner.protocol.sv2.frames import Frame
from miner.protocol.sv2.link import SecureLink
from miner.protocol.sv2.provider import TEMPLATE_CAP, ProviderSession, ProviderSettings
from miner.protocol.sv2.template import Payout, coinbase_of, make_job, pack, solution_of
from miner.work.found import Answer, FoundBlock, Share
from miner.work.unit import build_unit
from tests.fakes import sv2_noise
from tests.fakes.sv2_pool import AUTHORITY, NOW
from tests.fakes.sv2_provider import FakeProvider
from tests.unit.protocol.sv2.kit import find
from tests.unit.protocol.sv2.vectors import VECTORS

SCRIPT = bytes.fromhex("0014751e76e8199196d454941c45d1b3a323f1433bd6")
TIP, OTHER = bytes(range(32)), bytes(reversed(range(32)))


def recorded(name: str, index: int = 0) -> Any:
    rows = VECTORS["transcripts"]["sv2_tp_template_distribution"]
    row = [row for row in rows if row["name"] == name][index]
    return sv2.parse(Frame(0, row["msg_type"], bytes.fromhex(row["payload"])))


def test_the_recorded_block_is_rebuilt_byte_for_byte() -> None:
    """Two blocks that Bitcoin Core took from sv2-tp: same coinbase, same hash."""
    wanted: sv2.SubmitSolution = recorded("SubmitSolution")
    coinbase = Transaction.parse(wanted.coinbase_tx)
    payout = Payout(coinbase.outputs[0].script, b"/homehash/", roll_versions=False)
    assert payout.output_bytes == recorded("CoinbaseOutputConstraints").max_additional_size
    job = make_job(
        recorded("NewTemplate"), recorded("TDP.SetNewPrevHash"), payout, source="tp", session=1
    )
    assert job.height == 160 and not job.version_mask
    prefix = recorded("NewTemplate").coinbase_prefix
    script = coinbase.inputs[0].script
    extranonce2 = script[len(prefix) + 1 : len(prefix) + 9]
    unit = build_unit(job, (wanted.version,), extranonce2, wanted.header_timestamp)
    share = Share.from_hit(unit, wanted.version, wanted.header_nonce)
    assert share is not None and share.is_block
    assert coinbase_of(share) == wanted.coinbase_tx
    assert share.hash == recorded("TDP.SetNewPrevHash", 1).prev_hash
    transactions = recorded("RequestTransactionData.Success").transactions
    block = pack(share, transactions, NOW)
    assert solution_of(block) == wanted
    assert transactions[0].hex() in block.payload


class Pair:
    """A session and the double."""

    def __init__(self, provider: FakeProvider | None = None, tag: bytes = b"/t/") -> None:
        self.provider = provider or FakeProvider()
        link = SecureLink(
            new_key(bytes(range(1, 65))), sv2_noise.authority_x(AUTHORITY), lambda: NOW,
            TEMPLATE_CAP,
        )  # fmt: skip
        settings = ProviderSettings("tp", "127.0.0.1", 8442, Payout(SCRIPT, tag))
        self.session = ProviderSession(settings, 3, link, 0.0)
        self.events: list[Any] = []
        self.session.open()
        self.exchange()

    def exchange(self) -> None:
        while pieces := self.session.data_to_send():
            for piece in pieces:
                self.give(self.provider.feed(piece))

    def give(self, data: bytes, now: float = 0.0) -> list[Any]:
        before = len(self.events)
        received = self.session.receive(data, now)
        self.events += [one for one in received if getattr(one, "kind", "") != "secured"]
        self.exchange()
        return self.events[before:]

    def begin(self) -> None:
        self.give(self.provider.send_template(1, 500))
        self.give(self.provider.send_tip(1, TIP))

    def block(self, start: int = 1, now: float = 0.0) -> FoundBlock:
        assert self.session.job is not None
        block = self.session.pack(find(self.session.job, extranonce2_start=start), NOW)
        self.events += self.session.submit(block, now)
        self.exchange()
        return block

    @property
    def verdicts(self) -> list[Any]:
        return [one.verdict for one in self.events if isinstance(one, ShareAnswered)]


@pytest.mark.parametrize("transactions", [(), (b"a transaction of 30 bytes or so",)])
def test_from_a_template_to_an_accepted_block(transactions: tuple[bytes, ...]) -> None:
    pair = Pair(FakeProvider(transactions=transactions))
    pair.begin()
    assert isinstance(pair.events[0], Ready) and isinstance(pair.events[1], JobReceived)
    assert pair.provider.reserved == 31
    block = pair.block(now=10.0)
    assert pair.provider.bad == [] and len(pair.provider.good) == 1
    assert pair.session.open_shares == 1 and pair.verdicts == []
    pair.give(pair.provider.send_template(2, 501))
    pair.give(pair.provider.send_tip(2, pair.provider.good[0]), now=11.5)
    (verdict,) = pair.verdicts
    assert (verdict.answer, verdict.is_block, verdict.latency_s) == (Answer.ACCEPTED, True, 1.5)
    assert verdict.hash_hex == block.hash_hex and verdict.height == 500
    assert (transactions[0].hex() if transactions else "") in block.payload


def test_a_later_template_upon_the_same_tip_replaces_the_job() -> None:
    pair = Pair()
    pair.begin()
    pair.give(pair.provider.send_template(5, 500, future=False))
    assert pair.session.job is not None and pair.session.job.job_id == "5"
    assert pair.session.job.prev_hash == TIP


def test_two_other_tips_leave_a_block_behind() -> None:
    pair = Pair()
    pair.begin()
    pair.block()
    for number, tip in ((2, OTHER), (3, bytes(32))):
        assert pair.verdicts == []
        pair.give(pair.provider.send_template(number, 500 + number))
        pair.give(pair.provider.send_tip(number, tip))
    assert [verdict.answer for verdict in pair.verdicts] == [Answer.STALE]


def test_no_sign_for_a_minute_is_unknown_and_sending_again_is_possible() -> None:
    pair = Pair()
    pair.begin()
    block = pair.block(now=5.0)
    assert pair.session.tick(64.9) == []
    (answer,) = pair.session.tick(65.0)
    assert isinstance(answer, ShareAnswered) and answer.verdict.answer is Answer.UNKNOWN
    assert not answer.verdict.final, "the journal keeps it"
    pair.session.submit(block, 70.0)
    pair.exchange()
    assert len(pair.provider.good) == 2
    pair.give(pair.provider.send_template(2, 501))
    pair.give(pair.provider.send_tip(2, pair.provider.good[0]), now=71.0)
    assert pair.verdicts[-1].answer is Answer.ACCEPTED


def test_a_broken_connection_leaves_solutions_unknown() -> None:
    pair = Pair()
    pair.begin()
    pair.block()
    (answer,) = pair.session.lost()
    assert isinstance(answer, ShareAnswered) and answer.verdict.answer is Answer.UNKNOWN


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        (FakeProvider(refuse_setup="unsupported-protocol"), "unsupported-protocol"),
        (FakeProvider(used_version=1), "speaks version 1, we 2"),
    ],
)
def test_refusals(provider: FakeProvider, words: str) -> None:
    pair = Pair(provider)
    (event,) = pair.events
    assert isinstance(event, Refused) and words in str(event.error)


def test_a_tag_that_does_not_fit_is_the_users_to_mend() -> None:
    pair = Pair(tag=b"x" * 95)
    pair.begin()
    assert isinstance(pair.events[-1], Refused) and "shorten the tag" in str(pair.events[-1].error)


def test_a_tip_for_a_template_never_sent_changes_nothing() -> None:
    pair = Pair()
    pair.begin()
    job = pair.session.job
    (notice,) = pair.give(pair.provider.send_tip(9, OTHER))
    assert isinstance(notice, Notice) and "template 9, which was never sent" in notice.text
    assert pair.session.job is job


def test_deadlines() -> None:
    link = SecureLink(new_key(bytes(range(1, 65))), None, lambda: NOW)
    settings = ProviderSettings("tp", "127.0.0.1", 8442, Payout(SCRIPT))
    session = ProviderSession(settings, 1, link, 0.0)
    session.open()
    assert session.tick(14.9) == []
    (end,) = session.tick(15.0)
    assert isinstance(end, Dropped) and "hung up in the handshake" in end.why
    pair = Pair()
    assert pair.session.tick(74.9) == []
    (end,) = pair.session.tick(75.0)
    assert isinstance(end, Dropped) and "is Bitcoin Core in sync" in end.why


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"coinbase_tx_value_remaining": 2**63}, "pays 9223372036854775808 satoshi"),
        ({"coinbase_tx_outputs_count": 2}, "outputs of the coinbase"),
        ({"coinbase_tx_outputs_count": 0}, "outputs of the coinbase"),
        ({"coinbase_tx_outputs_count": 2**32 - 1}, "outputs of the coinbase"),
        ({"coinbase_tx_outputs": b"\0" * 5}, "outputs of the coinbase"),
    ],
)
def test_templates_that_make_no_block(changes: dict[str, Any], words: str) -> None:
    template = replace(recorded("NewTemplate"), **changes)
    with pytest.raises(RemoteProtocolError, match=words):
        make_job(template, recorded("TDP.SetNewPrevHash"), Payout(SCRIPT), source="t", session=1)


def test_a_previous_hash_of_no_legal_target() -> None:
    tip = replace(recorded("TDP.SetNewPrevHash"), n_bits=0)
    with pytest.raises(RemoteProtocolError):
        make_job(recorded("NewTemplate"), tip, Payout(SCRIPT), source="t", session=1)
    good = recorded("TDP.SetNewPrevHash")
    with pytest.raises(ConfigError):
        make_job(recorded("NewTemplate"), good, Payout(SCRIPT, b"x" * 95), source="t", session=1)
