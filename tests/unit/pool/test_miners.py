"""Real miners' openings, in bytes, in their own orders; and their shares, judged by the room."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from miner.pool.values import Answer, BlockFound, Joined, ShareJudged
from tests.fakes.pool_judge import target_of
from tests.unit.pool.kit import EASY_TARGET, NOW, SECOND_TIP, Line, Rig

VECTORS = Path(__file__).parents[2] / "vectors" / "stratum"
# What each program sends until it has work, written after its source; agents as they name
# themselves.
CGMINER = [
    b'{"id": 0, "method": "mining.configure", "params": [["version-rolling"], '
    b'{"version-rolling.mask": "1fffe000", "version-rolling.min-bit-count": 2}]}\n',
    b'{"id": 1, "method": "mining.subscribe", "params": ["cgminer/4.13.6"]}\n',
    b'{"id": 2, "method": "mining.authorize", "params": ["Ann.rig", "x"]}\n',
]
CGMINER_OLD = [
    b'{"id": 0, "method": "mining.subscribe", "params": ["cgminer/3.7.2"]}\n',
    b'{"id": 1, "method": "mining.authorize", "params": ["Ann", "x"]}\n',
    b'{"id": 2, "method": "mining.extranonce.subscribe", "params": []}\n',
    b'{"id": 3, "method": "mining.get_transactions", "params": ["1"]}\n',
]
BFGMINER = [
    b'{"id": 0, "method": "mining.capabilities", "params": [{"notify": [], "set_difficulty": {}, '
    b'"set_goal": [], "suggested_target": "00000000ffff0000"}]}\n',
    b'{"id": 1, "method": "mining.suggest_target", "params": ["00000fffff0000000000000000000000'
    b'00000000000000000000000000000000"]}\n',
    b'{"id": 2, "method": "mining.subscribe", "params": ["bfgminer/5.5.0"]}\n',
    b'{"id": "auth", "method": "mining.authorize", "params": ["Ann", ""]}\n',
    b'{"id": "xnsub", "method": "mining.extranonce.subscribe", "params": []}\n',
]
CPUMINER = [
    b'{"id": 1, "method": "mining.subscribe", "params": ["cpuminer/2.5.1"]}\n',
    b'{"id": 2, "method": "mining.authorize", "params": ["Ann", "x"]}\n',
]
CPUMINER_OPT = [
    b'{"id": 1, "method": "mining.subscribe", "params": ["cpuminer-opt/26.1"]}\n'
    b'{"id": 2, "method": "mining.authorize", "params": ["Ann", "x"]}\n',
    b'{"id": 3, "method": "mining.extranonce.subscribe", "params": []}\n',
]
BITAXE = [
    b'{"id": 1, "method": "mining.configure", "params": [["version-rolling"], '
    b'{"version-rolling.mask": "ffffffff"}]}\n',
    b'{"id": 2, "method": "mining.subscribe", "params": ["bitaxe/BM1370/v2.6.0"]}\n',
    b'{"id": 3, "method": "mining.suggest_difficulty", "params": [1000]}\n',
    b'{"id": 4, "method": "mining.authorize", "params": ["Ann", "x"]}\n',
    b'{"id": 5, "method": "mining.extranonce.subscribe", "params": []}\n',
]
NERDMINER = [
    b'{"id": 1, "method": "mining.subscribe", "params": ["NerdMinerV2/1.8"]}\n',
    b'{"params": ["Ann", "x"], "id": 2, "method": "mining.authorize"}\n',
    b'{"id": 3, "method": "mining.suggest_difficulty", "params": [0.00015]}\n',
]
AUTHORIZE_FIRST = [
    b'{"id": 1, "method": "mining.authorize", "params": ["Ann", "x"]}\r\n',
    b'{"id": 2, "method": "mining.subscribe", "params": []}\r\n',
    b'{"id": 3, "method": "mining.configure", "params": [["version-rolling", '
    b'"subscribe-extranonce", "minimum-difficulty"], {"minimum-difficulty.value": 0.0001}]}\r\n',
]
SUGGEST_FIRST = [
    b'{"id": 1, "method": "mining.suggest_difficulty", "params": ["0.001"]}\n',
    b'{"id": 2, "method": "mining.subscribe", "params": ["x", null]}\n',
    b'{"id": 3, "method": "mining.authorize", "params": ["Ann"]}\n',
]
OPENINGS = {
    name: value for name, value in globals().items() if name.isupper() and isinstance(value, list)
}


@pytest.mark.parametrize("name", OPENINGS)
@pytest.mark.parametrize("cut", [1, 7, 4096])
def test_each_miner_opens_in_its_own_order_and_gets_work(name: str, cut: int) -> None:
    rig = Rig()
    rig.new_template()
    one = rig.connect()
    data = b"".join(OPENINGS[name])
    for at in range(0, len(data), cut):
        one.send(data[at : at + cut])
    asked = [json.loads(line) for line in data.splitlines()]
    assert set(one.miner.replies) == {message["id"] for message in asked}
    by_method = {message["method"]: one.miner.replies[message["id"]] for message in asked}
    assert by_method["mining.authorize"]["result"] is True
    listed, extranonce1, size = by_method["mining.subscribe"]["result"]
    assert {pair[0] for pair in listed} == {"mining.set_difficulty", "mining.notify"}
    assert len(extranonce1) == 8 and size == 4
    notify = [message for message in one.miner.lines if message.get("method") == "mining.notify"]
    assert notify and notify[0]["params"][8] is True
    methods = [message.get("method") for message in one.miner.lines]
    assert methods.index("mining.set_difficulty") < methods.index("mining.notify")
    assert rig.room.member(one.number).name in ("Ann", "Ann.rig")  # type: ignore[union-attr]
    assert not one.connection.session.closing
    one.miner.difficulty = "1e-7"
    assert one.submit(one.miner.find(low=True))[0] == 23


def test_what_is_not_offered_is_declined_politely() -> None:
    rig = Rig()
    one = rig.joined()
    assert one.ask("mining.extranonce.subscribe")["result"] is False
    for _ in range(20):
        assert one.ask("mining.get_transactions", "1")["error"][0] == 20
        assert "not known here" in one.ask("mining.capabilities", {})["error"][1]
    assert one.ask("mining.ping")["result"] == "pong"
    assert not one.connection.session.closing


def test_versions_roll_inside_the_mask_and_nowhere_else() -> None:
    rig = Rig()
    rig.new_template(version=0x30000000)
    one = rig.joined(roll=True)
    assert one.miner.mask == 0x1FFFE000
    assert one.miner.jobs[-1].fields[5] == "20000000"  # no bit of the mask is ours
    params = [*one.miner.find(), "00000000"]
    assert one.submit([*params[:5], "20000000"])[1] == Answer.BAD_VERSION.words
    assert one.submit(params) is None
    plain = rig.joined("Bob")
    params = plain.miner.find()
    assert plain.submit([*params, "00002000"])[1] == Answer.BAD_VERSION.words
    assert plain.submit(params) is None


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ({}, 0x1FFFE000),
        ({"version-rolling.mask": "0000e000"}, 0xE000),
        ({"version-rolling.mask": "e000"}, 0xE000),
        ({"version-rolling.mask": "e0000000"}, None),
        ({"version-rolling.mask": "00002000", "version-rolling.min-bit-count": 2}, None),
    ],
)
def test_the_mask_granted_is_asked_for_and_ours(asked: dict[str, Any], granted: int | None) -> None:
    one = Rig().connect()
    result = one.ask("mining.configure", ["version-rolling", "strange"], asked)["result"]
    assert one.miner.mask == granted and result["strange"] is False
    assert result["version-rolling"] is (granted is not None)


def test_each_kind_of_share_gets_its_code() -> None:
    rig = Rig()
    one = rig.connect()
    assert one.submit(["a", "1", "00000000", "00000000", "00000000"])[0] == 24
    one.ask("mining.authorize", "Ann", "x")
    assert one.submit(["a", "1", "00000000", "00000000", "00000000"])[0] == 25
    rig.new_template()
    one = rig.joined("Bob")
    good = one.miner.find()
    assert one.submit(good) is None
    assert one.submit(good) == [22, Answer.DUPLICATE.words, None]
    assert one.submit(one.miner.find(low=True)) == [23, Answer.LOW.words, None]
    assert one.submit([good[0], "nope", *good[2:]])[0] == 21
    for field, value in ((2, "0000"), (3, "xyz"), (4, "1" * 9), (1, 7)):
        bad: list[Any] = list(good)
        bad[field] = value
        code, words, _ = one.submit(bad)
        assert code == 20 and words.startswith(Answer.MALFORMED.words)
    late = f"{int(NOW) + 601:08x}"
    early = f"{int(NOW) - 1:08x}"
    assert one.submit([*good[:3], late, good[4]]) == [20, Answer.BAD_TIME.words, None]
    assert one.submit([*good[:3], early, good[4]]) == [20, Answer.BAD_TIME.words, None]
    fresh = one.miner.find()
    rig.new_template(SECOND_TIP, 6)
    assert one.submit(fresh) == [21, Answer.STALE.words, None]
    late_share = one.miner.find()
    rig.room.pause(True, rig.now)
    assert one.submit(late_share) == [20, Answer.PAUSED.words, None]
    judged = [event.answer for event in rig.of(ShareJudged)]
    assert judged.count(Answer.ACCEPTED) == 1


def test_a_share_is_judged_by_the_difficulty_of_its_own_job() -> None:
    rig = Rig()
    rig.new_template()
    one = rig.joined(difficulty="1e-6")
    easy = one.miner.jobs[-1]
    one.ask("mining.suggest_difficulty", 0.0001)
    hard = one.miner.jobs[-1]
    assert hard.fields[0] != easy.fields[0] and hard.target == target_of("0.0001")
    assert hard.fields[8] is False  # the tip is the same
    between = one.miner.find(hard, target=easy.target)  # good enough for the easy job alone
    while share_value(one, between) <= hard.target:
        between = one.miner.find(hard, target=easy.target)
    assert one.submit(between)[0] == 23
    assert one.submit(one.miner.find(easy)) is None
    assert rig.of(ShareJudged)[-1].difficulty == Fraction(1, 10**6)


def share_value(one: Line, params: list[str]) -> int:
    from tests.fakes.pool_judge import double_sha, header_of

    job = next(job for job in one.miner.jobs if job.fields[0] == params[1])
    header = header_of(job, params[2], params[3], params[4], int(job.fields[5], 16))
    return int.from_bytes(double_sha(header), "little")


def test_a_repeat_under_another_job_is_a_duplicate() -> None:
    """A miner may begin again at extranonce2 0 when a job has the same header but a new name."""
    rig = Rig()
    rig.new_template()
    one = rig.joined()
    good = one.miner.find()
    assert one.submit(good) is None
    rig.new_template()
    renamed = [good[0], one.miner.jobs[-1].fields[0], *good[2:]]
    assert renamed[1] != good[1]
    assert one.submit(renamed)[0] == 22


def test_a_job_given_again_is_not_the_same_work() -> None:
    """cpuminer begins at extranonce2 0 with each job: at the same time it would find the same."""
    rig = Rig()
    rig.new_template()
    one = rig.joined()
    times = [int(one.miner.jobs[-1].fields[7], 16)]
    for _ in range(3):
        rig.now += 50
        one.ask("mining.suggest_difficulty", 0.001)
        one.ask("mining.suggest_difficulty", 1e-6)
        times.append(int(one.miner.jobs[-1].fields[7], 16))
    assert times == [int(NOW), int(NOW) + 50, int(NOW) + 100, int(NOW) + 120]
    assert one.submit(one.miner.find()) is None


def test_the_last_eight_jobs_stay_good() -> None:
    rig = Rig()
    rig.new_template()
    one = rig.joined()
    first = one.miner.find()
    for _ in range(7):
        rig.new_template()
    assert one.submit(first) is None
    second = one.miner.find(one.miner.jobs[-8])
    rig.new_template()
    assert one.submit(second)[0] == 21
    flags = [job.fields[8] for job in one.miner.jobs]
    assert flags == [True, *[False] * 8]
    rig.new_template(SECOND_TIP, 6)
    assert one.miner.jobs[-1].fields[8] is True


def test_extranonce1_is_one_connections_own() -> None:
    rig = Rig()
    rig.new_template()
    lines = [rig.joined(f"m{number}") for number in range(20)]
    assert len({one.miner.extranonce1 for one in lines}) == 20
    share = lines[0].miner.find()
    other = lines[1].miner.jobs[-1].fields[0]
    assert lines[1].submit(share)[0] == 21  # a job of somebody else
    assert lines[1].submit([share[0], other, *share[2:]])[0] == 23  # his coinbase is another


def test_a_hash_that_meets_the_block_target_is_handed_on() -> None:
    rig = Rig(class_target=target_of("1e-6") * 2)
    rig.new_template()
    one = rig.joined(difficulty="1e-6")
    assert one.miner.jobs[-1].target == target_of("5e-7") or one.miner.difficulty == "1e-06"
    block = one.miner.find(target=rig.room.rules.class_target)
    assert one.submit(block) is None
    assert len(rig.blocks) == 1
    (found,) = rig.of(BlockFound)
    assert found.height == 5 and found.member.name == "Ann" and not found.stale
    late = one.miner.find(target=rig.room.rules.class_target)
    rig.new_template(SECOND_TIP, 6)
    assert one.submit(late)[0] == 21
    assert len(rig.blocks) == 2 and rig.of(BlockFound)[-1].stale  # never lost


def test_a_block_pays_and_names_its_finder() -> None:
    from miner.protocol.gbt.job import block_hex
    from tests.fakes.blocks import parse_block

    rig = Rig(class_target=EASY_TARGET << 8)
    rig.new_template()
    ann, bob = rig.joined("Ann"), rig.joined("Bob")
    for one in (ann, bob):
        assert one.submit(one.miner.find(target=EASY_TARGET << 8)) is None
    first, second = (parse_block(bytes.fromhex(block_hex(share))) for share in rig.blocks)
    for block, name in ((first, b"Ann"), (second, b"Bob")):
        outputs = block.transactions[0].outputs
        assert outputs[0][0] == 5_000_000_000 and outputs[1] == (0, b"\x6a\x03" + name)
    assert first.transactions[0].outputs[0][1] != second.transactions[0].outputs[0][1]
    assert [event.member.name for event in rig.of(Joined)] == ["Ann", "Bob"]


@pytest.mark.parametrize("name", ["ckpool-plain", "ckpool-version-rolling"])
def test_a_recorded_session_of_homehash_with_ckpool_opens_here_too(name: str) -> None:
    rows = (VECTORS / f"{name}.jsonl").read_text().splitlines()
    said = [row["line"] for row in map(json.loads, rows) if row["from"] == "miner"]
    rig = Rig()
    rig.new_template()
    one = rig.connect()
    for text in said:
        one.send(text.encode() + b"\n")
    assert set(one.miner.replies) == {json.loads(text)["id"] for text in said}
    submits = [m["id"] for m in map(json.loads, said) if m["method"] == "mining.submit"]
    errors = [one.miner.replies[number]["error"] for number in submits]
    assert submits and {error[0] for error in errors} <= {20, 21}  # jobs of another pool
    assert one.miner.jobs and not one.connection.session.closing
