"""AxeOS' API, against a strict reader's rules and against pyasic itself; XMRig's summary."""

import asyncio
import math
import random
import socket
from dataclasses import replace
from typing import Any

import pytest

from miner.devices.gpu import Sensors
from miner.state.snapshot import MachineRow, Snapshot
from miner.state.sources import Place
from miner.transport.listening import ListenAddress, bind, bound
from miner.views import axeos
from miner.views.feed import Feed
from miner.views.listeners import Listeners
from miner.views.names import Names
from miner.views.web.app import App, Reach
from miner.views.web.server import WebServer
from tests.faults import fault
from tests.unit.views.web.kit import ADDRESS, JOB, served, status
from tests.unit.views.web.strict import MOST_BYTES, asic_breaches, breaches

ALWAYS = (
    "ASICModel deviceModel boardVersion asicCount smallCoreCount hashRate hashRate_1m hashRate_10m "
    "hashRate_1h sharesAccepted sharesRejected sharesRejectedReasons bestDiff bestSessionDiff "
    "stratumURL stratumPort stratumUser autofanspeed uptimeSeconds hostname macAddr version "
    "isUsingFallbackStratum miningPaused blockFound"
).split()
MACHINE = MachineRow("desk", ("192.168.1.9",), "a CPU", 2, "Linux 6.1", "3.11", "02:00:5E:10:00:01")


def moments() -> dict[str, Snapshot]:
    """Runs that differ in what is known."""
    cold = status(job=None)
    warm = status()
    warm.hardware.cpu = Sensors(3400.4, 55.26, 65.123)
    two = status()
    two.expect_sources([Place("b", "stratum2+tcp://[::1]:34254", "pool", 1, "other")])
    two.job(replace(JOB, source="b"), 2.0)
    paced = status()
    paced.facts.paced = True
    named = {"cold": cold, "warm": warm, "two pools": two, "paced": paced}
    return {name: made.snapshot(600.0) for name, made in named.items()} | {
        "with a machine": replace(warm.snapshot(600.0), machine=MACHINE)
    }


MOMENTS = moments()


@pytest.mark.parametrize("name", MOMENTS)
@fault("A10")
def test_the_strictest_reader_takes_it(name: str) -> None:
    with served(MOMENTS[name]) as site:
        info, asic = site.get("/api/system/info"), site.get("/api/system/asic")
    assert info.headers["content-type"] == asic.headers["content-type"] == "application/json"
    assert len(info.body) < MOST_BYTES
    assert breaches(info.json) == []
    assert asic_breaches(asic.json) == []
    missing = [one for one in ALWAYS if one not in info.json]
    assert missing == ([] if name != "paced" else PACED)
    assert ("poolDifficulty" in info.json) == (name != "cold")


PACED = ["hashRate_1m", "hashRate_10m", "hashRate_1h"]  # they would be those of waiting


def test_units_are_those_of_axeos() -> None:
    info = axeos.info(MOMENTS["with a machine"], Names(whole=True))
    assert info["hashRate_1h"] == pytest.approx(61e6 / 600 / 1e9, abs=1e-7)
    assert (info["temp"], info["power"], info["frequency"]) == (55.3, 65.12, 3400)
    assert (info["responseTime"], info["uptimeSeconds"]) == (20.0, 600)
    assert info["ASICModel"] == "homehash CPU"
    assert (info["stratumURL"], info["stratumPort"]) == ("pool.example", 3333)
    assert info["stratumUser"].startswith(ADDRESS)
    assert (info["fallbackStratumURL"], info["isUsingFallbackStratum"]) == ("", 0)
    assert info["bestSessionDiff"] == info["bestDiff"] > 1
    assert "assword" not in str(info)


def test_two_pools_and_the_second_has_the_work() -> None:
    info = axeos.info(MOMENTS["two pools"], Names())
    assert info["isUsingFallbackStratum"] == 1
    told = info["fallbackStratumURL"], info["fallbackStratumPort"], info["fallbackStratumProtocol"]
    assert told == ("::1", 34254, "SV2")
    assert [one["id"] for one in info["pools"]] == [0, 1]


def test_a_machine_without_a_card_has_a_stable_address() -> None:
    nameless = replace(MACHINE, mac="")
    assert axeos.mac(nameless) == axeos.mac(nameless) != axeos.mac(replace(nameless, host="b"))
    assert axeos.mac(nameless).startswith("02:")
    assert axeos.mac(replace(MACHINE, mac="01:00:5E:00:00:01")).startswith("02:")  # multicast
    assert axeos.mac(MACHINE) == "02:00:5E:10:00:01"


def test_statistics_and_scoreboard() -> None:
    made = status()
    made.hardware.cpu = Sensors(None, 50.0, None)
    for second in range(40):
        made.tick(float(second))
    with served(made.snapshot(60.0)) as site:
        told = site.get("/api/system/statistics").json
        assert told["labels"][-1] == "timestamp" and "power" not in told["labels"]
        assert {"hashrate", "asicTemp"} < set(told["labels"])
        assert all(len(row) == len(told["labels"]) for row in told["statistics"])
        one = site.get("/api/system/statistics?columns=asicTemp,nonsense").json
        assert one["labels"] == ["asicTemp", "timestamp"]
        assert one["statistics"][0][0] == 50.0
        board = site.get("/api/system/scoreboard").json
        assert [row["nonce"] for row in board] == ["00000001", "00000002", "00000003"]
        assert list(board[0]) == [
            "difficulty", "job_id", "extranonce2", "ntime", "nonce", "version_bits",
        ]  # fmt: skip


def test_xmrigs_summary() -> None:
    with served(MOMENTS["with a machine"]) as site:
        told = [site.get(path) for path in ("/1/summary", "/2/summary", "/api.json")]
    assert told[0].body == told[1].body == told[2].body
    summary = told[0].json
    assert len(summary["hashrate"]["total"]) == 3 and len(summary["results"]["best"]) == 10
    assert summary["connection"]["pool"] == "pool.example:3333"
    assert (summary["results"]["shares_good"], summary["results"]["shares_total"]) == (2, 3)
    assert math.isclose(summary["hashrate"]["total"][2], 61e6 / 600, rel_tol=0.01)


def own_port_80() -> socket.socket | None:
    """On a loopback address of this test alone; None where port 80 may not be bound."""
    dice = random.Random()
    try:
        return bind(
            ListenAddress(f"127.{dice.randint(2, 250)}.{dice.randint(1, 250)}.7", 80), "--web"
        )
    except Exception:  # noqa: BLE001 - forbidden, or a system without these addresses
        return None


@pytest.mark.filterwarnings("ignore")  # of the library and of what it imports
def test_pyasic_finds_and_reads_it() -> None:
    pyasic = pytest.importorskip("pyasic", reason="pyasic cannot be installed here")
    listener = own_port_80()
    by_port = listener is None
    listener = listener or bind(ListenAddress("127.0.0.1", 0), "--web")
    now = MOMENTS["with a machine"]
    feed = Feed(lambda: now)
    service = WebServer(App(feed, Reach((), lan=False)), listener)
    listeners = Listeners([service], lambda text: pytest.fail(text))
    place = bound(listener)
    listeners.start()
    try:
        told = asyncio.run(ask(pyasic, place, by_port))
    finally:
        listeners.stop()
    assert told.mac == "02:00:5E:10:00:01"
    assert told.hostname == "desk"
    assert told.is_mining
    assert told.uptime == 600
    assert told.fw_ver and told.fw_ver.startswith("homehash ")
    assert float(told.hashrate) == pytest.approx(61e6 / 600, rel=0.01)


async def ask(pyasic: Any, place: ListenAddress, by_port: bool) -> Any:
    if by_port:  # its probe knows port 80 alone
        from pyasic.miners.backends.espminer import ESPMiner

        miner = ESPMiner(place.host)
        miner.web.port = place.port
    else:
        miner = await pyasic.get_miner(place.host)
        assert miner is not None, "pyasic does not take it for a miner"
    print("pyasic:", miner)
    data = await miner.get_data()
    print(data.as_dict())
    return data


def test_axeos_stands_in_the_page_once() -> None:
    """By it pyasic and scanners know the API; words by which they know others are not there."""
    others = (
        "antMiner blackMiner Daoge Braiins Luxor 用户界面 cloud-box AnthillOS Avalon DragonMint "
        "Fluminer"
    ).split()
    others += ["Lucky miner", "Miner Web Dashboard", "Miner UI"]
    made = status()
    evil = " ".join(others) + " AxeOS"
    made.source("a pool", "ready", evil)
    now = made.snapshot(60.0)
    named = replace(now.sources[0], url=f"stratum+tcp://{evil}", user=evil, name=evil)
    machine = replace(MACHINE, host=evil, cpu=evil)
    with served(replace(now, sources=(named,), machine=machine)) as site:
        page = site.get("/").body.decode()
    assert page.count("AxeOS") == 1
    assert [word for word in others if word in page] == []


@fault("A04")
def test_no_text_of_strangers_is_in_the_page() -> None:
    markup = "<script>alert(1)</script>\"'&<img src=x onerror=alert(1)>"
    made = status()
    made.source("a pool", "ready", markup)
    made.alarm(markup)
    now = made.snapshot(60.0)
    assert now.job is not None
    job = replace(now.job, job_id=markup, source=markup)
    source = replace(now.sources[0], user=markup, name=markup, rejected_reasons=((markup, 3),))
    shares = replace(now.shares, rejected_reasons=((markup, 3),))
    evil = replace(now, job=job, sources=(source,), shares=shares)
    with served(evil) as site:
        assert "alert(1)" not in site.get("/").body.decode()
        for path in paths_with_json():
            reply = site.get(path)
            assert reply.headers["content-type"] == "application/json"
            assert reply.headers["x-content-type-options"] == "nosniff"
            reply.json  # noqa: B018 - it is valid


def paths_with_json() -> list[str]:
    own = [f"/api/v1/{name}" for name in ("status", "history", "shares", "block")]
    return [*own, "/api/system/info", "/api/system/asic", "/2/summary", "/healthz"]


def test_addresses_are_cut_in_every_answer() -> None:
    with served(MOMENTS["with a machine"]) as site:
        for path in ("/", *paths_with_json(), "/api/system/scoreboard", "/api/system/statistics"):
            assert ADDRESS not in site.get(path).body.decode(), path


def test_heads_are_as_long_as_answers() -> None:
    """A head of each path has the length of its body."""
    with served(MOMENTS["warm"]) as made:
        for path in paths_with_json():
            size = int(made.get(path, method="HEAD").headers["content-length"])
            assert abs(size - len(made.get(path).body)) < 40, path
