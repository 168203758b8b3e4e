"""P14: a pool that repeats the password, in any field of any message, gets it shown nowhere."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from miner.protocol.decode import decode_coinbase
from miner.protocol.pool import (
    Dropped,
    JobReceived,
    Notice,
    PoolEvent,
    ReconnectAsked,
    Refused,
    ShareAnswered,
)
from miner.protocol.stratum.job import redacted, restored, submit_params
from miner.protocol.stratum.session import StratumSession
from miner.secret import Secret
from tests.faults import fault
from tests.unit.protocol.stratum_lines import (
    GOLDEN,
    SETTINGS,
    SUBSCRIPTION,
    call,
    ids,
    jobs,
    line,
    notify,
    opened,
    reply,
    sent,
    share_of,
    subscribed,
)

PASSWORDS = ["w0rd", "canary-5e1f", "31337", "two words", 'a"\\quote', "grün schließt", "x" * 90]
CALLS: dict[str, list[Any]] = {
    "mining.notify": GOLDEN,
    "mining.set_difficulty": [2],
    "mining.set_extranonce": ["08000003", 4],
    "mining.set_version_mask": ["1fffe000"],
    "client.reconnect": ["pool.example", 3333, 5],
    "client.show_message": ["hello"],
    "client.get_version": [],
    "mining.ping": [],
}


def spoiled(value: Any, word: str) -> Iterator[Any]:
    """The value with the word in each of its places, one at a time."""
    whole = [word, f"ab {word}", "y" * 110 + word, [word], {word: word}, {"message": word}]
    yield from whole + ([int(word)] if word.isdigit() else [])
    if isinstance(value, list):
        for place, inner in enumerate(value):
            for other in spoiled(inner, word):
                yield [*value[:place], other, *value[place + 1 :]]


def texts(events: list[PoolEvent]) -> Iterator[str]:
    """What people get to see of events, before any screen."""
    for event in events:
        match event:
            case Notice(kind, text):
                yield from (kind, text)
            case ShareAnswered(verdict, _):
                yield repr(verdict)
            case Dropped(why):
                yield why
            case Refused(error):
                yield str(error)
            case JobReceived() | ReconnectAsked():
                pass  # raw: the engine and the source scrub what they show


def assert_hidden(events: list[PoolEvent], word: str) -> None:
    for text in texts(events):
        assert word not in text, text
        assert word[:-1] not in text, f"nearly all of it: {text}"


def logged_in(word: str) -> StratumSession:
    return subscribed(replace(SETTINGS, password=Secret(word)))


@pytest.mark.parametrize("word", PASSWORDS)
@pytest.mark.parametrize("method", CALLS)
@fault("P14")
def test_in_every_field_of_every_request(method: str, word: str) -> None:
    for params in spoiled(CALLS[method], word):
        assert_hidden(logged_in(word).receive(call(method, *[params]), 1.0), word)
        message = {"id": None, "method": method, "params": params}
        assert_hidden(logged_in(word).receive(line(message), 1.0), word)
    for other in spoiled("", word):
        message = {"id": other, "method": other, word: word, "params": CALLS[method]}
        assert_hidden(logged_in(word).receive(line(message), 1.0), word)


@pytest.mark.parametrize("word", PASSWORDS)
@fault("P14")
def test_in_lines_that_are_no_message(word: str) -> None:
    for text in (
        word,
        f"{{{word}",
        "y" * 75 + word,
        json.dumps(word),
        f'{{"{word}":1,"{word}":2}}',
    ):
        assert_hidden(logged_in(word).receive(text.encode() + b"\n", 1.0), word)


@pytest.mark.parametrize("word", PASSWORDS)
@fault("P14")
def test_in_every_reply(word: str) -> None:
    good = {"mining.subscribe": SUBSCRIPTION, "mining.authorize": True}
    good["mining.configure"] = {"version-rolling": True, "version-rolling.mask": "1fffe000"}
    for method in good:
        for value in spoiled(good[method], word):
            for message in ({"result": value}, {"error": value}, {"reject-reason": value}):
                session, asked = opened(replace(SETTINGS, password=Secret(word)))
                answer = line({"id": asked[method], **message})
                events = session.receive(answer, 1.0)
                assert_hidden(events, word)
                again = ids(sent(session)).get("mining.subscribe")  # it is tried once more
                if again is not None:
                    assert_hidden(session.receive(reply(again, None, value), 1.0), word)


@pytest.mark.parametrize("word", PASSWORDS)
@fault("P14")
def test_in_the_answer_to_a_share(word: str) -> None:
    for value in [*spoiled([20, "other", None], word), *spoiled({"code": word}, word)]:
        for message in ({"result": value}, {"error": value}, {"reject-reason": value}):
            session = logged_in(word)
            (job,) = jobs(session.receive(notify(), 0.0))
            session.submit(share_of(job), 0.0)
            (submit,) = sent(session)
            assert_hidden(session.receive(line({"id": submit["id"], **message}), 1.0), word)


@pytest.mark.parametrize("word", PASSWORDS)
@fault("P14")
def test_in_a_job_id_it_is_sent_back_and_kept_nowhere(word: str) -> None:
    """The journal holds the pieces around it; a pool that knows the password gets the whole."""
    for job_id in (word, f"{word}-7-{word}"):
        session = logged_in(word)
        (job,) = jobs(session.receive(notify(job_id=job_id), 0.0))
        params = submit_params("user.w1", share_of(job), session.granted)
        kept = redacted(params, Secret(word))
        assert word not in json.dumps(kept, ensure_ascii=False)
        assert json.dumps(word)[1:-1] not in json.dumps(kept)
        assert restored(json.loads(json.dumps(kept)), Secret(word)) == params
    assert redacted(["x", "bf"], Secret("x")) == ["x", "bf"]  # short words are no secret


@fault("P14")
def test_in_the_coinbase() -> None:
    word = "canary-5e1f"
    data = bytes([0x6A, len(word)]) + word.encode()
    coinb2 = "ffffffff02" + "00" * 8 + f"{len(data):02x}" + data.hex() + "00" * 8 + "0151" + "0" * 8
    coinb1 = (
        "01000000" + "01" + "00" * 32 + "ffffffff" + f"{8 + len(word):02x}" + word.encode().hex()
    )
    (job,) = jobs(logged_in(word).receive(notify(coinb1=coinb1, coinb2=coinb2), 0.0))
    shown = "\n".join(decode_coinbase(job, None, "main").lines())
    assert "tag ***" in shown
    assert "data 0b***" in shown
    assert word not in shown
    assert word.encode().hex() not in shown
