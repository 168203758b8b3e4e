"""Every word leads to a lesson."""

import pytest
from click.testing import CliRunner

from miner.cli.explain import explain
from miner.errors import ConfigError
from miner.learn.catalogue import LESSONS, find
from miner.learn.words import WORDS, meaning


def test_every_word_has_a_lesson_and_every_lesson_a_word() -> None:
    assert {find(name).name for _, name in WORDS.values()} == {one.name for one in LESSONS}


@pytest.mark.parametrize(
    ("word", "part"),
    [
        ("Shares", "proof of work"), ("best_difficulty", "lowest hash"), ("J/TH", "joules"),
        ("bad-cb-height", "BIP 34"), ("low-difficulty", "share target"), ("duplicate", "had this"),
        ("merkle-root", "transactions"),
    ],
)  # fmt: skip
def test_terms_verdicts_and_reasons(word: str, part: str) -> None:
    assert part in meaning(word)[0]


def test_an_unknown_word_names_its_neighbours() -> None:
    with pytest.raises(ConfigError, match="difficulty"):
        meaning("dificulty")


def test_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("MINER_HOME", str(tmp_path))
    run = CliRunner().invoke(explain, ["best", "difficulty"])
    assert (
        run.exit_code == 0 and "no share found yet" in run.output and "miner learn 7" in run.output
    )
    assert "nonce" in CliRunner().invoke(explain, []).output
