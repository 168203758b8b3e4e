"""Opening a Stratum v2 session: what is asked, each refusal's cause, and second tries."""

import pytest

from miner.protocol.pool import Dropped, Notice, Refused
from miner.protocol.sv2.terms import Learnt, Stage
from tests.fakes.sv2_pool import NOW, FakeSv2Pool
from tests.unit.protocol.sv2.kit import Pair, find, running, session_of


def test_the_device_is_named_with_each_share() -> None:
    pair = running(device="desk")
    pair.submit(find(pair.mine()))
    assert [(one.worker, one.verdict) for one in pair.pool.shares] == [("desk", "ok")]


def test_who_we_are_is_told_once_and_what_nobody_named_is_not() -> None:
    pair = running(device="desk")
    assert (pair.pool.user, pair.pool.easiest) == ("bcrt1quser.desk", 2**256 - 1)
    assert pair.pool.names == ["127.0.0.1", "homehash", "", "homehash", ""]
    pair = running(device="desk", device_id="the old laptop", agent="homehash/1.2.3")
    assert pair.pool.names == ["127.0.0.1", "homehash", "", "homehash/1.2.3", "the old laptop"]


@pytest.mark.parametrize(("took", "waits"), [(0.0, 1.0), (1.5, 3.0), (9.0, 5.0)])
def test_a_server_without_extensions_is_silent_and_is_asked_once(took: float, waits: float) -> None:
    """For twice the time that connecting took; the next connection does not ask."""
    pool = FakeSv2Pool(knows_extensions=False)
    session = session_of(device="desk")
    session.open()
    for _ in range(2):
        (piece,) = session.data_to_send()
        session.receive(pool.feed(piece), took)
    pair = Pair.between(pool, session)
    pair.session.tick(took + waits - 0.1)
    pair.exchange()
    assert not pair.session.ready
    pair.session.tick(took + waits)
    pair.exchange()
    assert pair.session.ready
    pair.submit(find(pair.mine()))
    assert [(one.worker, one.verdict) for one in pair.pool.shares] == [("", "ok")]
    again = running(FakeSv2Pool(knows_extensions=False), left=pair.session.leave(), device="desk")
    assert again.session.ready and not any(one[0] == 1 for one in again.pool.received)


def test_a_server_that_leaves_over_the_question_is_not_asked_again() -> None:
    pair = Pair(FakeSv2Pool(knows_extensions=False), session_of(device="desk"))
    left = pair.session.leave()
    assert left.learnt == Learnt(no_extensions=True)
    assert running(FakeSv2Pool(knows_extensions=False), left=left, device="desk").session.ready


def test_a_pool_without_version_rolling_gets_a_second_try() -> None:
    pool = FakeSv2Pool(refuse_setup=(4, "unsupported-feature-flags"))
    pair = Pair(pool, session_of())
    assert isinstance(pair.end, Dropped) and pair.end.at_once
    learnt = pair.session.leave()
    assert learnt.learnt == Learnt(no_rolling=True)
    again = running(left=learnt)
    assert again.pool.flags_asked == 0 and again.mine().version_mask == 0


def test_a_pool_of_standard_channels_gets_a_second_try() -> None:
    pair = Pair(FakeSv2Pool(refuse_extended=True), session_of())
    assert isinstance(pair.end, Dropped) and pair.end.at_once
    again = running(FakeSv2Pool(refuse_extended=True), left=pair.session.leave())
    assert again.pool.standard and again.pool.flags_asked == 5


def test_a_pool_of_extended_channels_gets_one() -> None:
    pair = running(FakeSv2Pool(flags=2), standard=True)
    assert not pair.pool.standard
    assert any(isinstance(one, Notice) and "extended" in one.text for one in pair.events)


@pytest.mark.parametrize(
    ("pool", "words"),
    [
        (FakeSv2Pool(used_version=3), "speaks version 3, we 2"),
        (FakeSv2Pool(refuse_setup=(0, "unsupported-protocol")), "unsupported-protocol"),
        (FakeSv2Pool(refuse_setup=(1, "no\x1b[2J")), "flags 0x1"),
        (FakeSv2Pool(refuse_open="unknown-user"), "refuses user bcrt1quser.desk: unknown-user"),
        (FakeSv2Pool(refuse_open="max-target-out-of-range"), "refuses the channel"),
        (FakeSv2Pool(target=0), "no hash can meet"),
        (FakeSv2Pool(extranonce_size=29), "4 + 29 bytes"),
    ],
)
def test_refusals_name_their_cause(pool: FakeSv2Pool, words: str) -> None:
    pair = Pair(pool, session_of())
    assert isinstance(pair.end, Refused)
    assert words in str(pair.end.error) and str(pair.end.error).isprintable()


@pytest.mark.parametrize(
    ("pool", "words"),
    [
        (FakeSv2Pool(valid_from=NOW + 47), "your clock is 47 s behind the certificate's"),
        (FakeSv2Pool(not_valid_after=NOW - 60), "ended 60 s ago"),
    ],
)
def test_clocks_that_disagree(pool: FakeSv2Pool, words: str) -> None:
    pair = Pair(pool, session_of())
    assert isinstance(pair.end, Dropped) and words in pair.end.why, "a clock can be set meanwhile"


def test_a_wrong_key_is_refused() -> None:
    pair = Pair(FakeSv2Pool(), session_of(authority=bytes.fromhex("02" * 32)))
    assert isinstance(pair.end, Refused) and "not signed by that key" in str(pair.end.error)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"id":null,"method":"mining.notify","params":[]}\n', "Stratum v1 port"),
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "speaks HTTP"),
        (bytes(234), "cannot be decrypted"),
    ],
)
def test_wrong_ports(data: bytes, words: str) -> None:
    session = session_of()
    session.open()
    (event,) = session.receive(data, 0.0)
    assert isinstance(event, Dropped) and words in event.why
    assert session.receive(data, 0.0) == []


def test_the_end_of_the_connection_is_explained_before_work() -> None:
    session = session_of()
    session.open()
    assert "hung up in the handshake" in str(session.hung_up())
    session.receive(b"{", 0.0)
    assert "Stratum v1 port" in str(session.hung_up())
    assert running().session.hung_up() is None


@pytest.mark.parametrize("stage", [Stage.HANDSHAKE, Stage.SETUP, Stage.EXTENSIONS, Stage.OPENING])
def test_one_deadline_covers_the_opening(stage: Stage) -> None:
    session = session_of(device="desk")
    session.open()
    pool = FakeSv2Pool()
    if stage is not Stage.HANDSHAKE:
        session.receive(pool.feed(session.data_to_send()[0]), 1.0)
    if stage in (Stage.EXTENSIONS, Stage.OPENING):
        session.receive(pool.feed(session.data_to_send()[0]), 1.0)
    if stage is Stage.OPENING:
        session.receive(pool.feed(session.data_to_send()[0]), 1.0)
    assert session._opening.stage is stage
    assert session.tick(14.9) == []
    (end,) = session.tick(15.0)
    assert isinstance(end, Dropped)
