import io
import json
import re
import struct
import time
from dataclasses import replace

import pytest
from rich.console import Console

from miner.backends.base import BackendInfo, Kind
from miner.devices.gpu import Sensors
from miner.sources.fixed import never_found
from miner.state.activity import Activity, WorkerState
from miner.state.events import (
    Alarm,
    BlockAnswered,
    JobArrived,
    SourceChanged,
    answered,
)
from miner.state.history import Row
from miner.state.snapshot import HistoryRow, Snapshot
from miner.state.status import Status
from miner.views import words
from miner.views.jsonl import JsonView
from miner.views.live import LiveView
from miner.views.panel import Options, panel, sparkline
from miner.views.text import TextView, farewell
from miner.work.found import Answer, Share, Verdict
from miner.work.unit import WorkUnit

HASH = "ab" * 32
PLAIN = Options()


def info(name: str, device: str) -> BackendInfo:
    return BackendInfo(name, device, 1, 1, Kind.CPU)


def filled() -> Status:
    status = Status(0.0)
    meter = status.worker(info("native:avx2", "a CPU"), 0.0)
    meter.hashes, meter.versions, meter.state = 61_000_000, 8, WorkerState.OK
    job = replace(never_found(), share_target=2**255, network_target=2**255, height=9)
    status.source("fixed", "ready", "one given job")
    status.job(job, 0.5)
    unit = WorkUnit(struct.pack("<I", 1) + bytes(72), (1,), 2**255, job, b"", 1)
    status.share(Share(unit, 1, 0, unit.header(1, 0), bytes(31) + b"\x01"))
    status.verdict(Verdict("fixed", "00" * 32, Answer.REJECTED, True, "bad-cb-amount"))
    status.alarm("the disk is full")
    status.activity = Activity.MINING
    return status


@pytest.fixture
def snapshot() -> Snapshot:
    return filled().snapshot(1.0)


@pytest.fixture
def paced() -> Snapshot:
    """On the built-in node: 61 million hashes in the second that was measured, 2 a block."""
    status = filled()
    status.facts.paced, status.facts.mainnet_difficulty = True, 1.4e14
    status.hardware.meters[0].trial_hs = 61e6
    status.verdict(Verdict("fixed", "01" * 32, Answer.ACCEPTED, True))
    return status.snapshot(1.0)


def at(now: Snapshot, elapsed_s: float) -> Snapshot:
    return replace(now, run=replace(now.run, elapsed_s=elapsed_s))


def drawn(now: Snapshot, options: Options = PLAIN, width: int = 80, height: int = 24) -> str:
    shown = io.StringIO()
    Console(file=shown, width=width, height=height).print(panel(now, options, width, height))
    return shown.getvalue()


def job(clean: bool, wall_s: float) -> JobArrived:
    return JobArrived("node", "1", 9, clean, "00000000", "207fffff", wall_s=wall_s)


def test_results_go_to_stdout_and_talk_to_stderr(snapshot: Snapshot) -> None:
    out, err = io.StringIO(), io.StringIO()
    view = TextView(out, err)
    view.event(answered(Verdict("node", "00ff", Answer.ACCEPTED, True, height=9)))
    view.event(SourceChanged("node", "ready", "node: ready"))
    view.event(Alarm("disk full"))
    view.event(job(True, 100.0))
    for _ in range(100):
        view.event(job(True, 100.1))
    view.event(job(False, 105.0))
    view.close(snapshot)
    assert next(line[9:] for line in out.getvalue().splitlines()) == "block 9 accepted 00ff"
    assert [line[9:] for line in err.getvalue().splitlines()] == [
        "node: ready",
        "WARNING: disk full",
        "new job from node, height 9",
    ]
    assert "61 MH/s" in out.getvalue().splitlines()[-1]


def test_a_summary_comes_each_minute(snapshot: Snapshot) -> None:
    out, err = io.StringIO(), io.StringIO()
    view = TextView(out, err)
    for second in range(200):
        view.tick(at(snapshot, float(second)))
    assert len(err.getvalue().splitlines()) == 3
    assert out.getvalue() == ""


def test_the_live_screen_shows_what_a_run_is_like(snapshot: Snapshot) -> None:
    text = drawn(snapshot)
    for part in ("mining", "61 MH/s", "bad-cb-amount 1", "the disk is full", "height 9", "luck"):
        assert part in text
    assert "quit" in text.splitlines()[-1]


def test_80_by_24_holds_the_worst_of_it(snapshot: Snapshot) -> None:
    """Many pools, devices and workers, all with long names; every line is cut, none wrapped."""
    long = replace(snapshot.sources[0], name="x" * 90)
    device = replace(snapshot.devices[0], name="y" * 90)
    many = replace(
        snapshot,
        sources=(long,) * 9,
        devices=(device,) * 9,
        workers=snapshot.workers * 30,
        alarms=snapshot.alarms * 9,
    )
    options = Options(details=True, help=True, identify_until=time.time() + 60)
    for width, height in ((80, 24), (60, 16), (120, 40)):
        lines = drawn(many, options, width, height).splitlines()
        assert len(lines) < height
        assert all(len(line) <= width for line in lines)
    assert "and 6 more sources" in drawn(many)
    assert "and 6 more devices" in drawn(many)


def test_keys_switch_details_and_help(snapshot: Snapshot) -> None:
    assert "versions" not in drawn(snapshot)
    assert "native:avx2" in drawn(snapshot, Options(details=True))
    assert "p pause, r resume: stop hashing" in drawn(snapshot, Options(help=True))
    named = replace(snapshot, machine=replace(snapshot.machine, host="desk"))
    assert "THIS IS desk" in drawn(named, Options(identify_until=time.time() + 5))


def test_totals_add_up_from_the_first_second() -> None:
    status = Status(0.0)
    meters = [status.worker(info(name, name), 0.0) for name in "ab"]
    for tenth in range(1, 30):
        for speed, meter in enumerate(meters, 1):
            meter.hashes = 1_000_000 * speed * tenth
        status.tick(tenth / 10)
        now = status.snapshot(tenth / 10)
        parts = [row.rates.rate_10s_hs for row in now.workers]
        assert now.run.rates.rate_10s_hs == pytest.approx(sum(parts))
        assert now.run.rate_session_hs == pytest.approx(now.run.rates.rate_1min_hs)


def test_while_blocks_are_paced_no_rate_of_waiting_is_shown(paced: Snapshot) -> None:
    """B3: 61 MH/s measured; the hashes counted over a second would be another number."""
    waiting = replace(paced, run=replace(paced.run, hashes=2))
    for text in (drawn(waiting), words.summary(waiting)):
        assert "this computer: 61 MH/s, measured between blocks" in text
        assert "this chain needs 2 hashes a block" in text
        assert re.findall(r"[0-9.]+ [kMG]?H/s", text) == ["61 MH/s"]
    unknown = replace(waiting, run=replace(waiting.run, rate_computer_hs=None))
    assert "not measured yet" in drawn(unknown)


def test_the_last_block_is_one_that_was_answered(paced: Snapshot) -> None:
    """Of a flood of easy blocks most are surplus and never sent."""
    text = drawn(paced)
    assert "1 accepted, 1 rejected; last 0101010101010101.. accepted" in text


def test_the_first_command_ends_with_what_it_meant(paced: Snapshot) -> None:
    text = "\n".join(farewell(paced))
    for part in (
        "1 block accepted by Bitcoin Core's engine.",
        "This computer: 61 MH/s",
        "At mainnet's difficulty (140 T)",
        "miner learn`",
    ):
        assert part in text


def test_luck_comes_with_its_band(snapshot: Snapshot) -> None:
    lucky = replace(snapshot.luck, ratio=1.04, found_shares=52, expected_shares=50.0)
    told = words.luck(replace(lucky, low=0.74, high=1.28))
    assert told == "104 % (52 found, 50 expected; 74 to 128 % is usual)"


def test_a_sparkline_has_gaps_where_nothing_is_known() -> None:
    rows = [Row(1000.0 + s, float(s), 0, 0, 0, 0, 0, 0, 0) for s in range(300, 601, 5)]
    text = sparkline(rows, 1600.0, 10)
    assert text[:5] == " " * 5
    assert text[5:] == "▅▅▆▇█"


def test_the_last_ten_minutes_are_drawn(snapshot: Snapshot) -> None:
    now = time.time()
    rows = tuple(Row(now - 600 + s, 5e6, 4e6, 6e6, 0, 0, 0, 0, 0) for s in range(5, 600, 5))
    text = drawn(replace(snapshot, history=HistoryRow(rows, ())))
    assert "█" * 40 in text
    assert "10 min, 4 M to 6 MH/s" in text


def test_a_device_shows_its_sensors(snapshot: Snapshot) -> None:
    card = replace(snapshot.devices[0], kind="gpu", sensors=Sensors(2105.0, 61.4, 100.0))
    assert "61 °C, 100 W, 2105 MHz, 1,639,344 J/TH" in drawn(
        replace(snapshot, devices=(card,)), width=120
    )
    assert "°C" not in drawn(snapshot)


def test_text_of_a_peer_is_no_markup(snapshot: Snapshot) -> None:
    err = io.StringIO()
    view = LiveView(io.StringIO(), err)
    view.event(SourceChanged("p", "ready", "[bold]p[/bold] says [link=x]hi"))
    view.tick(snapshot)
    view.close(snapshot)
    assert "[bold]p[/bold] says [link=x]hi" in err.getvalue()


def test_hashes_are_short_on_the_screen_and_whole_in_a_file(snapshot: Snapshot) -> None:
    out, err = io.StringIO(), io.StringIO()
    view = LiveView(out, err)
    view.event(BlockAnswered(HASH, 7, "accepted", "", "", 0.1, 1.0, "node"))
    view.event(BlockAnswered(HASH, 7, "rejected", HASH, "", 0.1, 1.0, "node"))
    view.close(snapshot)
    assert HASH in out.getvalue()


def test_json_lines_are_valid_and_regular(snapshot: Snapshot) -> None:
    out = io.StringIO()
    view = JsonView(out)
    view.event(BlockAnswered(HASH, 7, "accepted", "", "", 0.1, 1.0, "node", wall_s=5.0))
    for second in range(25):
        view.tick(at(snapshot, float(second)))
    view.close(snapshot)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["type"] for line in lines] == ["block", "status", "status", "status", "status"]
    fields = {
        "hash": HASH, "height": 7, "answer": "accepted", "reason": "", "explanation": "",
        "latency_s": 0.1, "difficulty": 1.0, "source": "node",
    }  # fmt: skip
    text = f"block 7 accepted {HASH} (100 ms)"
    assert lines[0] == {"type": "block", "time_s": 5.0, "text": text, **fields}
    assert lines[1]["rejected_reasons"] == {"bad-cb-amount": 1}


def test_paced_rates_are_null_in_json(paced: Snapshot) -> None:
    out = io.StringIO()
    JsonView(out).close(paced)
    line = json.loads(out.getvalue())
    assert (line["paced"], line["rate_session_hs"], line["rate_1min_hs"]) == (True, None, None)
    assert line["rate_computer_hs"] == 61e6
