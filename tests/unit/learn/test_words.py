"""Every word that the program prints is explained, and is found when it is misspelt."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from miner.cli.explain import explain
from miner.errors import ConfigError
from miner.learn.catalogue import LESSONS, find
from miner.learn.voice import languages
from miner.learn.words import glossary, meaning, missing, nearest
from tests.unit.learn import printed

PLAIN = frozenset((Path(__file__).parent / "plain_words.txt").read_text().split())


def is_known(word: str) -> bool:
    try:
        return bool(meaning(word))
    except ConfigError:
        return False


def test_every_word_has_a_lesson_and_every_lesson_a_word() -> None:
    named = {find(one.lesson).name for one in glossary().values()}
    assert named == {one.name for one in LESSONS}


def test_every_word_on_screens_and_tables_is_explained_or_plain() -> None:
    """A new one goes into text/en/words.toml, or into plain_words.txt if any reader knows it."""
    strange = sorted(one for one in printed.words() if one not in PLAIN and not is_known(one))
    assert strange == []


def test_every_event_and_field_is_explained() -> None:
    def told(name: str) -> bool:
        parts = [part for part in name.split("_") if len(part) > 2]
        return is_known(name) or all(part in PLAIN or is_known(part) for part in parts)

    assert sorted(name for name in printed.fields() if not told(name)) == []


def test_the_plain_words_are_needed_and_not_explained_too() -> None:
    assert sorted(word for word in PLAIN if is_known(word)) == []
    assert len(printed.words()) > 300 and len(printed.fields()) > 80


@pytest.mark.parametrize("lang", languages())
def test_every_sentence_is_translated(lang: str) -> None:
    assert missing(lang) == []
    for word, one in glossary(lang).items():
        assert one.says and not one.says.endswith("."), word
        assert lang == "en" or one.says != glossary()[word].says, word


@pytest.mark.parametrize(
    ("word", "part"),
    [
        ("Shares", "proof of work"), ("best_difficulty", "lowest hash"), ("J/TH", "joules"),
        ("bad-cb-height", "BIP 34"), ("low-difficulty", "share target"), ("duplicate", "before"),
        ("merkle-root", "transactions"), ("faults", "needs you"), ("pausing", "waits"),
        ("node", "chain"), ("bits", "four bytes"), ("rate_10s_hs", "ten seconds"),
        ("temperature_c", "Temp"), ("expected_block_s", "exponential"), ("steady", "trusted"),
    ],
)  # fmt: skip
def test_terms_fields_verdicts_and_reasons(word: str, part: str) -> None:
    assert part.lower() in meaning(word).says.lower()


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("dificulty", "difficulty"), ("noonce", "nonce"), ("hashrat", "hashrate"),  # spelling
        ("electricity", "tariff"), ("payment", "transaction"), ("graphics", "kernel"),  # meaning
    ],
)  # fmt: skip
def test_near_misses_by_spelling_and_by_meaning(word: str, near: str) -> None:
    assert near in nearest(word)
    with pytest.raises(ConfigError, match=near):
        meaning(word)


def test_a_translations_own_words_are_known_too() -> None:
    assert meaning("Zielwert", "de").word == "target" and meaning("zielwert").word == "target"
    for word, one in glossary("de").items():
        assert one.called != word and meaning(one.called or word).word == word, word
    assert all(one.called == "" for one in glossary().values())


@pytest.mark.parametrize(
    "word",
    "exercise skeleton solution quiz hint window padding byte hex exponent xor rotated modulo "
    "maj compress encryption signature terahashes sandbox warp vardiff pplns midstate".split(),
)
def test_terms_of_exercises_and_quiz(word: str) -> None:
    assert is_known(word)


def test_a_word_like_no_other_is_told_where_the_list_is() -> None:
    with pytest.raises(ConfigError, match="miner explain alone"):
        meaning("qqq")


def test_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MINER_HOME", str(tmp_path))
    run = CliRunner().invoke(explain, ["best", "difficulty", "--lang", "en"])
    assert (
        run.exit_code == 0 and "no share found yet" in run.output and "miner learn 7" in run.output
    )
    assert "nonce" in CliRunner().invoke(explain, []).output
    german = CliRunner().invoke(explain, ["share", "--lang", "de"]).output
    assert "Zielwert des Pools" in german and "miner learn 7  (Share und Block)" in german
