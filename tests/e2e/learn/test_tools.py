"""The page's tools as people use them: typed into, pressed, played, on a phone."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from miner.bitcoin.header import Header
from miner.bitcoin.merkle import merkle_root
from miner.bitcoin.sha256 import sha256, sha256d
from miner.bitcoin.target import (
    DIFF1_TARGET,
    nbits_from_target,
    target_from_nbits,
)  # fmt: skip
from miner.learn import page, quiz, tools
from miner.learn.catalogue import LESSONS
from miner.learn.chain import by_height
from miner.learn.opened import round_parts
from miner.learn.steps import Setting
from tests.e2e.learn.kit import HEADER, NOW, bare, js, press, put, text_of, value_of
from tests.fakes.browser import NEEDS_BROWSER, until

pytestmark = NEEDS_BROWSER


def answer(browser: Any, place: str, text: str) -> str:
    """What is said to an answer typed into a question."""
    browser.execute_script(
        "const form = document.querySelector(`${arguments[0]} form`); "
        "form.querySelector('input').value = arguments[1]; form.requestSubmit();", place, text
    )  # fmt: skip
    return str(js(browser, "document.querySelector(`${arguments[0]} [role=status]`).textContent",
                  place))  # fmt: skip


def test_a_question_is_judged_with_its_hint(browser: Any) -> None:
    place = "#lesson-header > .ask"
    opened = f"document.querySelector('{place} details').open"
    assert text_of(browser, "tally") == "Questions on this page: 61."
    assert answer(browser, place, " ") == "Type an answer first."
    assert answer(browser, place, "640 bits") == "Not quite. Those are bits."
    assert not js(browser, opened)
    assert answer(browser, place, "😀") == "Not quite; once more." and js(browser, opened)
    assert answer(browser, place, "eighty or 80 bytes") == "Right."
    assert text_of(browser, "tally").endswith("1 of 61; right at the first try: 0.")


def test_every_choice_of_the_quiz_names_its_mistake(browser: Any) -> None:
    """Each choice of each question is pressed; what is said to it is the bank's own word."""
    said = js(
        browser, "[...document.querySelectorAll('.ask[data-mistakes]')].map((place) => { "
        "const form = place.querySelector('form');"
        "const told = form.querySelector('[role=status]');"
        "form.requestSubmit(); const before = told.textContent;"
        "return [before, [...form.querySelectorAll('input')].map((pick) => { pick.checked = true;"
        "form.requestSubmit(); return [pick.name, pick.labels[0].textContent.trim(),"
        "told.textContent]; })]; })"
    )  # fmt: skip
    bank = {one.name: one for one in quiz.bank("en")}
    assert [before for before, _ in said if before != "Choose an answer first."] == []
    rows = [row for _, rows in said for row in rows]
    for name, choice, told in rows:
        mistakes = {page.bare(wrong): page.bare(why) for wrong, why in bank[name].wrong}
        wanted = f"Not quite. {mistakes[choice]}" if choice in mistakes else "Right."
        assert (told, choice in mistakes) == (wanted, choice != page.bare(bank[name].right))
    assert {name for name, *_ in rows} == {one.name for one in bank.values() if not one.typed}


def test_text_is_hashed_at_each_key(browser: Any) -> None:
    for text in ("", "abc", "😀 ümlaut\u0000", "x" * 200_000):
        put(browser, "text-in", text)
        assert text_of(browser, "text-hash") == sha256(text.encode()).hex()
        assert f"Bytes: {len(text.encode()):,}." in text_of(browser, "text-facts")
    put(browser, "text-in", "y" * (2**20 + 1))
    assert "at most 1,048,576" in text_of(browser, "text-facts")
    put(browser, "text-in", "abc")
    put(browser, "text-in", "abd")
    flipped = bin(int.from_bytes(sha256(b"abc")) ^ int.from_bytes(sha256(b"abd"))).count("1")
    assert f"flipped {flipped} of the 256 bits" in text_of(browser, "text-facts")


def test_every_field_of_a_header_can_be_edited(browser: Any) -> None:
    edits = {
        "version": ("0x20000000", {"version": 0x20000000}),
        "previous": ("11" * 31 + "aa", {"prev_hash": bytes.fromhex("aa" + "11" * 31)}),
        "root": ("22" * 31 + "bb", {"merkle_root": bytes.fromhex("bb" + "22" * 31)}),
        "time": ("4294967295", {"time": 2**32 - 1}),
        "nbits": ("207fffff", {"nbits": 0x207FFFFF}),
        "nonce": ("0", {"nonce": 0}),
    }
    header = Header.parse(HEADER)
    assert "this is a block" in text_of(browser, "bench-verdict")
    for name, (typed, change) in edits.items():
        assert put(browser, f"bench-{name}", typed) == ""
        header = replace(header, **change)  # type: ignore[arg-type]
        assert text_of(browser, "bench-bytes") == header.pack().hex()
        assert text_of(browser, "bench-hash") == header.hash_hex
    assert "2106-02-07" in text_of(browser, "bench-date")


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("bench-version", "-1", "-1 is no number"), ("bench-version", "4294967296", "32 bits"),
        ("bench-version", "0x1ffffffff", "32 bits"), ("bench-version", "9" * 9999, "no number"),
        ("bench-previous", "zz", "z is no hex digit"),
        ("bench-previous", "00" * 31, "62 hex digits"),
        ("bench-root", "😀" * 64, "😀 is no hex digit"), ("bench-time", "1e9", "1e9 is no number"),
        ("bench-nbits", "1d800001", "sign bit"), ("bench-nbits", "00000000", "target of 0"),
        ("bench-nbits", "ff00ffff", "256 bits"), ("bench-nbits", "1d00fff", "7 hex digits"),
        ("bench-nonce", "", "Nothing is there"), ("bench-nonce", "<b>", "<b> is no number"),
    ],
)  # fmt: skip
def test_nonsense_in_a_field_is_one_line_and_changes_nothing(
    browser: Any, field: str, typed: str, told: str
) -> None:
    before = text_of(browser, "bench-bytes"), text_of(browser, "bench-hash")
    wrong = put(browser, field, typed)
    assert told in wrong and "\n" not in wrong and len(wrong) < 120
    assert (text_of(browser, "bench-bytes"), text_of(browser, "bench-hash")) == before == (
        HEADER.hex(), Header.parse(HEADER).hash_hex
    )  # fmt: skip
    assert js(browser, "document.getElementById(arguments[0]).ariaInvalid", field) == "true"


def test_a_header_of_your_own(browser: Any) -> None:
    raw = bytes.fromhex(by_height(0).hex())
    for typed, told in (("00" * 79, "158 hex digits"), ("q" * 160, "q is no hex digit"),
                        ("0" * 10**6, "1000000 hex digits")):  # fmt: skip
        put(browser, "bench-paste", typed)
        press(browser, "bench-use")
        assert told in text_of(browser, "bench-paste-wrong")
        assert text_of(browser, "bench-bytes") == HEADER.hex()
    put(browser, "bench-paste", f" {raw[:40].hex().upper()}\n{raw[40:].hex()} ")
    press(browser, "bench-use")
    assert text_of(browser, "bench-hash") == Header.parse(raw).hash_hex
    assert text_of(browser, "bench-paste-wrong") == ""
    lost = raw[:72] + bytes(4) + raw[76:]  # its nbits stand for no target
    put(browser, "bench-paste", lost.hex())
    press(browser, "bench-use")
    assert "no target at all" in text_of(browser, "bench-verdict")


def test_mining_finds_and_counts_and_goes_on(browser: Any) -> None:
    """One nonce in 4,096 wins at first; what was found is checked, and nothing is tried again."""
    assert text_of(browser, "bench-target-value") == "one nonce in 4,096 wins"
    target, seen = 2**244 - 1, set()
    assert text_of(browser, "bench-target-hex") == f"{target:064x}"
    put(browser, "bench-nonce", "0")
    counted = 2  # the block's own, and this one
    for _ in range(3):
        before = int(value_of(browser, "bench-nonce"))
        press(browser, "bench-mine")
        until(lambda: js(browser, "document.getElementById('bench-mine').ariaPressed") == "false")
        found = int(value_of(browser, "bench-nonce"))
        header = Header.parse(bytes.fromhex(text_of(browser, "bench-bytes")))
        assert header.nonce == found and header.meets(target) and found not in seen
        between = (replace(header, nonce=one) for one in range(before + 1, found))
        assert not any(one.meets(target) for one in between)
        assert "it wins" in text_of(browser, "bench-verdict")
        counted += found - before
        seen.add(found)
        assert f"none of them twice: {counted:,}." in text_of(browser, "bench-tried")
    assert "Wins by search: 3" in text_of(browser, "bench-tried")


def test_the_ends_of_the_target_slider(browser: Any) -> None:
    put(browser, "bench-target", "0")
    assert text_of(browser, "bench-target-value") == "one nonce in 1 wins"
    assert text_of(browser, "bench-target-hex") == "f" * 64
    put(browser, "bench-target", "96")
    assert text_of(browser, "bench-target-value") == "one nonce in 2⁹⁶ wins"
    press(browser, "bench-mine")
    until(lambda: "Searching" in text_of(browser, "bench-verdict"))
    press(browser, "bench-mine")
    tried = text_of(browser, "bench-tried")
    assert int(re.findall(r"twice: ([\d,]+)", tried)[0].replace(",", "")) > 500
    assert text_of(browser, "bench-tried") == tried
    press(browser, "bench-own")
    assert (
        text_of(browser, "bench-target-hex")
        == f"{target_from_nbits(Header.parse(HEADER).nbits):064x}"
    )


def test_a_round_can_be_computed_again_from_the_screen(browser: Any) -> None:
    """Round 0 of a text against the lesson's own parts; any other from the numbers shown."""
    put(browser, "text-in", "homehash")

    def rows(name: str) -> dict[str, int]:
        found = js(browser, "[...document.querySelectorAll(`#${arguments[0]} li`)].map((one) => "
                   "[one.querySelector('b').textContent, one.querySelector('code').textContent])",
                   f"rounds-{name}")  # fmt: skip
        return {key: int(value, 16) for key, value in found}

    parts = round_parts(b"homehash")
    for name, key in (("h", "h"), ("Sigma1", "Sigma1"), ("Ch", "Ch"), ("K[0]", "K[0]"),
                      ("W[0]", "W[0]"), ("= T1", "T1")):  # fmt: skip
        assert rows("t1")[name] == int(parts[key], 16)
    assert rows("t2")["= T2"] == int(parts["T2"], 16)
    assert (rows("state")["a"], rows("state")["e"]) == (int(parts["a"], 16), int(parts["e"], 16))
    put(
        browser,
        "rounds-choice",
        js(browser, "document.getElementById('rounds-choice').options.length - 1"),
        "change",
    )
    for place in (16, 40, 63):
        put(browser, "rounds-slider", str(place))
        *t1, sum1 = rows("t1").values()
        *t2, sum2 = rows("t2").values()
        *w, word = rows("w").values()
        assert sum(t1) % 2**32 == sum1 and sum(t2) % 2**32 == sum2 and sum(w) % 2**32 == word
        assert rows("state")["a"] == (sum1 + sum2) % 2**32
        assert rows("t1")[f"W[{place}]"] == word
    assert sha256d(HEADER).hex() in text_of(browser, "rounds-end")
    for size, listed in ((55, 1), (56, 2), (1015, 16), (5000, 16)):  # of a long text the first 16
        put(browser, "text-in", "x" * size)
        options = js(browser, "document.getElementById('rounds-choice').options.length")
        assert options == listed + 3


def test_rounds_are_played_by_keyboard_and_end(browser: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    slider = browser.find_element("id", "rounds-slider")
    slider.send_keys(Keys.HOME, *[Keys.ARROW_RIGHT] * 3)
    assert text_of(browser, "rounds-value") == "Round 3 of 0 to 63"
    put(browser, "rounds-slider", "62")
    browser.find_element("id", "rounds-play").send_keys(Keys.ENTER)
    pressed = "document.getElementById('rounds-play').ariaPressed"
    assert js(browser, pressed) == "true"
    until(lambda: js(browser, pressed) == "false")
    assert text_of(browser, "rounds-value") == "Round 63 of 0 to 63"


def test_the_converter_turns_each_into_the_others(browser: Any) -> None:
    def all_three() -> list[str]:
        return [value_of(browser, f"nbits-{one}") for one in ("compact", "target", "difficulty")]

    assert put(browser, "nbits-compact", "0x1b0404cb") == ""
    target = target_from_nbits(0x1B0404CB)
    assert all_three() == ["0x1b0404cb", f"{target:064x}", "16,307.4209385239"]
    assert put(browser, "nbits-difficulty", "1/2") == ""
    assert all_three()[:2] == ["1d01fffe", f"{2 * DIFF1_TARGET:064x}"]
    odd = 0x123456789
    assert put(browser, "nbits-target", f"{odd:x}") == ""
    assert all_three()[0] == f"{nbits_from_target(odd):08x}"
    kept = target_from_nbits(nbits_from_target(odd))
    assert f"{kept:064x}" in text_of(browser, "nbits-lost")
    for field, typed, told in (
        ("compact", "1d800001", "sign bit"), ("compact", "", "Nothing"),
        ("compact", "🙂", "no hex"),
        ("compact", "0" * 9, "9 hex digits"), ("target", "0", "target of 0"),
        ("target", "f" * 65, "256 bits"), ("target", "f" * 100_000, "256 bits"),
        ("target", "-1", "- is no hex"), ("difficulty", "-5", "above 0"),
        ("difficulty", "0", "above 0"),
        ("difficulty", "many", "many is no number"), ("difficulty", "1/0", "no number"),
    ):  # fmt: skip
        assert told in put(browser, f"nbits-{field}", typed), (field, typed)
    assert all_three()[0] == "0" * 9, "what others say stays"
    for typed in ("1e200", "1e-200"):
        assert put(browser, "nbits-difficulty", typed) == ""


def test_the_knobs_of_the_adjustment(browser: Any) -> None:
    put(browser, "retarget-nbits", "1c05a3f4")  # the real period that was clamped: block 68,543
    put(browser, "retarget-span", "302300")
    assert "1c0168fd" in text_of(browser, "retarget-told") and "the limit" in text_of(
        browser, "retarget-told"
    )
    for typed, told in (("-1", "no number"), ("", "no number"), ("9" * 30, "no number")):
        assert told in put(browser, "retarget-span", typed)
    put(browser, "retarget-span", "0")
    assert "1c0168fd" in text_of(browser, "retarget-told")
    waits = js(browser, "homehash.retarget.simulate(10, 4, 1).map((one) => one.wait)")
    assert len(waits) == 12 and 540 < waits[1] < 660 and 54 < waits[2] < 66
    assert js(browser, "homehash.retarget.simulate(10, 4, 1).map((one) => one.wait)") == waits
    free = js(browser, "homehash.retarget.simulate(100, 0, 1).map((one) => one.wait)")
    bound = js(browser, "homehash.retarget.simulate(100, 4, 1).map((one) => one.wait)")
    assert 540 < free[3] < 660 and bound[3] < 30
    for jump in ("-20", "20"):
        put(browser, "retarget-jump", jump)
    assert js(browser, "document.querySelectorAll('#retarget-bars circle').length") == 12


def test_the_tree_is_bitcoins(browser: Any) -> None:
    for size in (1, 2, 3, 5, 8):
        put(browser, "tree-size", str(size), "change")
        put(browser, "tree-chosen", str(size - 1), "change")
        put(browser, "tree-text", "<b>😀</b>")
        texts = ["The miner gets 3.125 new coins and the fees"]
        texts += [f"Alice pays Bob {place} coins" for place in range(1, size)]
        texts[-1] = "<b>😀</b>"
        if size > 2:
            texts[1] = "<b>😀</b>"  # stays as it was changed before
        if size > 3:
            texts[2] = "<b>😀</b>"
        if size > 5:
            texts[4] = "<b>😀</b>"
        texts[0] = "<b>😀</b>"
        root = merkle_root([sha256d(one.encode()) for one in texts])
        assert text_of(browser, "tree-root") == root[::-1].hex()
    assert "4 of 15 hashes" in text_of(browser, "tree-told")
    assert js(browser, "document.querySelectorAll('#tree-picture .box.path').length") == 4
    assert js(browser, "document.querySelectorAll('#tree-picture .box.branch').length") == 3


COUNTED = """
window.hashed = 0; window.pauses = 0;
const { meets } = homehash.search.Search.prototype;
homehash.search.Search.prototype.meets = function (...given) {
  window.hashed += 1;
  return meets.apply(this, given);
};
const later = window.setTimeout;
window.setTimeout = (...given) => { window.pauses += 1; return later(...given); };
"""


def measured(browser: Any) -> str:
    press(browser, "speed-start")
    told = until(
        lambda: (
            text_of(browser, "speed-told") if "middle of" in text_of(browser, "speed-told") else ""
        )
    )
    return str(told).replace("\xa0", " ")


def test_the_browsers_speed_is_measured_beside_the_page(browser: Any) -> None:
    """A worker hashes, the page itself not once; the rate is told and stands on the axis."""
    browser.execute_script(COUNTED)
    told = measured(browser)
    assert re.search(r"This device hashes [\d,]+00 times a second in this browser", told)
    assert "Antminer S21" in told and re.search(r"in a year: [\d.]+·10⁻", told)
    assert js(browser, "window.hashed") == 0
    loaded = js(browser, "performance.getEntriesByType('resource').map((one) => one.name)")
    assert [one for one in loaded if not one.startswith("blob:")] == [], "it asks for nothing"
    assert "this browser" in str(js(browser, "document.getElementById('speed-axis').ariaLabel"))


def test_without_workers_it_is_measured_in_slices(browser: Any) -> None:
    browser.execute_script("window.Worker = class { constructor() { throw new Error('none'); } }")
    browser.execute_script(COUNTED)
    measured(browser)
    assert js(browser, "window.hashed") > 10_000 and js(browser, "window.pauses") >= 100


def test_every_tool_is_on_the_page_and_in_its_lessons(browser: Any) -> None:
    named = {tool for of_lesson in tools.OF_LESSON.values() for tool in of_lesson}
    assert set(js(browser, "[...document.querySelectorAll('.tool')].map((one) => one.id)")) == {
        f"tool-{one}" for one in named
    }
    assert js(browser, "document.querySelectorAll('.tool[hidden]').length") == 0
    assert {lesson.name for lesson in LESSONS} >= tools.OF_LESSON.keys()
    links = js(
        browser, "[...document.querySelectorAll('a[href^=\"#\"]')].map((one) => one.hash.slice(1))"
    )
    assert js(browser, "arguments[0].filter((one) => !document.getElementById(one))", links) == []


def test_each_lesson_alone_has_tools_that_start(driver: Any, tmp_path: Path) -> None:
    for lesson in LESSONS:
        path = tmp_path / f"{lesson.name}.html"
        path.write_text(page.build([bare(lesson)], Setting(header=HEADER), NOW), "utf-8")
        driver.get(path.as_uri())
        shown = js(driver, "[...document.querySelectorAll('.tool:not([hidden])')].map(t => t.id)")
        assert shown == [f"tool-{one}" for one in tools.OF_LESSON.get(lesson.name, ())]
        assert text_of(driver, "tally").startswith("Questions on this page: ")
        assert [one for one in driver.get_log("browser") if one["level"] == "SEVERE"] == []
