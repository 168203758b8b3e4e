"""A short, seeded run of every target, the kept corpus first; the long one: scripts/lab/fuzz.py."""

import random

import pytest

from tests.fakes.broken import runner, targets
from tests.fakes.broken.mutate import mutate
from tests.fakes.broken.targets import CORPUS, TABLE, Target

EXECUTIONS = 2500


@pytest.mark.parametrize("target", TABLE, ids=lambda target: target.name)
def test_target(target: Target) -> None:
    if target.name == "node-methods":
        pytest.importorskip("pbk", reason="no kernel wheel for this Python")
    outcome = runner.run(target, int(EXECUTIONS * target.share), seed=1, seconds=20)
    assert outcome.failures == []
    assert outcome.executions >= len(targets.corpus(target.name))
    assert len(outcome.words) > 2, "the inputs reach next to nothing"


def test_every_corpus_folder_has_a_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} <= {target.name for target in TABLE}


def test_a_target_that_fails_is_seen_once_for_each_kind_and_kept_as_input() -> None:
    def feed(data: bytes) -> str:
        if b"\x00" in data:
            raise KeyError("zero")
        return "fine"

    outcome = runner.Outcome("broken")
    for data in (b"a", b"\x00", b"\x00\x00", b"b"):
        runner.step(outcome, feed, data)
    assert (outcome.executions, len(outcome.failures), outcome.wrong) == (4, 2, [b"\x00"])
    assert set(outcome.words) == {"fine", "KeyError: 'zero'"}


def test_a_slow_call_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "SLOW_S", 0.0)
    outcome = runner.Outcome("slow")
    runner.step(outcome, lambda data: "", b"x")
    assert outcome.wrong == [b"x"]


def test_mutations_depend_on_the_seed_alone_and_reach_inside_json() -> None:
    data = b'{"method": "mining.notify", "params": ["a", [1, 2], true]}'
    first = [mutate(data, random.Random(n)) for n in range(300)]
    assert first == [mutate(data, random.Random(n)) for n in range(300)]
    assert len(set(first)) > 200
    assert any(b'"method": "mining.notify"' in made and made != data for made in first)
