"""Remote text cannot steer a terminal, forge a log line or flood a screen (P12)."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miner.secret import Secret
from miner.text import LIMIT, scrub
from tests.faults import fault

CASES = {
    "plain": ("bad-cb-amount", "bad-cb-amount"),
    "colour": ("\x1b[31mred\x1b[0m", "red"),
    "clipboard": ("a\x1b]52;c;ZXZpbA==\x07b", "ab"),
    "eight-bit csi": ("a\x9b2Jb", "ab"),
    "forged line": ("ok\r\nERROR found", "ok ERROR found"),
    "bidirectional": ("abc\u202egnp.exe", "abc?gnp.exe"),
    "zero width and surrogate": ("a\u200bb\ud800c", "a?b?c"),
    "delete and nul": ("a\x00b\x7f", "a?b?"),
    "number": (7, "7"),
    "list": ([1, "\x1b[2J"], "[1, '\\x1b[2J']"),
    "none": (None, "None"),
    "error": (ValueError("a\nb"), "a b"),
    "letters of the world": ("Fehler: schließen", "Fehler: schließen"),
}


@pytest.mark.parametrize(("dirty", "clean"), CASES.values(), ids=CASES.keys())
@fault("P12")
def test_remote_text_becomes_one_harmless_line(dirty: object, clean: str) -> None:
    assert scrub(dirty) == clean


@fault("P14")
def test_a_peer_cannot_make_us_show_our_own_secret() -> None:
    Secret("correct horse")
    Secret("x")  # no secret: everybody's password at a pool
    assert scrub("no: correct horse, fox") == "no: ***, fox"
    assert scrub("no: correct \x1b[0mhorse") == "no: ***"
    assert scrub(ValueError("a" * 190 + "correct horse")) == "a" * 190 + "***"


def test_length_is_capped_and_the_cut_is_visible() -> None:
    assert scrub("x" * 10_000_000).endswith("...")
    assert len(scrub("x" * 201)) == LIMIT
    assert scrub("x" * 200) == "x" * 200


@given(st.text(alphabet=st.characters(), max_size=300))
def test_any_text_is_printable_and_bounded(text: str) -> None:
    clean = scrub(text, 50)
    assert len(clean) <= 50
    assert clean.isprintable()


@given(st.text(alphabet=string.ascii_letters + string.digits + "-_.:/", max_size=50))
def test_ordinary_words_are_untouched(text: str) -> None:
    assert scrub(text) == text


def test_a_flood_is_cut_before_it_is_cleaned() -> None:
    """Four times the limit is looked at: enough for colours, too little to keep us busy."""
    colours = "\x1b[0m" * 8  # 32 characters
    assert scrub(colours + "12345678", 10) == "12345678"
    assert scrub(colours + "123456789", 10) == "1234567..."
    assert scrub(colours + "1234567890", 10) == "1234567..."
    assert scrub(" " * 39 + "x", 10) == "x"
    assert scrub(" " * 40 + "x", 10) == "..."


@pytest.mark.parametrize(("size", "shown"), [(9, "x" * 9), (10, "x" * 10), (11, "xxxxxxx...")])
def test_a_text_of_exactly_the_limit_is_shown_whole(size: int, shown: str) -> None:
    assert scrub("x" * size, 10) == shown
