"""Judges of answers, as people write them: 1/2, half, 0,5, 50 %, 2^32, 5e9, 12 hashes.

A number is read exactly, as a fraction. A comma stands before thousands when exactly three digits
follow it, else it is the decimal sign. A unit behind the number, or words before it, do not matter.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile
from typing import Any

from miner.errors import ConfigError

LARGEST_POWER = 512  # 2^512 is beyond every number of a lesson
LONGEST = 80  # characters of an answer that are read
COUNTS = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen twenty",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn "
    "fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig",
}
WORDS: dict[str, int | Fraction] = {
    **{word: count for words in COUNTS.values() for count, word in enumerate(words.split())},
    "none": 0, "dozen": 12, "half": Fraction(1, 2), "quarter": Fraction(1, 4),
    "third": Fraction(1, 3), "hundred": 100, "thousand": 1000, "million": 10**6,
    "keiner": 0, "keine": 0, "keinen": 0, "dutzend": 12, "zwo": 2, "einer": 1, "einen": 1,
    "halb": Fraction(1, 2), "halbe": Fraction(1, 2), "hälfte": Fraction(1, 2),
    "viertel": Fraction(1, 4), "drittel": Fraction(1, 3), "anderthalb": Fraction(3, 2),
    "hundert": 100, "tausend": 1000,
}  # fmt: skip
TIMES = {
    "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9,
    "hundert": 100, "tausend": 1000, "millionen": 10**6, "milliarden": 10**9,
    "milliarde": 10**9,
}  # fmt: skip
ARTICLES = (
    "a", "an", "the", "about", "exactly", "roughly", "nearly",
    "der", "die", "das", "ein", "eine", "etwa", "ungefähr", "genau", "rund", "fast",
)  # fmt: skip
YES = ("yes", "y", "ja", "j")
NO = ("no", "n", "nein", "nobody", "niemand")
PLAIN = re.compile(r"0x[0-9a-f]+|[0-9][0-9.,_ ]*(?:e[+-]?[0-9]{1,3})?")
POWER = re.compile(r"\s*(\*\*|\^|hoch|to the power of)\s*")
SIGN = re.compile(r"\s*(\*|x|·|×|mal|times|/)\s*")
SHARES = ("%", "per cent", "percent", "Prozent")

Judge = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """A judge with the text it was made from: a page judges by the text, in its own language."""

    text: str
    takes: Judge

    def __call__(self, answer: str) -> bool:
        return self.takes(answer)


def tables() -> dict[str, Any]:
    """The words and limits that a judge elsewhere needs to judge alike."""
    return {
        "words": {word: str(value) for word, value in WORDS.items()}, "times": TIMES,
        "articles": ARTICLES, "yes": YES, "no": NO, "shares": SHARES,
        "longest": LONGEST, "largest_power": LARGEST_POWER,
    }  # fmt: skip


def number(answer: str, lang: str = "en") -> Fraction | None:
    """The number an answer means; None when it means none. A per cent sign is not applied.

    In German a point stands before thousands and a comma is the decimal sign.
    """
    text = answer.strip().casefold()[:LONGEST].rstrip(". ")
    words = [word for word in text.split() if word not in ARTICLES]
    if lang == "de":
        text = re.sub(r"(?<=[0-9])[.,](?=[0-9])", _other_way(text), text)
    if words and words[0] in WORDS:
        return Fraction(WORDS[words[0]]) * _scale(words[1:])
    start = PLAIN.search(text)
    if start is None or "-" in text[: start.start()]:
        return None
    value = _product(text, start)
    return None if value is None else value * _scale(text[start.end() :].split())


def _scale(words: Sequence[str]) -> int:
    """Thousand, million and the like that follow a number."""
    return math.prod(TIMES[word] for word in takewhile(TIMES.__contains__, words))


def _other_way(text: str) -> Callable[[re.Match[str]], str]:
    """Points and commas as English has them; a point is a decimal sign where it must be one."""
    thousands = re.search(r"[0-9]{1,3}(\.[0-9]{3})+(,[0-9]*)?(?![0-9.])", text) is not None
    if not thousands and "," not in text:
        return lambda found: found.group()
    return lambda found: "," if found.group() == "." else "."


def _product(text: str, found: re.Match[str]) -> Fraction | None:
    """A number, a power of one or a product of those, and whatever follows: a unit."""
    value, place = _power(text, found)
    while value is not None and (sign := SIGN.match(text, place)):
        following = PLAIN.match(text, sign.end())
        if following is None:
            break  # "12 x": a unit
        other, place = _power(text, following)
        if other is None or (sign.group(1) == "/" and not other):
            return None
        value = value / other if sign.group(1) == "/" else value * other
    return value


def _power(text: str, found: re.Match[str]) -> tuple[Fraction | None, int]:
    """A number or a power, and where it ends."""
    value, place = _plain(found.group()), found.end()
    sign = POWER.match(text, place)
    following = PLAIN.match(text, sign.end()) if sign else None
    if value is None or following is None:
        return value, place
    power = _plain(following.group())
    small = value <= 2**64 and power is not None and power <= LARGEST_POWER
    if power is None or power.denominator != 1 or not small:
        return None, following.end()
    return Fraction(value ** int(power)), following.end()


def _plain(text: str) -> Fraction | None:
    """The number that digits with separators spell; None when they spell none."""
    text = text.strip(" ,_")
    if text.startswith("0x"):
        return Fraction(int(text, 16))
    digits, e, exponent = text.replace("_", "").replace(" ", "").partition("e")
    if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?", digits):
        digits = digits.replace(",", "")
    else:
        digits = digits.replace(",", ".")
    if not re.fullmatch(r"[0-9]+(\.[0-9]*)?", digits):
        return None
    return Fraction(digits.rstrip(".")) * Fraction(10) ** (int(exponent) if e else 0)


def number_judge(want: int, lang: str = "en") -> Judge:
    """Takes this number, and with a per cent sign the hundredth of it too."""
    return near_judge(want, want, lang)


def near_judge(low: float | Fraction, high: float | Fraction, lang: str = "en") -> Judge:
    """Takes a number from low to high."""

    def judge(answer: str) -> bool:
        value = number(answer, lang)
        if value is None:
            return False
        share = any(sign in answer for sign in SHARES)
        return any(low <= one <= high for one in ((value, value / 100) if share else (value,)))

    return judge


def word_judge(*accepted: str) -> Judge:
    """Takes any of these words, whatever their case."""
    wanted = {word.strip().casefold() for word in accepted}
    return lambda answer: answer.strip().strip(".!").casefold() in wanted


def judge_from(rule: str, lang: str = "en") -> Rule:
    """The judge that a lesson's text names: yes, no, number 72, near 0.9 1.1, words a, b.

    Raises ConfigError for any other rule.
    """
    return Rule(rule, _judge(rule, lang))


def _judge(rule: str, lang: str) -> Judge:
    kind, _, rest = rule.strip().partition(" ")
    try:
        if kind == "number":
            return near_judge(Fraction(rest), Fraction(rest), lang)
        if kind == "near":
            low, high = map(Fraction, rest.split())  # 0.16 itself is in: no float is
            return near_judge(low, high, lang)
    except ValueError as error:
        raise ConfigError(f"judge {rule!r}: {error}") from error
    if kind == "words" and rest:
        return word_judge(*rest.split(","))
    if kind in ("yes", "no") and not rest:
        return word_judge(*(YES if kind == "yes" else NO))
    raise ConfigError(f"judge {rule!r}: want yes, no, number N, near LOW HIGH or words A, B")
