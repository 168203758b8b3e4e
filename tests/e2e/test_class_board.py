"""The class's board and the teacher's desk in a real browser."""

import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from miner.pool import values
from miner.pool.desk import Desk
from miner.pool.document import Invitation
from miner.pool.orders import Orders
from miner.pool.record import Record
from miner.pool.replay import fold
from miner.pool.screen import Screen
from miner.pool.site import PoolSite
from miner.pool.tally import Tally, opening
from miner.pool.values import Mode
from miner.transport.listening import ListenAddress, bind, bound
from miner.views.listeners import Listeners
from miner.views.web.app import Reach
from miner.views.web.server import WebServer
from tests.fakes.browser import CONTRAST, NEEDS_BROWSER, open_browser, screen, until
from tests.fakes.class_session import Session
from tests.unit.pool.kit import NOW, Rig

pytestmark = NEEDS_BROWSER
NASTY = ("<img src=x onerror=boom()>", "</td><b>bold</b>", "{{x}}", '"><svg onload=boom()>')
TOKEN = "the-token-of-a-test's-desk".replace("'", "")
JOIN = Invitation("miner join 192.168.178.125", "http://192.168.178.125:8080/")
FITS = """
const far = [...document.querySelectorAll("body *")].filter((node) => {
  const box = node.getBoundingClientRect();
  return box.width && getComputedStyle(node).position !== "absolute"
    && !node.closest(".skip, .chain, .scroll, svg") && box.right > innerWidth + 1;
});
return far.map((node) => `${node.tagName}#${node.id}.${node.className}`);
"""

SAVE = """
const done = arguments[arguments.length - 1];
(async () => {
  const doc = await (await fetch("/api/class/board")).json();
  const { pictures, png } = await import("/board/board-save.js");
  const list = pictures(doc);
  const url = await png(list[0][1]);
  const image = new Image();
  image.src = url;
  await image.decode();
  done([list, url.slice(0, 60), [image.width, image.height]]);
})().catch((error) => done([[], String(error), []]));
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    made = open_browser(tmp_path_factory.mktemp("browser"))
    made.set_script_timeout(20)
    yield made
    made.quit()


@contextmanager
def served(*parts: Any) -> Iterator[str]:
    """A site of these parts."""
    told: list[str] = []
    listener = bind(ListenAddress("127.0.0.1", 0), "--web")
    site = PoolSite(parts, Reach((), False), told.append)
    listeners = Listeners([WebServer(site, listener)], told.append)
    listeners.start()
    try:
        yield f"http://127.0.0.1:{bound(listener).port}"
    finally:
        listeners.stop()
        listener.close()
    assert told == []


def books(people: int, *more: str) -> tuple[Tally, float]:
    """A class of so many, with these names among them, some minutes old."""
    made = Session(people, 240.0, 9.0)
    events = list(made.events())
    for member, name in zip(made.members, more, strict=False):
        events.append(values.Renamed(made.now, replace(member, name=name[:24]), member.name))
    return fold(made.first, events), made.now


def look(driver: Any, url: str) -> None:
    driver.get(url)
    until(lambda: driver.execute_script("return document.title.startsWith('Block')"))
    until(lambda: driver.execute_script("return document.querySelectorAll('#bars rect').length"))


def complaints(driver: Any) -> list[str]:
    return [one["message"] for one in driver.get_log("browser") if one["level"] == "SEVERE"]


def test_a_full_room_on_every_screen(driver: Any) -> None:
    tally, now = books(128, *NASTY)
    began = time.monotonic()
    shown = Screen(lambda: tally.view(now + time.monotonic() - began), JOIN)
    with served(shown) as site:
        for width, scheme, lang in (
            (1920, "light", "de"),
            (1280, "dark", "en"),
            (390, "light", "de"),
        ):
            screen(driver, width, scheme, "reduce")
            look(driver, f"{site}/board?lang={lang}")
            assert driver.execute_script(FITS) == [], width
            assert driver.execute_script(CONTRAST) == [], (width, scheme)
            if width > 900:  # all is one view
                assert driver.execute_script(
                    "return document.documentElement.scrollHeight <= innerHeight"
                )
        rows = driver.execute_script(
            "return [...document.querySelectorAll('#who tbody td:first-child')]"
            ".map((cell) => cell.textContent)"
        )
        assert len(rows) == 128 and {name[:24] for name in NASTY} <= set(rows)
        made = driver.execute_script("return document.querySelectorAll('img, b b, td b').length")
        assert made == 1, "the QR code alone: no name is markup"
        assert "private Klassenkette" in driver.execute_script("return document.body.innerText")
        until(lambda: driver.execute_script("return document.getElementById('qr').naturalWidth"))
        assert complaints(driver) == []


def test_an_empty_board_fills(driver: Any) -> None:
    made = Session(3, 120.0, 9.0)
    tally = Tally(made.first)
    shown = Screen(lambda: tally.view(made.now), JOIN)
    with served(shown) as site:
        screen(driver, 1280, "dark", "reduce")
        driver.get(f"{site}/board?lang=en")
        until(lambda: "the genesis block waits" in driver.find_element("id", "chain-none").text)
        assert "No share yet." in driver.find_element("id", "card-best").text
        assert driver.execute_script(CONTRAST) == [] and driver.execute_script(FITS) == []
        for event in made.events():
            tally.take(event)
        until(lambda: "1. " in driver.find_element("id", "card-best").text)
        for name in ("best", "chain", "line", "waits"):
            assert "yet" not in driver.find_element("id", f"card-{name}").text
        assert complaints(driver) == []


def test_cards_grow_and_pictures_are_kept(driver: Any) -> None:
    tally, now = books(3, *NASTY)
    shown = Screen(lambda: tally.view(now), JOIN)
    with served(shown) as site:
        screen(driver, 1280, "light", "reduce")
        look(driver, f"{site}/board?lang=en")
        press = "document.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0]}))"
        large = "return [...document.querySelectorAll('main .card')].filter((c) => c.offsetParent).map((c) => c.id)"  # noqa: E501
        driver.execute_script(press, "5")
        assert driver.execute_script(large) == ["card-waits"]
        driver.execute_script(press, "0")
        assert len(driver.execute_script(large)) == 8
        shown.focus = "line"  # the teacher's desk
        until(lambda: driver.execute_script(large) == ["card-line"])
        pictures, start, size = driver.execute_async_script(SAVE)
        assert [name for name, _ in pictures] == ["work-and-blocks", "income", "waits", "shares"]
        for _, text in pictures:
            root = ET.fromstring(text)
            assert root.get("width") == "1280" and "class" not in {
                k for n in root.iter() for k in n.attrib
            }
        assert "&lt;img src=x" in pictures[0][1] and "<img" not in pictures[0][1]
        assert start.startswith("data:image/png;base64,iVBORw0KGgo") and size == [1280, 640]
        assert complaints(driver) == []


def test_the_teacher_clicks(driver: Any) -> None:
    rig = Rig()
    rig.new_template()
    ann = rig.joined("Ann")
    rig.joined(NASTY[0][:20])
    shown = Screen(lambda: rig.room.view(rig.now), JOIN, lambda: {"easy": True})
    orders = Orders(rig.room, shown, lambda: rig.now, True)
    desk = Desk(TOKEN, orders, Record(opening(rig.room.rules, NOW)))
    with served(desk) as site:
        screen(driver, 1280, "dark", "reduce")
        driver.get(f"{site}/{TOKEN}/?lang=en")
        until(
            lambda: driver.execute_script(
                "return document.querySelectorAll('#members tbody tr').length"
            )
        )
        assert driver.execute_script(CONTRAST) == [] and driver.execute_script(FITS) == []

        def click(where: str, words: str) -> None:
            driver.execute_script(
                "[...document.querySelectorAll(arguments[0] + ' button')]"
                ".find((one) => one.textContent === arguments[1]).click()", where, words,
            )  # fmt: skip

        click("#modes", "Pool")
        until(lambda: rig.room.mode is Mode.POOL)
        click("main", "Pause all")
        until(lambda: rig.room.paused)
        click("#seconds", "20 s")
        until(lambda: "rate is not known yet" in driver.find_element("id", "error").text)
        click("#members tr:first-child", "Rename")
        driver.find_element("id", "ask-name").clear()
        driver.find_element("id", "ask-name").send_keys("Ada")
        click("#ask", "Do it")
        until(lambda: (rig.room.member(ann.number) or ann).name == "Ada")  # type: ignore[union-attr]
        click("#show", "How long a block took")
        until(lambda: shown.focus == "waits")
        until(lambda: driver.find_element("id", "state").text.endswith("paused"))
        assert driver.execute_script("return document.querySelectorAll('main img').length") == 0
        assert [one for one in complaints(driver) if "400 (Bad Request)" not in one] == []
