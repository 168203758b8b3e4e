"""Answers as people type them, with what the judge says: the page's judge is held to the same."""

import random

from miner.learn.answers import ARTICLES, TIMES, WORDS

# rule, language, answers that are right, answers that are wrong
CASES: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("near 0.5 0.5", "en",
     ("1/2", "half", "a half", "0.5", "0,5", "50%", "50 %", "50 per cent", "2/4"),
     ("0.51", "2", "-0.5", "1/0", "50", "", "half a million")),
    ("near 0.5 0.5", "de",
     ("0,5", "1/2", "die Hälfte", "ein halb", "50 Prozent", "0.5"),
     ("5", "ja")),
    ("number 4294967296", "en",
     ("4294967296", "2**32", " 2^32 ", "0x100000000", "4,294,967,296", "4 294 967 296",
      "2^32 hashes", "65536 * 65536", "2 to the power of 32", "about 2^32", "4.294967296e9"),
     ("2**33", "many", "1e99", "2**999999999999", "4.294.967.296", "-4294967296")),
    ("number 4294967296", "de",
     ("4.294.967.296", "2 hoch 32", "65536 mal 65536"),
     ("4,294967296",)),
    ("number 72", "en",
     ("72", "byte 72", "0x48", "72.", "72 bytes", "exactly 72", "72%", "144/2"),
     ("73", "-72", "7 2 1", "", "x", "e9", "0x", "12 x")),
    ("number 12", "en",
     ("twelve", "a dozen", "12 x", "12 × 1", "3 times 4", "12 hashes"),
     ("11", "1,2")),
    ("number 12", "de", ("zwölf", "Zwölf Hashes", "ein Dutzend", "3 mal 4"), ("zwanzig", "1,2")),
    ("number 0", "en", ("0", "none", "zero", "none of them", "0,0"), ("one", "no", "")),
    ("number 0", "de", ("keiner", "null", "keine"), ("nein", "eins")),
    ("number 5000000000", "en",
     ("five billion", "5 billion", "5 * 10^9", "5 thousand million", "5e9", "50*10^8"),
     ("five", "5 million", "five trillion")),
    ("number 5000000000", "de",
     ("5 Milliarden", "fünf Milliarden", "5.000.000.000"),
     ("5 Millionen",)),
    ("near 0.9 1.1", "en",
     ("1", "one", "0.9", "1.1", "0,9", "9/10", "110%"),
     ("0.89", "1.11", "10%")),
    ("near 8.811 8.989", "en", ("8.9", "8,9", "8.811", "8.989 J/TH"), ("8.81", "89", "8.99")),
    ("near 36.5 37", "de", ("37 %", "37 Prozent", "36,5", "36,79"), ("36,4", "0,37", "3679")),
    ("number 1/3", "en", ("1/3", "a third", "2/6"), ("0.333", "3")),
    ("yes", "en", ("yes", "Y", "ja", " Yes. ", "J!"), ("no", "nein", "maybe", "", "yes it is")),
    ("no", "de", ("no", "Nein.", "n", "niemand", "Nobody"), ("yes", "ja", "")),
    ("words nonce, the nonce, f", "en",
     ("Nonce", "the nonce.", "F!", " f "),
     ("time", "", "nonces")),
    ("words schwer, große", "de", ("SCHWER", "GROSSE", "große."), ("leicht", "groß")),
)  # fmt: skip

PIECES = (
    *"0123456789", "10", "2", "32", "1000", "000", ",", ".", "_", " ", " ", "  ", "%", "-", "+",
    "e", "e9", "e-3", "E2", "0x", "0xff", "^", "**", "*", "/", "x", "×", "·", "mal", "hoch",
    "times", "to the power of", "\t", "\u00a0", "\u2009", "\x1c", "\ufeff", "😀", "ß", "ẞ", "Ä",
    "²", "٣", "percent", "Prozent", "per cent", "constructor", "toString", "__proto__",
    *WORDS, *TIMES, *ARTICLES,
)  # fmt: skip


def asked() -> list[tuple[str, str, str, bool]]:
    """Rule, language, answer, and whether it is right."""
    return [
        (rule, lang, answer, answer in right)
        for rule, lang, right, wrong in CASES
        for answer in (*right, *wrong)
    ]


def strange(count: int, seed: int) -> list[str]:
    """Answers nobody would type, made of the pieces of those that people do."""
    rng = random.Random(seed)
    return ["".join(rng.choices(PIECES, k=rng.randint(1, 9))) for _ in range(count)]
