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
from miner.protocol.sv2.provider import ProviderSession, ProviderSettings
from miner.protocol.sv2.template import (
    Payout,
    coinbase_of,
    make_job,
    pack,
    solution_of,
    whole_block,
)
from miner.work.found import Answer, Share
from miner.work.unit import build_unit
from tests.fakes.sv2_pool import NOW
from tests.fakes.sv2_provider import FakeProvider
from tests.unit.protocol.sv2.kit import find
from tests.unit.protocol.sv2.provider_kit import OTHER, SCRIPT, TIP, Pair
from tests.unit.protocol.sv2.vectors import VECTORS


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


def test_a_rival_and_a_tip_above_it_leave_a_block_behind() -> None:
    pair = Pair()
    pair.begin()
    pair.block()
    for height, tip in ((501, OTHER), (502, bytes(32))):
        assert pair.verdicts == []
        pair.tip(height, height, tip)
    assert [verdict.answer for verdict in pair.verdicts] == [Answer.STALE]


def test_a_height_that_nobody_saw_condemns_no_block() -> None:
    """Ours may have been the one between: a connection was cut then, say."""
    pair = Pair()
    pair.begin()
    pair.block()
    for height, tip in ((502, OTHER), (503, bytes(32))):
        pair.tip(height, height, tip)
    assert pair.verdicts == []
    pair.events += pair.session.tick(60.0)
    assert [verdict.answer for verdict in pair.verdicts] == [Answer.UNKNOWN]


def test_no_sign_for_a_minute_is_unknown_and_sending_again_is_possible() -> None:
    pair = Pair()
    pair.begin()
    block = pair.block(now=5.0)
    assert pair.session.tick(64.9) == []
    (answer,) = pair.session.tick(65.0)
    assert isinstance(answer, ShareAnswered) and answer.verdict.answer is Answer.UNKNOWN
    assert not answer.verdict.final, "the journal keeps it"
    pair.submit(block, 70.0)
    assert len(pair.provider.good) == 2
    pair.give(pair.provider.send_template(2, 501))
    pair.give(pair.provider.send_tip(2, pair.provider.good[0]), now=71.0)
    assert pair.verdicts[-1].answer is Answer.ACCEPTED


def test_a_verdict_that_comes_after_the_minute_is_known_when_it_is_sent_again() -> None:
    pair = Pair()
    pair.begin()
    block = pair.block(now=5.0)
    pair.events += pair.session.tick(65.0)
    pair.tip(2, 501, pair.provider.good[0])
    assert [verdict.answer for verdict in pair.verdicts] == [Answer.UNKNOWN]
    pair.submit(block, 70.0)
    assert pair.verdicts[-1].answer is Answer.ACCEPTED
    assert len(pair.provider.good) == 1, "not sent a second time"


def test_a_broken_connection_sends_its_solutions_again() -> None:
    first = Pair()
    first.begin()
    block = first.block()
    second = Pair(left=first.session.leave())
    assert second.provider.good == []
    second.begin()
    assert [digest[::-1].hex() for digest in second.provider.good] == [block.hash_hex]
    assert second.session.open_shares == 1 and second.verdicts == []
    second.tip(2, 501, second.provider.good[0])
    assert [verdict.answer for verdict in second.verdicts] == [Answer.ACCEPTED]


def test_a_block_accepted_while_the_connection_was_cut_is_not_sent_again() -> None:
    first = Pair()
    first.begin()
    first.block()
    second = Pair(left=first.session.leave())
    second.tip(1, 501, first.provider.good[0])
    assert [verdict.answer for verdict in second.verdicts] == [Answer.ACCEPTED]
    assert 0x76 not in second.provider.received


def test_no_connection_for_a_minute_leaves_solutions_unknown() -> None:
    pair = Pair()
    pair.begin()
    pair.block()
    left = pair.session.leave()
    assert left.keep_s == 60.0
    (answer,) = left.give_up("why")
    assert answer.verdict.answer is Answer.UNKNOWN and left.give_up("why") == []


def test_a_block_of_an_earlier_run_is_sent_where_its_parent_is_the_tip() -> None:
    first = Pair()
    first.begin()
    block = first.session.pack(find(first.session.job), NOW)  # type: ignore[arg-type]
    second = Pair()
    assert not second.session.takes(block), "no tip is known yet"
    second.begin()
    assert second.session.takes(block)
    second.submit(block)
    assert len(second.provider.good) == 1
    elsewhere = Pair()
    elsewhere.tip(1, 700, OTHER)
    elsewhere.submit(block)
    (verdict,) = elsewhere.verdicts
    assert (
        verdict.answer is Answer.PENDING and "does not stand on its parent" in verdict.explanation
    )
    assert 0x76 not in elsewhere.provider.received


def test_it_takes_no_block_of_another_kind() -> None:
    pair = Pair()
    pair.begin()
    block = pair.session.pack(find(pair.session.job), NOW)  # type: ignore[arg-type]
    for kind in ("gbt", "stratum", "sv2"):
        assert not pair.session.takes(replace(block, kind=kind))


def test_two_heights_on_one_previous_hash_end_the_connection() -> None:
    """sv2-tp with two clients gives one of them the next height on the old previous hash."""
    pair = Pair()
    pair.begin()
    (end,) = pair.give(pair.provider.send_template(2, 501, future=False))
    assert isinstance(end, Dropped) and end.at_once and "height 501" in end.why
    assert "a provider of its own" in end.why


def test_a_silent_provider_is_asked_and_old_work_ends_the_connection() -> None:
    pair = Pair()
    pair.begin()
    assert pair.session.tick(119.0) == []
    pair.session.tick(120.0)
    pair.session.tick(121.0)
    pair.exchange()
    assert pair.provider.received.count(0x70) == 2, "the constraints again, once"
    (end,) = pair.session.tick(600.0)
    assert isinstance(end, Dropped) and "no new template for 600 s" in end.why


def test_transactions_are_asked_for_where_there_are_any() -> None:
    bare = Pair()
    bare.begin()
    assert 0x73 not in bare.provider.received
    full = Pair(FakeProvider(transactions=(b"a transaction of 30 bytes or so",)))
    full.begin()
    full.tip(1, 500, TIP)
    assert full.provider.received.count(0x73) == 1, "of each template once"


@pytest.mark.parametrize("transactions", [(), (b"a transaction of 30 bytes or so",)])
def test_any_node_can_take_the_packed_block(transactions: tuple[bytes, ...]) -> None:
    pair = Pair(FakeProvider(transactions=transactions))
    pair.begin()
    block = pair.block()
    whole = whole_block(block)
    assert whole is not None and whole.kind == "gbt" and whole.hash_hex == block.hash_hex
    raw = bytes.fromhex(whole.payload)
    assert raw[:80] == block.header and raw[80] == 1 + len(transactions)
    assert raw.endswith(b"".join(transactions))
    pair.session._templates.transactions.clear()
    unknown = pair.session.pack(find(pair.session.job), NOW)  # type: ignore[arg-type]
    assert whole_block(unknown) is None


def test_a_template_of_an_earlier_connection_lends_its_transactions_to_nobody() -> None:
    pair = Pair()
    pair.begin()
    assert pair.session.job is not None
    share = find(replace(pair.session.job, session=pair.session.number + 1))
    assert whole_block(pair.session.pack(share, NOW)) is None


@pytest.mark.parametrize(
    ("script", "cost"),
    [("76a914751e76e8199196d454941c45d1b3a323f1433bd688ac", 4), (SCRIPT.hex(), 0)],
)
def test_what_our_output_costs_is_reserved(script: str, cost: int) -> None:
    pair = Pair(payout=Payout(bytes.fromhex(script)))
    assert (pair.provider.reserved, pair.provider.sigops) == (9 + len(script) // 2, cost)


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


@pytest.mark.parametrize(
    ("chains", "nbits", "refused"),
    [
        (("test", "signet"), 0x1702A1D7, True),  # a mainnet block's of 2025
        (("main",), 0x1702A1D7, False),
        ((), 0x1702A1D7, False),
        (("test", "signet"), 0x1D00FFFF, False),
        (("regtest",), 0x207FFFFF, False),
    ],
)
def test_mainnets_templates_want_an_address_of_mainnet(
    chains: tuple[str, ...], nbits: int, refused: bool
) -> None:
    pair = Pair(FakeProvider(nbits=nbits), payout=Payout(SCRIPT, chains=chains))
    pair.begin()
    assert isinstance(pair.events[-1], Refused) is refused
    assert (pair.session.job is None) is refused
    if refused:
        assert "--address is one of test or signet" in str(pair.events[-1].error)
