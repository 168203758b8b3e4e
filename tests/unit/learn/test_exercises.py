"""Exercises: solutions pass, typical wrong programs get the hint that fits, numbers are known."""

import hashlib
import re
from collections.abc import Callable
from typing import Any

import pytest

from miner.bitcoin.header import Header
from miner.bitcoin.merkle import merkle_root
from miner.errors import ConfigError
from miner.learn import exercises, marking
from miner.learn.catalogue import LESSONS
from miner.learn.chain import FAMOUS, by_height
from miner.learn.exercises import ORDER, Exercise, accepted, catalogue, find
from miner.learn.script import LEVELS
from miner.learn.task import alike
from miner.learn.tasks import merkle, miner, pplns, retarget, timewarp, vardiff
from miner.learn.voice import languages
from miner.node import index
from tests.unit.learn.wrong_programs import PROGRAMS

ALL = pytest.mark.parametrize("one", catalogue(), ids=lambda one: one.name)


def function_of(one: Exercise, source: str) -> Callable[..., Any]:
    names: dict[str, Any] = {}
    exec(source, names)
    found: Callable[..., Any] = names[one.task.function]
    return found


@ALL
def test_the_solution_passes(one: Exercise) -> None:
    report = marking.try_function(one, function_of(one, one.solution))
    assert report.solved and len(report.right) == report.total >= 2


@ALL
def test_the_asserts_hold_for_the_solution_and_fail_for_the_skeleton(one: Exercise) -> None:
    names: dict[str, Any] = {}
    exec(one.solution, names)
    exec("\n".join(one.asserts), names)
    exec(one.skeleton, names)
    with pytest.raises((AssertionError, TypeError)):
        exec("\n".join(one.asserts), names)


@ALL
def test_the_skeleton_is_a_program_that_returns_nothing(one: Exercise) -> None:
    report = marking.try_function(one, function_of(one, one.skeleton))
    assert report.wrong is not None and report.wrong.hint
    assert report.right == () and report.wrong.answer == "None"
    assert one.task.arguments and all(name in one.skeleton for name in one.task.arguments)


@pytest.mark.parametrize(
    ("name", "old", "new", "hint"), PROGRAMS, ids=[f"{one[0]}-{one[3]}" for one in PROGRAMS]
)
def test_a_typical_wrong_program_gets_its_hint(name: str, old: str, new: str, hint: str) -> None:
    one = find(name)
    assert old in one.solution, "the solution has changed"
    report = marking.try_function(one, function_of(one, one.solution.replace(old, new)))
    assert report.wrong is not None
    assert report.wrong.hint == one.hint(hint)


def test_every_exercise_has_several_wrong_programs() -> None:
    for name in ORDER:
        assert len([one for one in PROGRAMS if one[0] == name]) >= 6, name


@ALL
def test_a_mistake_gets_its_own_hint(one: Exercise) -> None:
    for key, program in one.task.mistakes.items():
        report = marking.try_function(one, program)
        assert report.wrong is not None and report.wrong.hint == one.hint(key), key


@pytest.mark.parametrize("lang", languages())
def test_every_text_is_there_in_each_language(lang: str) -> None:
    assert exercises.missing(lang) == ()
    for one, english in zip(catalogue(lang), catalogue(), strict=True):
        keys = {f"case-{case.key}" for case in one.cases} | {"doc"}
        keys |= {"case-node"} if one.name == "miner" else set()
        hints = {key for key in one.words if key.startswith("hint-")}
        assert keys | hints == set(one.words) == set(english.words)
        assert {f"hint-{key.partition('.')[0]}" for key in one.task.mistakes} <= hints
        assert one.level in LEVELS and one.minutes <= 30
        assert one.lesson in [lesson.name for lesson in LESSONS]
        for key, text in one.words.items():
            assert text and not re.search(r"[{}]", text), f"{one.name}: {key}"
            assert lang == "en" or text != english.words[key], f"{one.name}: {key}"


def test_every_hint_is_said_by_somebody() -> None:
    """A hint that no mistake and no judge names is dead."""
    judges = {"midstate": {"uncounted", "each", "count"}, "miner": set(find("miner").words)}
    for one in catalogue():
        named = {
            f"hint-{key.partition('.')[0]}"
            for key in (*one.task.mistakes, *judges.get(one.name, ()))
        }
        hints = {key for key in one.words if key.startswith("hint-")}
        assert one.name == "miner" or hints == named, one.name


def test_unknown_exercises_name_the_nearest() -> None:
    assert find("2").name == find(" TARGET ").name == "target"
    with pytest.raises(ConfigError, match=r"no exercise 'merkel'.* did you mean merkle "):
        find("merkel")
    with pytest.raises(ConfigError, match="choose one of: 1 header, 2 target"):
        find("11")


# The judge's own answers, against what is known from elsewhere


def test_known_headers_and_roots() -> None:
    (genesis,) = (case for case in find("header").cases if case.key == "genesis")
    assert genesis.want["merkle_root"] == merkle.GENESIS and genesis.want["nonce"] == 2083236893
    assert genesis.want["previous"] == "0" * 64 and genesis.want["time"] == 1231006505
    (famous,) = (case for case in find("header").cases if case.key == "famous")
    assert famous.want["nonce"] == 2504433986 and famous.want["nbits"] == 0x1A44B9F2
    assert merkle.right(list(merkle.BLOCK_100000)) == merkle.ROOT_100000
    root = merkle_root([bytes.fromhex(merkle.GENESIS)[::-1]])
    assert Header.parse(by_height(0)).merkle_root == root


def test_known_targets_and_adjustments() -> None:
    wants = {case.key: case.want for case in find("target").cases}
    assert wants["first"] == 0xFFFF << 208 and wants["small"] == 0x1234
    assert retarget.right(0x1D00FFFF, 1261130161, 1262152739) == 0x1D00D86A
    assert retarget.right(0x1C05A3F4, 1279008237, 1279297671) == 0x1C0168FD


def test_rounds_in_a_row_are_the_compression_of_hashlib() -> None:
    one = find("round")
    sha_round = function_of(one, one.solution)
    names: dict[str, Any] = {}
    exec("from miner.bitcoin.sha256 import INITIAL_STATE, K, padding, schedule", names)
    message = b"abc"
    state = list(names["INITIAL_STATE"])
    for k, w in zip(names["K"], names["schedule"](message + names["padding"](3)), strict=True):
        state = sha_round(state, k, w)
    sums = [(x + y) % 2**32 for x, y in zip(state, names["INITIAL_STATE"], strict=True)]
    assert b"".join(word.to_bytes(4, "big") for word in sums) == hashlib.sha256(message).digest()


def test_the_counted_exercise_counts() -> None:
    one = find("midstate")
    case = one.cases[2]
    assert one.task.judge(case, case.want, 1 + 2 * 5) is None
    for calls, hint in ((0, "uncounted"), (15, "each"), (10, "count")):
        fault = one.task.judge(case, case.want, calls)
        assert fault is not None and fault.hint == hint


def test_the_rule_of_the_time_warp_is_the_nodes_own() -> None:
    assert timewarp.GRACE_S == index.MAX_TIMEWARP_S
    times = timewarp.warped(12, 4)
    assert timewarp.right(times, 4) == [4, 8]
    assert all(sorted(times[at - 3 : at])[1] < times[at] for at in range(3, 12))  # else refused


def test_pplns_pays_no_more_than_there_is() -> None:
    for case in find("pplns").cases:
        _, window, reward = case.given
        paid = sum(case.want.values())
        assert reward - len(case.want) < paid <= reward and window > 0
    assert pplns.right([("a", 1), ("b", 3)], 2, 9) == {"b": 9}


def test_vardiff_by_hand() -> None:
    assert vardiff.right(1000.0, 180, 300, 12) == 3000.0  # 36 a minute, 12 wanted
    assert vardiff.right(4096.0, 0, 120, 6) == 1024.0
    assert vardiff.right(1000.0, 75, 300, 12) == 1000.0


def test_blocks_of_the_solution_are_accepted_by_the_engine() -> None:
    one = find("miner")
    mine = function_of(one, one.solution)
    sent = miner.on_node(mine)
    assert [block.accepted for block in sent] == [True, True]
    assert sent[1].raw[4:36] == hashlib.sha256(hashlib.sha256(sent[0].raw[:80]).digest()).digest()
    assert accepted(mine)


def test_blocks_that_are_none_are_refused_by_the_engine() -> None:
    (sent,) = miner.on_node(lambda work: miner.right({**work, "curtime": work["curtime"] - 9999}))
    assert not sent.accepted and sent.judgement.reason == "time-too-old"
    assert not accepted(lambda work: b"")


def test_answers_are_compared_exactly() -> None:
    assert alike((1, [2, b"x"]), [1, (2, b"x")]) and alike({"a": 1}, {"a": 1})
    assert not alike(1.0, 1) and not alike(True, 1) and not alike([1], [1, 2])
    assert not alike({"a": 1, "b": 2}, {"a": 1}) and not alike("00", b"00")
    assert FAMOUS == 125_552
