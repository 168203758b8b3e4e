"""The board as a whole: offline rows stay, totals say of how many, names are unique."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from miner.board import answers, scan, table
from miner.board.board import Board, labelled
from miner.board.place import Place, parse
from miner.board.row import BoardState, MinerRow, Reading, Seen, State, totals
from miner.board.watch import MOST_POLL_S, Watch
from miner.errors import ConfigError
from tests.fakes import miners

RECORDED = Path(__file__).parents[2] / "vectors" / "board"
AXEOS = json.loads((RECORDED / "axeos.json").read_text())
CGMINER = json.loads((RECORDED / "cgminer.json").read_text())
XMRIG = json.loads((RECORDED / "xmrig.json").read_text())


def row(label: str, state: State = State.MINING, **told: Any) -> MinerRow:
    seen_s = None if state is State.WAITING else 1000.0
    return MinerRow(label, "axeos", "h:80", state, "", seen_s, Reading(**told))


@pytest.fixture
def fleet() -> Iterator[dict[str, miners.Miner]]:
    with ExitStack() as stack:
        yield {
            "axeos": stack.enter_context(
                miners.miner(miners.http({"/api/system/info": AXEOS}, chunked=True))
            ),
            "xmrig": stack.enter_context(miners.miner(miners.http({"/2/summary": XMRIG}))),
            "cgminer": stack.enter_context(miners.miner(miners.cgminer(CGMINER))),
        }


def sources(fleet: dict[str, miners.Miner]) -> list[Place]:
    return [parse(f"{kind}://127.0.0.1:{one.port}") for kind, one in fleet.items()]


def test_miners_of_three_languages_and_a_pools_folder_on_one_board(
    fleet: dict[str, miners.Miner],
) -> None:
    places = [*sources(fleet), parse(f"ckpool:{RECORDED / 'ckpool'}")]
    state = asyncio.run(Board(places).once())
    by_label = {row.label: row for row in state.rows}
    assert set(by_label) == {"bitaxe-7", "laptop", str(places[2]), "axe", "desk", "bc1qex…le00"}
    told = state.totals
    assert (told.online, told.miners) == (3, 3)
    assert told.rate_hs.total == pytest.approx(1204.1253e9 + 5432.1)
    assert (told.power_w.total, told.power_w.known, told.power_w.of) == (18.4, 1, 3)
    assert told.pool_workers == 3  # apart: the miners above may be the same ones
    assert told.pool_rate_hs.total == pytest.approx(1.7e12 + 61.2e6)


def test_what_a_miner_does_not_tell_is_a_dash_and_never_nought() -> None:
    state = BoardState((row("a"),), totals([row("a")]), 1000.0, 1)
    (heads, cells, summary) = list(table.lines(state))
    assert "nan" not in cells and "None" not in cells
    assert cells.split()[3:12] == ["–"] * 9, (heads, cells)
    assert "0 of 1 tell" in summary


def test_a_total_adds_what_is_known_and_says_of_how_many() -> None:
    rows = [
        row("a", rate_10s_hs=5e6, accepted=3, power_w=10.0),
        row("b", rate_1min_hs=1e6),
        row("c", State.OFFLINE, rate_10s_hs=9e9, best_ever=77.0),
        row("d", rate_10s_hs=2e6, seen=Seen.POOL),
    ]
    told = totals(rows)
    assert (told.rate_hs.total, told.rate_hs.known, told.rate_hs.of) == (6e6, 2, 3)
    assert (told.accepted.total, told.accepted.known) == (3, 1)
    assert (told.online, told.miners, told.best) == (2, 3, 77.0)
    assert (told.pool_rate_hs.total, told.pool_workers) == (2e6, 1)


def test_an_offline_miner_stays_with_its_figures_and_comes_back() -> None:
    with miners.miner(miners.http({"/api/system/info": AXEOS})) as one:
        port = one.port
        watch = Watch(parse(f"axeos://127.0.0.1:{port}"))
        asyncio.run(watch.ask())
        ((_, online),) = watch.rows()
    asyncio.run(watch.ask())
    ((_, gone),) = watch.rows()
    assert online.state is State.MINING and gone.state is State.OFFLINE
    assert gone.told == online.told and gone.last_seen_s == online.last_seen_s and gone.why
    assert totals([gone]).rate_hs.known == 0  # its old rate is in no sum
    with miners.miner(miners.http({"/api/system/info": AXEOS}), port=port):
        asyncio.run(watch.ask())
    ((_, back),) = watch.rows()
    assert back.state is State.MINING and back.why == "" and len(back.history) == 2


def test_a_silent_miner_is_asked_less_and_less_often() -> None:
    with miners.miner(lambda _: b"") as one:
        watch = Watch(parse(f"axeos://127.0.0.1:{one.port}"))
        pauses = [watch.pause_s]
        for _ in range(6):
            asyncio.run(watch.ask())
            pauses.append(watch.pause_s)
    assert pauses == [5, 5, 10, 20, 40, MOST_POLL_S, MOST_POLL_S]


def test_a_worker_that_its_pool_no_longer_names_stays_as_offline() -> None:
    watch = Watch(parse("ckpool:/x"))
    twice = [Reading("a", rate_1min_hs=1.0), Reading("a", rate_1min_hs=2.0)]
    watch.take(twice, 10.0)
    assert [name for name, _ in watch.rows()] == ["a", "a 2"]
    watch.take(twice[:1], 20.0)
    first, second = (row for _, row in watch.rows())
    assert first.online and second.state is State.OFFLINE and second.last_seen_s == 10.0


def test_names_on_the_board_are_unique() -> None:
    rows = [("desk", row("")), ("desk", row("")), ("desk", row("")), ("axe", row(""))]
    labels = [one.label for one in labelled(rows)]
    assert len(set(labels)) == 4 and labels[0] == "desk" and labels[1] == "desk (h:80)"


def test_a_bare_host_is_asked_in_every_language(fleet: dict[str, miners.Miner]) -> None:
    for kind, one in fleet.items():
        watch = Watch(parse(f"127.0.0.1:{one.port}"))
        asyncio.run(watch.ask())
        ((_, found),) = watch.rows()
        assert (found.kind, found.online) == (kind, True), found.why


def test_the_board_sends_reads_alone(fleet: dict[str, miners.Miner]) -> None:
    asyncio.run(Board(sources(fleet)).once())
    for kind, one in fleet.items():
        for asked in one.asked:
            if kind == "cgminer":
                parts = json.loads(asked)["command"].split("+")
                assert set(parts) <= {"version", "summary", "devs", "pools"}
            else:
                assert asked.startswith(b"GET ")


def test_a_scan_finds_each_host_once_and_only_where_it_may(
    fleet: dict[str, miners.Miner],
) -> None:
    ports = {kind: one.port for kind, one in fleet.items()}
    ports["homehash"] = fleet["xmrig"].port  # XMRig answers there, and does not pass for homehash
    found = asyncio.run(scan.scan(["127.0.0.1"], ports))
    assert [place.kind for place in found] == ["axeos"]
    only = dict.fromkeys(ports, ports["cgminer"])
    assert [one.kind for one in asyncio.run(scan.scan(["127.0.0.1"], only))] == ["cgminer"]
    assert len(scan.hosts("192.168.1.0/24")) == 254
    for wrong in ("8.8.8.0/24", "10.0.0.0/8", "desk", "192.168.1.0/99", "fe80::/120"):
        with pytest.raises(ConfigError, match="--scan"):
            scan.hosts(wrong)


def test_as_json_unknown_is_null_and_history_is_by_name(fleet: dict[str, miners.Miner]) -> None:
    state = asyncio.run(Board(sources(fleet)).once())
    told = json.loads(json.dumps(answers.board(state), allow_nan=False))
    axe = next(one for one in told["miners"] if one["label"] == "bitaxe-7")
    assert axe["rate_hs"] == pytest.approx(1204.1253e9) and axe["stale"] is None
    assert axe["state"] == "mining" and axe["seen"] == "itself"
    past = json.loads(json.dumps(answers.history(state), allow_nan=False))
    assert past["columns"] == ["time_s", "rate_hs", "temperature_c", "power_w"]
    assert past["miners"]["bitaxe-7"][0][1:] == [1204130000000.0, 58.25, 18.4]
    assert past["miners"]["laptop"][0][2:] == [None, None]
