"""The words the miner prints, in a sentence each, with the lesson that shows them at work.

They stand in text/LANG/words.toml; what a translation lacks is said in English.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from miner.errors import ConfigError
from miner.learn.voice import BASE, TEXT, languages
from miner.protocol.gbt.verdicts import explain
from miner.protocol.pool import PLAIN_WORDS

NEAR, CLOSE = 5, 0.6  # how many neighbours are named, and how alike they must be spelled
SHORT = 4  # letters: shorter words stand in too many sentences to tell anything
TERMS = "terms"  # the table of words as a translation calls them
UNIT = re.compile(r"[ _](s|hs|w|c|mhz|at|ms)$")  # of a field: rate_10s_hs


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a word means, and the lesson that shows it."""

    word: str
    says: str
    lesson: str
    also: tuple[str, ...] = ()
    called: str = ""  # in the language of the sentence, where that is another word


@cache
def glossary(lang: str = BASE) -> Mapping[str, Meaning]:
    """Every word by its own name, in a language."""
    english = _read(BASE)
    own = english if lang == BASE else _read(lang)
    called = own.get(TERMS, {})
    found = {}
    for key, (says, lesson, also) in english.items():
        word = key.replace("_", " ")
        said = says if lang == BASE else own.get(key, says)
        others = tuple(one.strip() for one in also.split(",") if one.strip())
        found[word] = Meaning(word, str(said), lesson, others, called.get(key, ""))
    return found


def missing(lang: str) -> list[str]:
    """Words that a language has no sentence for."""
    own = _read(lang)
    return [key for key in _read(BASE) if key not in own]


def _read(lang: str) -> dict[str, Any]:
    """In English [says, lesson, other names] by word, else the sentence alone, and [terms]."""
    path = TEXT / lang / "words.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


@cache
def _names() -> Mapping[str, str]:
    """Every spelling that is understood, with the word it stands for; own names come first."""
    known = glossary()
    others = {other: word for word, one in known.items() for other in one.also}
    called = {
        one.called.lower(): word
        for lang in languages()
        for word, one in glossary(lang).items()
        if one.called
    }
    return {**called, **others, **{word: word for word in known}}


def meaning(word: str, lang: str = BASE) -> Meaning:
    """A term, a field of the JSON output, a node's verdict or a pool's reason.

    Raises ConfigError with the nearest words, by spelling and by meaning.
    """
    key = " ".join(word.lower().replace("_", " ").split())
    for spelling in _spellings(key):
        if spelling in _names():
            return glossary(lang)[_names()[spelling]]
    for reason, words in PLAIN_WORDS.items():
        if key in (reason.value, reason.value.replace("-", " ")):
            return Meaning(key, words, "shares")
    verdict = explain(word.strip())
    if verdict:
        return Meaning(key, verdict, "verdict")
    near = nearest(key, lang)
    hint = f"near it: {', '.join(near)}" if near else "miner explain alone lists them all"
    raise ConfigError(f"no explanation of {word!r}; {hint}")


def _spellings(key: str) -> list[str]:
    """A word as typed, in the singular, without hyphens, and without a field's unit."""
    bare = UNIT.sub("", key)
    forms = [key, key.replace("-", " "), bare, UNIT.sub("", bare)]
    return [*forms, *(one.removesuffix("s") for one in forms), *(f"{one}s" for one in forms)]


def nearest(key: str, lang: str = BASE) -> list[str]:
    """Words spelled much like this one, then those whose sentence speaks of it."""
    spelled = difflib.get_close_matches(key, _names(), NEAR, CLOSE)
    stems = [part[: max(SHORT, len(part) - 2)] for part in key.split() if len(part) >= SHORT]
    meant = [
        word
        for word, one in glossary(lang).items()
        if any(stem in f"{one.says} {' '.join(one.also)}".lower() for stem in stems)
    ]
    found = dict.fromkeys([_names()[one] for one in spelled] + meant)
    return list(found)[:NEAR]
