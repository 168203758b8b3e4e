"""What each kind of miner says, in the board's units; recorded shapes of tests/vectors/board."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from miner.board.place import parse
from miner.board.row import Reading, Seen, State
from miner.board.speaks import axeos, cgminer, ckpool, homehash, publicpool, xmrig
from miner.errors import ConnectFailed, RemoteProtocolError
from miner.state.status import Status
from tests.fakes import miners

RECORDED = Path(__file__).parents[2] / "vectors" / "board"


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def test_axeos_rates_are_giga_and_one_sensor_is_absent() -> None:
    (told,) = axeos.read(recorded("axeos"))
    assert told == Reading(
        name="bitaxe-7",
        model="Gamma BM1370",
        rate_10s_hs=pytest.approx(1204.1253e9),  # type: ignore[arg-type]
        rate_1min_hs=pytest.approx(1198.7e9),  # type: ignore[arg-type]
        rate_1h_hs=pytest.approx(1199.9e9),  # type: ignore[arg-type]
        accepted=19739,
        rejected=6,
        best_session=3828108.5,
        best_ever=4292734826.0,
        pool="public-pool.example:21496",
        power_w=18.4,
        temperature_c=58.25,
        uptime_s=212115.0,
    )
    assert told.state() is State.MINING and told.stale is None


def test_older_axeos_writes_difficulties_as_text_and_may_be_on_its_fallback() -> None:
    (told,) = axeos.read(recorded("axeos-old"))
    assert (told.best_ever, told.best_session) == (4.29e9, 3.83e6)
    assert told.pool == "other.example:3333"  # never its user
    assert (told.rate_1min_hs, told.rate_1h_hs) == (None, None)


def test_nerdqaxe_has_the_warmest_chip_and_the_pool_it_is_connected_to() -> None:
    (told,) = axeos.read(recorded("nerdqaxe"))
    assert told.temperature_c == 47.25
    assert told.pool == "second.example:4444"
    assert told.rate_1h_hs == pytest.approx(2340e9)


def test_a_paused_axeos_is_paused_and_one_without_a_rate_is_not_mining() -> None:
    tree = recorded("axeos")
    assert axeos.read(tree | {"miningPaused": True})[0].state() is State.PAUSED
    assert axeos.read(tree | {"hashRate": 0})[0].state() is State.IDLE


def test_xmrig_is_in_hashes_a_second_and_what_it_does_not_know_is_unknown() -> None:
    (told,) = xmrig.read(recorded("xmrig"))
    assert (told.rate_10s_hs, told.rate_1min_hs, told.rate_1h_hs) == (5432.1, 5401.77, None)
    assert (told.accepted, told.rejected, told.stale) == (41, 2, None)
    assert told.best_session == 91234567 and told.pool == "pool.example:3333"
    early = recorded("xmrig") | {"hashrate": {"total": [None, None, None]}}
    assert xmrig.read(early)[0].rate_hs is None


def test_publicpool_tells_workers_and_their_shares_are_no_counts() -> None:
    first, second = publicpool.read(recorded("publicpool"))
    assert first.rate_1min_hs == 1190000000000.5 and first.best_session == 1234567.89
    assert first.seen is Seen.POOL and first.accepted is None
    assert first.uptime_s == 5400.0
    assert second.state() is State.IDLE


def test_ckpools_folder_gives_its_workers_and_no_address_is_whole() -> None:
    axe, desk, bare = ckpool.read_folder(RECORDED / "ckpool")
    assert (axe.name, axe.rate_1min_hs, axe.rate_1h_hs) == ("axe", 1.7e12, 1.4e12)
    assert axe.best_ever == 400000 and axe.accepted is None  # its shares are sums of difficulty
    assert (desk.rate_1min_hs, desk.rate_1h_hs) == (61.2e6, 812.0)
    assert bare.name == "bc1qex…le00" and bare.state() is State.IDLE
    assert {row.seen for row in (axe, desk, bare)} == {Seen.POOL}


def test_a_folder_that_is_not_ckpools_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConnectFailed, match=r"pool\.status"):
        ckpool.read_folder(tmp_path)
    (tmp_path / "pool").mkdir()
    (tmp_path / "pool" / "pool.status").write_text("[1]\n")
    with pytest.raises(RemoteProtocolError):
        ckpool.read_folder(tmp_path)


def test_homehash_speaks_of_itself() -> None:
    (told,) = homehash.read(Status(0.0).snapshot(1.0).to_dict())
    assert told.model is not None and told.model.startswith("homehash ")
    assert told.rate_10s_hs == 0.0 and told.state() is State.IDLE
    tree = Status(0.0).snapshot(1.0).to_dict()
    tree["run"] |= {"paced": True, "activity": "pausing: paced blocks"}
    (paced,) = homehash.read(tree)
    assert paced.rate_hs is None and paced.state() is State.MINING


@pytest.mark.parametrize("joins", [True, False], ids=["joined", "one by one"])
def test_cgminer_is_understood_byte_for_byte(joins: bool) -> None:
    with miners.miner(miners.cgminer(recorded("cgminer"), joins)) as one:
        (told,) = asyncio.run(cgminer.ask(parse(f"cgminer://127.0.0.1:{one.port}")))
    assert told.model == "cgminer 4.13.6"
    assert (told.rate_10s_hs, told.accepted, told.rejected, told.stale) == (0.0, 0, 0, 0)
    assert told.temperature_c == 55.5 and told.pool == "127.0.0.1"
    assert told.best_session is None  # its 0 stands for none
    assert told.uptime_s == 8.0 and told.last_share_s == 1795718692.0
    commands = [json.loads(asked)["command"] for asked in one.asked]
    assert commands[:2] == ["version", "summary+devs+pools"]
    assert set(commands) <= {"version", "summary+devs+pools", "summary", "devs", "pools"}


def test_big_machines_tell_giga_and_a_dead_device_is_not_mining() -> None:
    summary = {"SUMMARY": [{"Elapsed": 9, "GHS 5s": "95123.5", "GHS av": 95000.1}]}
    devices = {"DEVS": [{"ASC": 0, "Status": "Dead", "Temperature": 0.0}]}
    (told,) = cgminer.read({"summary": [summary], "devs": [devices]})
    assert told.rate_10s_hs == pytest.approx(95123.5e9)
    assert told.temperature_c is None and told.state() is State.IDLE


@pytest.mark.parametrize("read", [axeos.read, homehash.read, xmrig.read, publicpool.read])
@pytest.mark.parametrize("tree", [{}, [], None, 5, "text", {"hashrate": 5}, {"run": []}])
def test_another_programs_answer_is_refused(read: Any, tree: Any) -> None:
    with pytest.raises(RemoteProtocolError):
        read(tree)


@pytest.mark.parametrize(
    ("name", "read"), [("axeos", axeos.read), ("xmrig", xmrig.read), ("nerdqaxe", axeos.read)]
)
@pytest.mark.parametrize("odd", [None, True, -1, "NaN", "1e999", [], {}, "x" * 10_000, 10**400])
def test_one_odd_field_costs_that_field_alone(name: str, read: Any, odd: Any) -> None:
    whole = recorded(name)
    for key in whole:
        if key in ("hashrate", "hashRate", "ASICModel"):
            continue
        (told,) = read(whole | {key: odd})
        assert told.rate_10s_hs is not None
        numbers = (told.best_ever, told.power_w, told.temperature_c, told.uptime_s, told.accepted)
        assert all(value is None or 0 <= value < 1e31 for value in numbers)
        assert len(told.name) <= 60 and len(told.pool or "") <= 80
