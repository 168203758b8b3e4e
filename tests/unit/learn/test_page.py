"""Pieces of the page that need no browser: cells, bits, tools of a lesson, joined modules."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from miner.learn import bundle, page, quiz, svg, tools
from miner.learn.catalogue import course, find
from miner.learn.steps import Axis, Lesson, Mark, Setting, Table
from miner.learn.voice import languages, voice

NOW = datetime(2026, 11, 29, tzinfo=UTC)
ROW = ".#.#...# ....###. .#..#..# .#######"


def bare(lesson: Lesson) -> Lesson:
    return replace(lesson, screens=lambda _: iter(()))


def test_bits_are_squares_with_their_hex_for_who_cannot_see_them() -> None:
    drawn = svg.bits(ROW)
    assert 'aria-label="510e497f"' in drawn
    empty, full = re.findall(r' d="([^"]*)"', drawn)
    assert full.count("M") == ROW.count("#") and empty.count("M") == ROW.count(".")


def test_cells_are_drawn_by_what_they_hold() -> None:
    table = Table("t", ("name", "value"), (("e", ROW), ("hash", "ab" * 32), ("count", "2^206.1")))
    html = page.html_of(table, voice("en"))
    assert '<tr class="bitrow"><td>e</td><td><svg class="bits"' in html
    assert f'<td class="hex long">{"ab" * 32}</td>' in html
    assert "<td>2<sup>206.1</sup></td>" in html


def test_a_wide_table_names_its_cells_for_a_phone() -> None:
    row = ("by hand in Python", "5.95 kH/s", "x1.5", "the first chunk is hashed once")
    table = Table("", ("rung", "speed", "gain", "**idea**"), (row,))
    html = page.html_of(table, voice("en"))
    assert '<table class="cards">' in html and '<td data-name="idea">the first' in html
    small = Table("", ("a", "b", "c"), (("1", "2", "3"),))
    assert "cards" not in page.html_of(small, voice("en"))


def test_powers_are_raised_in_pictures_too() -> None:
    mark = Mark("best", 2e74, "2.67·10^74")
    assert "best: 2.67·10⁷⁴</text>" in svg.axis(Axis("t", "u", (mark, Mark("x", 1e-6, "10^-6"))))
    assert svg.raised("10^-6, 2^188.9 and x^2") == "10⁻⁶, 2^188.9 and x^2"


def test_the_list_has_levels() -> None:
    html = page.build([bare(one) for one in course("de").lessons], Setting(header=bytes(80)), NOW)
    listed = html.partition('<nav id="contents">')[2].partition("</nav>")[0]
    heads = re.findall("<h3>(.*?)</h3>", listed)
    assert heads == [voice("de").say(one) for one in ("start", "deeper", "hard")]


def test_modules_are_joined_in_the_order_of_their_imports() -> None:
    joined = bundle.script(
        {
            "a": 'import { twice } from "./b.js";\nimport * as c from "./c.js";\ntwice(c.ONE);\n',
            "b": 'import { ONE } from "./c.js";\nexport function twice(x) {\n\treturn ONE;\n}\n',
            "c": "export const ONE = 1;\nconst HIDDEN = 2;\n",
        }
    )
    assert "import" not in joined and "export" not in joined
    first, second, third = (joined.index(f"const ${name} = ") for name in "cba")
    assert first < second < third
    assert "return { ONE };" in joined and "return { twice };" in joined
    assert "const { twice } = $b;" in joined and "const c = $c;" in joined


def test_every_module_of_the_page_is_joined() -> None:
    joined = tools.script()
    names = [one.name.removesuffix(".js") for one in tools.PAGE.iterdir() if one.name[-3:] == ".js"]
    assert all(f"const ${name} = " in joined for name in names) and len(names) > 10
    assert not re.search(r"^(import|export) ", joined, re.MULTILINE)


@pytest.mark.parametrize("lang", languages())
def test_every_word_that_the_page_says_exists_and_is_needed(lang: str) -> None:
    sources = [one.read_text("utf-8") for one in tools.PAGE.iterdir()]
    text = "\n".join(sources)
    said = set(re.findall(r'say\("([a-z_0-9]+)"', text))
    known = voice(lang).words
    assert [one for one in said if f"js_{one}" not in known and one not in known] == []
    own = {key.removeprefix("js_") for key in known if key.startswith("js_")}
    assert [key for key in own if f'"{key}"' not in text and f"js_{key}" not in text] == []


def test_a_lesson_alone_has_its_own_tools_and_no_other() -> None:
    html = page.build([bare(find("retarget"))], Setting(), NOW)
    assert re.findall(r'<section class="tool" id="tool-([a-z]+)"', html) == ["retarget", "nbits"]
    facts = json.loads(html.partition('id="facts">')[2].partition("</script>")[0])
    assert "headers" not in facts and "machines" not in facts
    assert "<title>9. Difficulty keeps time" in html


@pytest.mark.parametrize("lang", languages())
def test_every_question_of_the_quiz_is_in_its_lesson(lang: str) -> None:
    html = page.build([bare(find("attack"))], Setting(), NOW)
    assert 'class="quiz"' in html
    lessons = [bare(one) for one in course(lang).lessons]
    whole = page.build(lessons, Setting(header=bytes(80)), NOW)
    parts = whole.split('<section id="lesson-')[1:]
    found = {part.partition('"')[0]: part for part in parts}
    for one in quiz.bank(lang):
        assert page.inline(one.ask) in found[one.lesson], one.name
        assert one.typed or f'name="{one.name}"' in found[one.lesson]


def test_a_tool_stands_once_and_later_lessons_link_to_it() -> None:
    html = page.build([bare(one) for one in course("de").lessons], Setting(header=bytes(80)), NOW)
    assert html.count('id="tool-bench"') == 1
    assert html.count('<a href="#tool-bench">Probier es aus: Die Werkbank') >= 4
    facts = json.loads(html.partition('id="facts">')[2].partition("</script>")[0])
    assert facts["headers"][0] == {"name": "dein eigener Header", "hex": "00" * 80}
