"""Judges of answers, as people write them: 1/2, half, 0,5, 50 %, 2^32, 5e9, 12 hashes.

A number is read exactly, as a fraction. A comma stands before thousands when exactly three digits
follow it, else it is the decimal sign. A unit behind the number, or words before it, do not matter.
"""

import re
from collections.abc import Callable
from fractions import Fraction

LARGEST_POWER = 512  # 2^512 is beyond every number of a lesson
LONGEST = 80  # characters of an answer that are read
WORDS: dict[str, int | Fraction] = {
    "zero": 0, "none": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
    "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
    "half": Fraction(1, 2), "quarter": Fraction(1, 4), "third": Fraction(1, 3),
    "hundred": 100, "thousand": 1000, "million": 10**6,
}  # fmt: skip
ARTICLES = ("a", "an", "the", "about", "exactly", "roughly")
PLAIN = re.compile(r"0x[0-9a-f]+|[0-9][0-9.,_ ]*(?:e[+-]?[0-9]{1,3})?")
POWER = re.compile(r"\s*(\*\*|\^)\s*")
SIGN = re.compile(r"\s*(\*|x|/)\s*")

Judge = Callable[[str], bool]


def number(answer: str) -> Fraction | None:
    """The number an answer means; None when it means none. A per cent sign is not applied."""
    text = answer.strip().lower()[:LONGEST].rstrip(". ")
    words = [word for word in text.split() if word not in ARTICLES]
    if words and words[0] in WORDS:
        return Fraction(WORDS[words[0]])
    start = PLAIN.search(text)
    if start is None or "-" in text[: start.start()]:
        return None
    return _product(text, start)


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
    """Digits with their separators."""
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


def number_judge(want: int) -> Judge:
    """Takes this number, and with a per cent sign the hundredth of it too."""
    return near_judge(want, want)


def near_judge(low: float, high: float) -> Judge:
    """Takes a number from low to high."""

    def judge(answer: str) -> bool:
        value = number(answer)
        if value is None:
            return False
        values = (value, value / 100) if "%" in answer or "per cent" in answer else (value,)
        return any(low <= one <= high for one in values)

    return judge


def word_judge(*accepted: str) -> Judge:
    """Takes any of these words, whatever their case."""
    wanted = {word.casefold() for word in accepted}
    return lambda answer: answer.strip().strip(".!").casefold() in wanted
