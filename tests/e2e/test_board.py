"""`miner board` as its user starts it: over homehash's neighbours of several kinds."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.e2e.conftest import Start
from tests.fakes import miners
from tests.fakes.browser import CONTRAST, NEEDS_BROWSER, open_browser, screen, until
from tests.fakes.pool import FakePool

RECORDED = Path(__file__).parents[1] / "vectors" / "board"
AXEOS = json.loads((RECORDED / "axeos.json").read_text())
XMRIG = json.loads((RECORDED / "xmrig.json").read_text())
CGMINER = json.loads((RECORDED / "cgminer.json").read_text())
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def start(*arguments: str) -> subprocess.CompletedProcess[str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("MINER_")}
        return subprocess.run(
            [sys.executable, "-P", "-m", "miner", "board", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**inherited, "MINER_HOME": str(tmp_path)},
        )

    return start


def test_one_table_over_three_kinds_and_one_that_is_away(run: Run, tmp_path: Path) -> None:
    with (
        miners.miner(miners.http({"/api/system/info": AXEOS})) as axe,
        miners.miner(miners.cgminer(CGMINER)) as old,
    ):
        sources = [
            f"axeos://127.0.0.1:{axe.port}",
            f"Shed=cgminer://127.0.0.1:{old.port}",
            f"ckpool:{RECORDED / 'ckpool'}",
            f"axeos://127.0.0.1:{old.port}",  # another language is spoken there
        ]
        (tmp_path / "config").mkdir()
        (tmp_path / "config" / "board.toml").write_text(f"sources = {json.dumps(sources)}\n")
        done = run()
        told = run("--json", "--once", *sources)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    (heads,) = [line for line in lines if line.startswith("miner ")]
    assert heads.split()[:3] == ["miner", "kind", "state"]
    bitaxe = next(line for line in lines if line.startswith("bitaxe-7"))
    assert "1.20 TH/s" in bitaxe and "18.4 W" in bitaxe and "58 °C" in bitaxe
    away = next(line for line in lines if line.startswith(f"127.0.0.1:{old.port}"))
    assert "offline" in away and "never" in away and "–" in away
    assert "Shed" in done.stdout and "axe (by its pool)" in done.stdout
    assert "2 of 3 miners online, 1.20 TH/s (2 of 3 tell)" in done.stdout
    tree = json.loads(told.stdout)
    assert [one["kind"] for one in tree["miners"][:2]] == ["axeos", "cgminer"]
    assert tree["totals"]["rate_hs"]["of"] == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no miner is named"),
        (("axoes://h",), "is axeos meant?"),
        (("--scan", "8.8.8.0/24"), "no private network"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_2(
    run: Run, arguments: tuple[str, ...], words: str
) -> None:
    done = run(*arguments)
    assert done.returncode == 2 and words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_real_miner_is_the_same_in_all_four_languages_it_answers(miner: Start, run: Run) -> None:
    login = ("--user", "NAME.desk", "--backend", "hashlib", "--threads", "1")
    with FakePool(difficulty="1e-6") as pool:
        command = miner(
            "mine", "--pool", pool.url, *login, "--web", "127.0.0.1:0", "--cgminer-api", "0"
        )
        ports = [
            command.until(words).rpartition("127.0.0.1:")[2].strip().rstrip("/")
            for words in ("see it at", "cgminer's API is at")
        ]
        page, api = ports
        status = f"http://127.0.0.1:{page}/api/v1/status"
        until(lambda: json.loads(get(status)[1])["shares"]["accepted"])
        kinds = {"homehash": page, "axeos": page, "xmrig": page, "cgminer": api}
        done = run("--json", "--once", *(f"{k}://127.0.0.1:{port}" for k, port in kinds.items()))
        assert command.stop() == 0
    tree = json.loads(done.stdout)
    rows = {one["kind"]: one for one in tree["miners"]}
    assert {kind: one["state"] for kind, one in rows.items()} == dict.fromkeys(kinds, "mining")
    rates = [one["rate_hs"] for one in rows.values()]
    assert max(rates) < 2 * min(rates), rates  # a unit that is mixed up is a factor of a thousand
    assert all(one["accepted"] >= 1 for one in rows.values()), rows
    assert rows["homehash"]["best_session"] > 0 and rows["axeos"]["best_session"] > 0
    assert rows["homehash"]["pool"] == rows["axeos"]["pool"] == pool.url.rpartition("/")[2]
    assert tree["totals"]["rate_hs"]["known"] == tree["totals"]["online"] == 4


def test_on_a_terminal_it_goes_on_until_it_is_interrupted(tmp_path: Path) -> None:
    with miners.miner(miners.http({"/api/system/info": AXEOS})) as axe:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "miner", "board", f"axeos://127.0.0.1:{axe.port}"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "MINER_HOME": str(tmp_path), "COLUMNS": "200", "TERM": "xterm"},
            start_new_session=True,
        )
        os.close(theirs)
        seen = b""
        while b"1.20 TH/s" not in seen:
            seen += os.read(ours, 65536)
        process.send_signal(2)
        assert process.wait(10) == 0
        os.close(ours)
    assert b"bitaxe-7" in seen and b"Traceback" not in seen


def get(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urlopen(Request(url, headers=headers), timeout=20) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture
def board(tmp_path: Path) -> Iterator[str]:
    """The board's page over an AxeOS, an old cgminer, an XMRig and a pool's folder; its URL."""
    with (
        miners.miner(miners.http({"/api/system/info": AXEOS})) as axe,
        miners.miner(miners.cgminer(CGMINER)) as old,
        miners.miner(miners.http({"/2/summary": XMRIG})) as third,
        miners.miner(miners.http({})) as away,
    ):
        sources = (
            f"axeos://127.0.0.1:{axe.port}",
            f"Shed=cgminer://127.0.0.1:{old.port}",
            f"xmrig://127.0.0.1:{third.port}",
            f"ckpool:{RECORDED / 'ckpool'}",
            f"axeos://127.0.0.1:{away.port}",
        )
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "miner", "board", *sources, "--web", "0"],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "MINER_HOME": str(tmp_path)},
        )
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "see it at http://127.0.0.1:" in line
        url = line.rpartition(" ")[2].strip()
        until(lambda: json.loads(get(f"{url}api/v1/board")[1])["totals"]["online"] == 3)
        yield url
        process.terminate()
        assert process.wait(10) == 0 and process.stderr.read() == ""
        process.stderr.close()


def test_the_page_and_the_metrics_of_all_miners(board: str) -> None:
    status, page = get(board)
    assert status == 200 and "3 of 4 miners online" in page and "AxeOS" not in page
    assert "bitaxe-7" not in page and "Shed" not in page  # names come as JSON alone
    told = json.loads(get(f"{board}api/v1/board")[1])
    away = next(one for one in told["miners"] if one["state"] == "offline")
    assert away["last_seen_s"] is None and away["why"] == "HTTP 404"
    assert {one["kind"] for one in told["miners"]} == {"axeos", "cgminer", "xmrig", "ckpool"}
    status, metrics = get(f"{board}metrics")
    assert (
        'homehash_board_miner_online{kind="axeos",miner="bitaxe-7",seen_by="itself"} 1.0' in metrics
    )
    assert (
        'homehash_board_power_watts{kind="axeos",miner="bitaxe-7",seen_by="itself"} 18.4' in metrics
    )
    assert 'power_watts{kind="cgminer"' not in metrics
    past = json.loads(get(f"{board}api/v1/board/history")[1])
    assert past["miners"]["laptop"][0][1] == 5432.1
    assert get(f"{board}healthz")[0] == 200
    assert get(f"{board}api/v1/status")[0] == 404
    assert get(board, Host="evil.example")[0] == 421


@NEEDS_BROWSER
def test_the_fleet_in_a_browser(board: str, tmp_path: Path) -> None:
    driver = open_browser(tmp_path / "profile")
    try:
        for width, scheme in ((1280, "light"), (390, "dark")):
            screen(driver, width, scheme)
            driver.get(board)
            until(lambda: driver.find_elements("css selector", "#miners tbody tr"))
            assert driver.execute_script("return document.documentElement.scrollWidth") <= width
            assert driver.execute_script(CONTRAST) == []
        body = driver.find_element("tag name", "body").text
        assert "3 of 4 online" in body and "(3 of 4 tell)" in body and "1 offline" in body
        assert "never: HTTP 404" in body and "offline" in body and "axe (by its pool)" in body
        names = (
            "return [...document.querySelectorAll('#miners tbody th')].map((th) => th.textContent)"
        )
        heads = driver.find_elements("css selector", "#miners thead button")
        power = next(one for one in heads if one.text == "power")
        driver.execute_script("arguments[0].click(); arguments[0].click()", power)
        assert driver.execute_script(names)[0] == "bitaxe-7"  # unknown ones stay last
        driver.refresh()
        until(lambda: driver.find_elements("css selector", "#miners tbody tr"))
        assert driver.execute_script(names)[0] == "bitaxe-7"  # the order is remembered
        driver.find_element("id", "filter").send_keys("xmrig")
        assert driver.execute_script(names) == ["laptop"]
        assert driver.find_elements("css selector", "#miners svg path[d^=M]")
        lines = [one for one in driver.get_log("browser") if one["level"] == "SEVERE"]
        assert lines == []
    finally:
        driver.quit()
