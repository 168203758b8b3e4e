"""The phones' page in a real browser: its hashing is exact, and a name is all it needs to mine."""

import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from miner.bitcoin.encoding import sha256d
from miner.pool.room import Room
from miner.transport.listening import ListenAddress
from tests.fakes.asking import Asker, listening
from tests.fakes.browser import CONTRAST, NEEDS_BROWSER, open_browser, screen, until
from tests.fakes.class_site import site_of
from tests.unit.pool.kit import Rig

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "scripts"))

from build_backend import wasm  # noqa: E402

pytestmark = NEEDS_BROWSER
HEADERS = ROOT / "tests" / "vectors" / "mainnet_headers.json"
TOUCH_PX, LETTER_PX = 44, 12
WAYS = ["js", "wasm"]
# The page's own worker, given tasks one after the other; all that it answered.
SCAN = """
const [wasm, tasks, done] = arguments;
const worker = new Worker("/hasher.js"), told = [];
const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
worker.onmessage = ({ data }) => {
	told.push(data);
	const next = tasks[told.length - 1];
	if (next && data.kind !== "broken") return worker.postMessage({ ...next, kind: "scan", header: bytes(next.header) });
	worker.terminate();
	done(told);
};
worker.postMessage({ kind: "open", wasm });
"""  # noqa: E501


@dataclass(frozen=True, slots=True)
class Task:
    """A range of nonces of one header under a target."""

    header: str
    target: str
    start: int
    count: int

    def hits(self) -> list[int]:
        """By hashlib."""
        prefix, target, found = bytes.fromhex(self.header), int(self.target, 16), []
        for nonce in range(self.start, self.start + self.count):
            number = sha256d(prefix + nonce.to_bytes(4, "little"))
            if int.from_bytes(number, "little") <= target:
                found.append(nonce)
        return found


@pytest.fixture(scope="module")
def module() -> bytes | None:
    compiler = wasm.compiler()
    return None if compiler is None else wasm.build(compiler)


class Served(NamedTuple):
    site: Asker
    room: Room
    rig: Rig


@pytest.fixture(scope="module")
def served(module: bytes | None) -> Iterator[Served]:
    rig = Rig(class_target=2**256 // 2**19)
    rig.now = time.time()
    rig.new_template()
    with listening(site_of(rig.room, time.time, module)) as site:
        yield Served(site, rig.room, rig)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory, served: Served) -> Iterator[Any]:
    one = open_browser(tmp_path_factory.mktemp("profile"))
    one.set_script_timeout(60)
    one.get(f"{served.site.origin}/")
    yield one
    one.quit()


def scanned(driver: Any, way: str, tasks: list[Task]) -> list[dict[str, Any]]:
    told = driver.execute_async_script(SCAN, way == "wasm", [asdict(one) for one in tasks])
    assert (told[0]["kind"], told[0].get("path")) == ("ready", way), told[0]
    return list(told[1:])


def needs(way: str, module: bytes | None) -> None:
    if way == "wasm" and module is None:
        pytest.skip("the compiler wheel is not installed")


@pytest.mark.parametrize("way", WAYS)
def test_thousands_of_random_headers_hit_by_hit(
    driver: Any, module: bytes | None, way: str
) -> None:
    """Easy targets, ranges at both ends and of any length, and a target that is one of the hashes
    or just below it."""
    needs(way, module)
    chance = random.Random(20261129)
    tasks = []
    for number in range(3000):
        header, count = chance.randbytes(76).hex(), chance.randrange(1, 20)
        start = chance.choice([0, 2**32 - count, chance.randrange(2**32 - count)])
        target = 2 ** chance.randrange(248, 257) - 1
        if number % 2:
            nonce = start + chance.randrange(count)
            met = sha256d(bytes.fromhex(header) + nonce.to_bytes(4, "little"))
            target = int.from_bytes(met, "little") - number % 4 // 2
        tasks.append(Task(header, f"{target:064x}", start, count))
    told = scanned(driver, way, tasks)
    assert [sorted(one["hits"]) for one in told] == [one.hits() for one in tasks]
    assert [one["hashes"] for one in told] == [one.count for one in tasks]


@pytest.mark.parametrize("way", WAYS)
def test_the_nonces_of_mainnets_blocks_are_found(
    driver: Any, module: bytes | None, way: str
) -> None:
    needs(way, module)
    tasks, wanted = [], []
    for row in json.loads(HEADERS.read_text())["headers"][:40]:
        header = bytes.fromhex(row["header"])
        nonce = int.from_bytes(header[76:], "little")
        start = max(nonce - 5000, 0)
        count = min(start + 9000, 2**32) - start
        bits = int.from_bytes(header[72:76], "little")
        target = (bits & 0xFFFFFF) << 8 * ((bits >> 24) - 3)
        tasks.append(Task(header[:76].hex(), f"{target:064x}", start, count))
        wanted.append([nonce])
    assert [one["hits"] for one in scanned(driver, way, tasks)] == wanted


def test_more_hits_than_fit_at_once(driver: Any, module: bytes | None) -> None:
    """Under regtest's target every second hash is one."""
    task = Task("07" * 76, "7f" + "f" * 62, 2**31 - 2000, 6000)
    for way in WAYS if module else WAYS[:1]:
        (told,) = scanned(driver, way, [task])
        assert sorted(told["hits"]) == task.hits() and len(told["hits"]) > 2 * 1024


# ---- The page ------------------------------------------------------------------------------


def text(driver: Any, name: str) -> str:
    script = "return document.getElementById(arguments[0]).textContent"
    return str(driver.execute_script(script, name))


def click(driver: Any, name: str) -> None:
    driver.execute_script("document.getElementById(arguments[0]).click()", name)


def joined(driver: Any, site: Asker, name: str, before: str = "") -> Any:
    """The page, freshly opened by a device that was never here, mining under this name."""
    driver.get(f"{site.origin}/")
    driver.execute_script(f"localStorage.clear();{before}")
    driver.get(f"{site.origin}/")
    enter(driver, name)
    until(lambda: int(text(driver, "accepted")) > 0)
    return driver


def enter(driver: Any, name: str = "") -> None:
    script = "if (arguments[0]) document.getElementById('name').value = arguments[0]"
    until(lambda: text(driver, "start"))
    driver.execute_script(script, name)
    click(driver, "start")
    until(lambda: text(driver, "who"))


def row(served: Served, name: str) -> Any:
    view = served.room.view(time.time())
    return next(one for one in view.members if one.member.name == name)


def test_a_name_is_all_it_needs_and_a_reload_keeps_it(driver: Any, served: Served) -> None:
    joined(driver, served.site, "Ada <b>")
    assert (text(driver, "state"), text(driver, "who")) == ("Mining", "Ada <b>")
    assert "H/s" in text(driver, "rate") and "at work" in text(driver, "rate-told")
    assert "coins exist only here" in text(driver, "chain")
    assert "Block 5. A share needs" in text(driver, "work-told")
    assert text(driver, "note-path").startswith("Hashed by ")
    until(lambda: int(text(driver, "accepted")) == row(served, "Ada <b>").accepted)
    assert row(served, "Ada <b>").member.device == "Linux"
    click(driver, "pause")
    until(lambda: int(text(driver, "best"), 16) == row(served, "Ada <b>").best_hash)
    kept = row(served, "Ada <b>").accepted
    driver.refresh()
    enter(driver)
    assert text(driver, "who") == "Ada <b>"
    until(lambda: int(text(driver, "accepted")) > kept)
    loaded = (
        "return performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)"
    )
    assert set(driver.execute_script(loaded)) == {served.site.origin}
    assert driver.get_log("browser") == []


def test_what_pauses_it_is_said(driver: Any, served: Served) -> None:
    joined(driver, served.site, "Eve")
    click(driver, "pause")
    assert (text(driver, "state"), text(driver, "pause")) == ("Paused by you", "Go on")
    click(driver, "pause")
    hide = "Object.defineProperty(document, 'hidden', { value: arguments[0], configurable: true });"
    hide += "document.dispatchEvent(new Event('visibilitychange'))"
    driver.execute_script(hide, True)
    assert text(driver, "state") == "Paused: the page is hidden"
    driver.execute_script(hide, False)
    assert text(driver, "state") == "Mining"
    served.room.pause(True, time.time())
    until(lambda: text(driver, "state") == "Paused by the teacher")
    served.room.pause(False, time.time())
    until(lambda: text(driver, "state") == "Mining")
    click(driver, "stop")
    assert text(driver, "state") == "Stopped"
    click(driver, "start")
    until(lambda: text(driver, "state") == "Mining")
    token = driver.execute_script("return localStorage.getItem('homehash-token')")
    served.site.post("/api/v1/phones", {"name": "Eve", "device": "another tab", "token": token})
    until(lambda: text(driver, "state") == "This device mines in another tab now")
    click(driver, "start")
    until(lambda: text(driver, "state") == "Mining")
    served.room.remove(row(served, "Eve").member.number, time.time())
    until(lambda: text(driver, "state") == "The teacher has taken you out")
    click(driver, "start")
    until(lambda: text(driver, "trouble").startswith("The teacher has taken this name out"))


def test_no_nonce_is_tried_by_two_workers(driver: Any, served: Served) -> None:
    """On a device of five cores, at half its strength."""
    spy = """
    Object.defineProperty(navigator, "hardwareConcurrency", { value: 5 });
    window.asked = [];
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (told) {
        if (told.kind === "scan") asked.push([[...told.header].join(), told.start, told.count]);
        return post.call(this, told);
    };
    """
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": spy})
    try:
        joined(driver, served.site, "Grace", "localStorage.setItem('homehash-duty', '50')")
        served.rig.new_template()  # further work for everybody
        until(lambda: len(driver.execute_script("return asked")) > 30)
        asked = driver.execute_script("return asked")
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    assert "4 cores at work" in text(driver, "rate-told") and text(driver, "duty-told") == "50 %"
    tried: dict[str, int] = {}
    for header, start, count in sorted(asked):
        assert start >= tried.get(header, 0)
        tried[header] = start + count
    assert len(tried) >= 2


def test_it_comes_back_by_itself_when_the_teachers_computer_slept(
    driver: Any, served: Served
) -> None:
    joined(driver, served.site, "Alan")
    fast = "const real = performance.now.bind(performance); performance.now = () => 60 * real();"
    driver.execute_script(fast)  # the second between two events is a minute
    until(lambda: "is back" in text(driver, "log"))
    assert text(driver, "state") == "Mining"
    assert sum(one.member.name.startswith("Alan") for one in served.room.view(0.0).members) == 1


def test_it_enters_again_where_the_server_was_started_anew(driver: Any) -> None:
    def opened(place: ListenAddress) -> Any:
        rig = Rig(class_target=2**256 // 2**19)
        rig.now = time.time()
        rig.new_template()
        return listening(site_of(rig.room, time.time), Asker(place))

    with opened(ListenAddress("127.0.0.1", 0)) as site:
        joined(driver, site, "Barbara")
    until(lambda: text(driver, "state").startswith("The teacher's computer does not answer"))
    with opened(site.place):
        until(lambda: text(driver, "state") == "Mining")
        until(lambda: int(text(driver, "accepted")) > 0)
        assert text(driver, "who") == "Barbara"


def test_wrong_webassembly_falls_back_with_a_word(driver: Any, module: bytes | None) -> None:
    needs("wasm", module)
    assert module is not None
    constant = (0x71374491).to_bytes(4, "little")
    assert constant in module
    wrong = module.replace(constant, bytes(4))
    rig = Rig()
    rig.new_template()
    for bad, why in ((wrong, "it found "), (b"\0asm", "WebAssembly")):
        with listening(site_of(rig.room, time.time, bad)) as site:
            driver.get(f"{site.origin}/")
            (told,) = driver.execute_async_script(SCAN, True, [])
            assert (told["kind"], told["path"]) == ("ready", "js") and why in told["why"]


def test_a_phone_can_read_and_touch_it_in_both_languages(driver: Any, served: Served) -> None:
    agent = driver.execute_script("return navigator.userAgent")
    sizes = """
    const seen = [...document.querySelectorAll("button, input")].filter((one) => one.offsetParent);
    const letters = [...document.querySelectorAll("body *")].filter((one) => one.offsetParent && one.textContent.trim());
    return [Math.min(...seen.map((one) => one.getBoundingClientRect().height)),
        Math.min(...letters.map((one) => parseFloat(getComputedStyle(one).fontSize))),
        document.documentElement.scrollWidth <= innerWidth];
    """  # noqa: E501
    try:
        for language, word in (("de-CH", "Schürft"), ("fr-FR", "Mining")):
            told = {"userAgent": agent, "acceptLanguage": language}
            driver.execute_cdp_cmd("Emulation.setUserAgentOverride", told)
            joined(driver, served.site, "Emmy")
            assert text(driver, "state") == word
            lang = "de" if language == "de-CH" else "en"
            assert driver.execute_script("return document.documentElement.lang") == lang
            for width in (390, 1280):
                for scheme in ("light", "dark"):
                    screen(driver, width, scheme)
                    assert driver.execute_script(CONTRAST) == []
                    touch, letter, fits = driver.execute_script(sizes)
                    assert touch >= TOUCH_PX and letter >= LETTER_PX and fits
    finally:
        driver.execute_cdp_cmd("Emulation.setUserAgentOverride", {"userAgent": agent})
        screen(driver, 1280)
