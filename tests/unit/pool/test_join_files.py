"""What the phones' page is made of: small, whole, from nowhere else, in two languages."""

import re
from pathlib import Path

import miner.pool
from miner.pool.phone_door import FILES, PAGE
from tests.unit.views.test_page_files import STATIC as OF_A_RUN

STATIC = Path(miner.pool.__file__).parent / "static"
MOST_BYTES = 120 * 1024
OURS = [STATIC / name for name in (PAGE, *FILES) if (STATIC / name).exists()]
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in OURS}


def dictionary(name: str) -> dict[str, str]:
    block = re.search(rf"const {name} = \{{(.*?)\n\}};", TEXTS["join-words.js"], re.DOTALL)
    assert block is not None
    return dict(re.findall(r'"([\w-]+)": "([^"]*)"', block[1]))


def test_the_page_is_small_and_whole() -> None:
    wanted: set[str] = set()
    for text in TEXTS.values():
        wanted |= set(
            re.findall(r'(?:src=|href=|from |Worker\(|importScripts\()"/([\w.-]+)"', text)
        )
    assert wanted == set(FILES)
    places = [folder / name for name in FILES for folder in (STATIC, OF_A_RUN)]
    assert sum(path.stat().st_size for path in places if path.exists()) <= MOST_BYTES


def test_no_text_becomes_markup_and_nothing_comes_from_elsewhere() -> None:
    for name, text in TEXTS.items():
        for way in (
            "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(",
            "DOMParser", "srcdoc", "<style", "style=", "javascript:", "@import", "url(", "http:",
            "https:",
        ):  # fmt: skip
            assert way not in text, f"{way} in {name}"
        assert not re.search(r"<[^>]* on\w+=", text), name


def test_every_word_is_there_in_both_languages_and_used() -> None:
    english, german = dictionary("EN"), dictionary("DE")
    assert english.keys() == german.keys()
    for key, words in english.items():
        assert set(re.findall(r"\{(\w+)\}", words)) == set(re.findall(r"\{(\w+)\}", german[key])), (
            key
        )
    told = TEXTS["join.js"]
    asked = set(re.findall(r'data-say="([\w-]+)"', TEXTS[PAGE]))
    asked |= {key for key in english if f'"{key}"' in told}
    asked |= {f"state-{word}" for word in re.findall(r'"(\w+)", "(?:good|warn|bad|)"\]', told)}
    asked |= {"path-wasm", "path-js", "trouble-full", "trouble-removed", "trouble-fast"}
    asked |= {key for key in english if key.startswith("answer-")}
    assert asked == english.keys()


def test_every_part_that_the_page_asks_for_is_there() -> None:
    ids = re.findall(r'id="([\w-]+)"', TEXTS[PAGE])
    assert len(ids) == len(set(ids))
    asked = set(re.findall(r'\b(?:find|text)\("([\w-]+)"', TEXTS["join.js"]))
    assert asked and asked <= set(ids)
