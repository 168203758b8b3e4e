"""The board's and the desk's words: the same ones in both languages, each of them used."""

import re

from miner.pool.site import files

PAGES = ("board.html", "board.js", "board-charts.js", "desk.html", "desk.js")
KEY = re.compile(r'(?:^|[\s{,])(?:"([a-z0-9-]+)"|([a-z]+)): "((?:[^"\\]|\\.)*)"')
MADE = ("mode-", "told-")  # completed by the mode's name


def words() -> tuple[dict[str, str], dict[str, str], str]:
    """English, German, and the code after them."""
    text = files()["board-words.js"].body.decode()
    _, english, german, code = re.split(r"\ten: \{|\tde: \{|\nconst LARGE", text)
    one, other = ({a or b: said for a, b, said in KEY.findall(part)} for part in (english, german))
    return one, other, code


def test_both_languages_say_the_same() -> None:
    english, german, _ = words()
    assert len(english) > 80 and english.keys() == german.keys()
    for key, said in english.items():
        holes = sorted(re.findall(r"\{\w+\}", said))
        assert sorted(re.findall(r"\{\w+\}", german[key])) == holes, key


def test_every_word_is_used() -> None:
    english, _, code = words()
    known = files()
    used = code + "".join(known[name].body.decode() for name in PAGES)
    unused = [one for one in english if not re.search(rf"[\"'`]{re.escape(one)}[\"'`]", used)]
    assert [one for one in unused if not one.startswith(MADE)] == []


def test_every_word_that_is_asked_for_is_there() -> None:
    english, _, _ = words()
    text = "".join(files()[name].body.decode() for name in PAGES)
    asked = set(re.findall(r'data-say="([a-z0-9-]+)"|\bt\("([a-z0-9-]+)"', text))
    assert {a or b for a, b in asked} <= english.keys()
