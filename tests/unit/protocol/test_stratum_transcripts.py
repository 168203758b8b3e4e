"""Recorded and scripted sessions, cut anywhere, give the same events."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miner.protocol.pool import DifficultyChanged, JobReceived, PoolEvent, Ready, ShareAnswered
from miner.protocol.stratum.session import StratumSession
from miner.work.found import Answer, Share
from miner.work.unit import build_unit
from tests.fakes.pool_judge import double_sha
from tests.unit.protocol.stratum_lines import SETTINGS, call, ids, line, notify, reply, sent

VECTORS = Path(__file__).parents[2] / "vectors" / "stratum"
TRANSCRIPTS = sorted(VECTORS.glob("*.jsonl"))


def recorded(path: Path) -> list[tuple[str, Any]]:
    """(who, message) of a recorded session."""
    rows = [json.loads(row) for row in path.read_text().splitlines()]
    return [(row["from"], json.loads(row["line"])) for row in rows]


def pool_stream(path: Path) -> bytes:
    """What the pool sent, with ids as our session gives them: by method, in order."""
    session = StratumSession(SETTINGS, 1, 0.0)
    session.open()
    ours = ids(sent(session))
    asked: dict[int, list[str]] = {}
    stream = b""
    for who, message in recorded(path):
        if who == "miner":
            asked.setdefault(message["id"], []).append(message["method"])
        elif message.get("method"):
            stream += line(message)
        else:
            method = asked[message["id"]].pop(0)
            stream += reply(ours.get(method, 10**6), message["result"], message["error"])
    return stream


def run(segments: list[bytes]) -> tuple[list[PoolEvent], list[Any]]:
    session = StratumSession(SETTINGS, 1, 0.0)
    session.open()
    sent(session)
    events: list[PoolEvent] = []
    for segment in segments:
        events += session.receive(segment, 1.0)
    return events, sent(session)


SCRIPTED = (
    call("mining.set_difficulty", 0.5)
    + notify(job_id="early")
    + reply(2, [[["mining.notify", "s"]], "aa", 4])
    + b"\r\n\n"
    + notify(job_id="a", clean=True)[:-1]
    + b"\r\n"
    + b'{"id":1,"result":{"version-rolling":true,"version-rolling.mask":"1fffe000"}}\n'
    + b"junk\n"
    + call("client.show_message", "ü\U0001f600")
    + call("mining.ping", id=5)
    + reply(4, True)
    + call("mining.set_version_mask", "00ffe000")
    + call("client.reconnect")
)


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_recorded_sessions_cut_at_every_byte(path: Path) -> None:
    stream = pool_stream(path)
    whole = run([stream])
    assert [type(event) for event in whole[0]].count(Ready) == 1
    assert any(isinstance(event, JobReceived) for event in whole[0])
    for cut in range(1, min(len(stream), 3000)):
        assert run([stream[:cut], stream[cut:]]) == whole
    assert run([stream[index : index + 1] for index in range(len(stream))]) == whole


def test_the_scripted_session_cut_at_every_byte() -> None:
    whole = run([SCRIPTED])
    assert [job.job_id for job in jobs_of(whole[0])] == ["early", "a", "a", "a"]
    for cut in range(1, len(SCRIPTED)):
        assert run([SCRIPTED[:cut], SCRIPTED[cut:]]) == whole


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(SCRIPTED)), max_size=30))
def test_the_scripted_session_cut_anywhere(cuts: list[int]) -> None:
    ends = [*sorted(cuts), len(SCRIPTED)]
    segments = [SCRIPTED[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    assert run(segments) == run([SCRIPTED])


def jobs_of(events: list[PoolEvent]) -> list[Any]:
    return [event.job for event in events if isinstance(event, JobReceived)]


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_real_pools_verdicts_are_what_our_own_hashes_say(path: Path) -> None:
    """Rebuild each recorded share through our job: its hash meets the target if ckpool took it,
    and we would have sent the very same fields."""
    rows = recorded(path)
    user = next(m["params"][0] for _, m in rows if m.get("method") == "mining.authorize")
    session = StratumSession(replace(SETTINGS, user=user), 1, 0.0)
    session.open()
    ours, checked = ids(sent(session)), 0
    jobs: dict[str, Any] = {}
    configured = any(message.get("method") == "mining.configure" for _, message in rows)
    if not configured:
        session.receive(reply(ours["mining.configure"], {}), 0.0)
    names: dict[int, str] = {}
    shares: list[tuple[Share, Any]] = []
    for who, message in rows:
        if who == "miner" and message["method"] != "mining.submit":
            names[message["id"]] = message["method"]
        elif who == "miner":
            shares.append((rebuilt(jobs[message["params"][1]], message["params"]), message))
        elif message.get("method") or message["id"] in names:
            if not message.get("method"):
                message = message | {"id": ours.get(names.pop(message["id"]), 10**6)}
            for event in session.receive(line(message), 0.0):
                if isinstance(event, JobReceived):
                    jobs[event.job.job_id] = event.job
        else:
            share, submit = shares[-1]
            # ckpool judges by the lowest difficulty since the job, here the suggested 0.001.
            assert (share.value <= 2 * share.unit.job.share_target) is message["result"]
            if message["result"]:
                session.submit(share, 0.0)
                (mine,) = [m for m in sent(session) if m.get("method") == "mining.submit"]
                assert same_version(mine["params"], submit["params"], share)
            checked += 1
    assert checked >= 4


def same_version(ours: list[str], theirs: list[str], share: Share) -> bool:
    """Equal fields; the recorded bits may leave out the job's own, ours never do."""
    if len(theirs) == 6:
        assert ours[5] == f"{share.version & 0x1FFFE000:08x}"
    return ours[:5] == theirs[:5] and len(ours) == len(theirs)


def rebuilt(job: Any, params: list[str]) -> Share:
    bits = int(params[5], 16) if len(params) == 6 else 0
    version = job.version | bits
    unit = build_unit(job, (version,), bytes.fromhex(params[2]), int(params[3], 16))
    header = unit.header(version, int(params[4], 16))
    return Share(unit, version, int(params[4], 16), header, double_sha(header))


# --- anything a pool may say ----------------------------------------------------------------

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["00", "1fffe000", "11" * 32, "mining.notify", "1d00ffff"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=10) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)
METHODS = st.sampled_from(
    [
        "mining.notify",
        "mining.set_difficulty",
        "mining.set_extranonce",
        "mining.set_version_mask",
        "client.reconnect",
        "client.show_message",
        "client.get_version",
        "mining.ping",
        "mining.unknown",
    ]
)
REQUESTS = st.fixed_dictionaries(
    {"id": st.none() | st.integers(0, 9), "method": METHODS, "params": VALUES}
)
REPLIES = st.fixed_dictionaries(
    {"id": st.integers(0, 9) | VALUES, "result": VALUES, "error": VALUES}
)
NOTIFIES = st.tuples(st.integers(0, 8), VALUES).map(
    lambda change: {"id": None, "method": "mining.notify", "params": changed(*change)}
)


def changed(index: int, value: Any) -> list[Any]:
    params = json.loads(notify())["params"]
    params[index] = value
    return list(params)


@settings(max_examples=150, deadline=None)
@given(st.lists(REQUESTS | REPLIES | NOTIFIES | VALUES, min_size=1, max_size=6), st.booleans())
def test_any_message_is_taken_whole_or_changes_nothing(messages: Any, logged_in: bool) -> None:
    session = StratumSession(SETTINGS, 1, 0.0)
    session.open()
    sent(session)
    if logged_in:
        session.receive(reply(2, [[], "aa", 4]) + reply(4, True) + notify(job_id="old"), 0.0)
    for message in messages:
        before, bad = session.job, session.bad_messages
        events = session.receive(line(message), 1.0)
        if session.bad_messages > bad:
            assert session.job is before
            assert not any(isinstance(event, JobReceived | DifficultyChanged) for event in events)
        for answer in sent(session):
            assert type(answer) is dict
        for event in events:
            if isinstance(event, ShareAnswered):
                assert event.verdict.answer in Answer
