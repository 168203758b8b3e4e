import io
import json
import struct
from dataclasses import replace

import pytest

from miner.devices.gpu import Sensors
from miner.screens.console import ConsoleScreen, status_view
from miner.screens.jsonl import JsonScreen
from miner.sources.fixed import never_found
from miner.state.activity import WorkerState
from miner.status import Event, Status, StatusSnapshot
from miner.work.found import Answer, Share, Verdict
from miner.work.unit import WorkUnit


@pytest.fixture
def snapshot() -> StatusSnapshot:
    status = Status(0.0, "node")
    meter = status.backend("native:avx2", "a CPU", 0.0)
    meter.hashes, meter.versions, meter.state = 61_000_000, 8, WorkerState.OK
    job = replace(never_found(), share_target=2**255, network_target=2**255, height=9)
    status.job(job, 0.5)
    unit = WorkUnit(struct.pack("<I", 1) + bytes(72), (1,), 2**255, job, b"", 1)
    status.share(Share(unit, 1, 0, unit.header(1, 0), bytes(31) + b"\x01"))
    status.verdict(Verdict("node", "00" * 32, Answer.REJECTED, True, "bad-cb-amount"))
    status.alarm("the disk is full")
    status.state_text = "mining"
    return status.snapshot(1.0)


def test_results_go_to_stdout_and_talk_to_stderr(snapshot: StatusSnapshot) -> None:
    out, err = io.StringIO(), io.StringIO()
    screen = ConsoleScreen(out, err, live=False)
    screen.event(Event("block", "block 9 accepted 00ff", "result"))
    screen.event(Event("state", "node: ready"))
    screen.event(Event("alarm", "disk full", "warning"))
    screen.event(Event("job", "new job", data={"clean": True}, wall_s=100.0))
    for _ in range(100):
        screen.event(Event("job", "one of many", data={"clean": True}, wall_s=100.1))
    screen.event(Event("job", "refreshed job", data={"clean": False}))
    screen.close(snapshot)
    assert next(line[9:] for line in out.getvalue().splitlines()) == "block 9 accepted 00ff"
    assert [line[9:] for line in err.getvalue().splitlines()] == [
        "node: ready",
        "WARNING: disk full",
        "new job",
    ]
    assert "61 MH/s" in out.getvalue().splitlines()[-1]


def test_a_summary_comes_each_minute(snapshot: StatusSnapshot) -> None:
    out, err = io.StringIO(), io.StringIO()
    screen = ConsoleScreen(out, err, live=False)
    for second in range(200):
        screen.tick(replace(snapshot, elapsed_s=float(second)))
    assert len(err.getvalue().splitlines()) == 3
    assert out.getvalue() == ""


def test_the_live_status_shows_backends_reasons_and_alarms(snapshot: StatusSnapshot) -> None:
    from rich.console import Console

    shown = io.StringIO()
    many = replace(snapshot, backends=snapshot.backends * 20)
    Console(file=shown, width=100).print(status_view(many))
    text = shown.getvalue()
    for part in (
        "native:avx2",
        "61 MH/s",
        "bad-cb-amount 1",
        "alarm: the disk is full",
        "height 9",
    ):
        assert part in text
    assert "and 4 more" in text


def test_S35_the_live_status_marks_unverified_tls(snapshot: StatusSnapshot) -> None:
    from rich.console import Console

    for insecure in (True, False):
        shown = io.StringIO()
        now = replace(snapshot, tls_insecure=insecure)
        Console(file=shown, width=80).print(status_view(now))
        assert ("TLS NOT VERIFIED" in shown.getvalue()) == insecure
        assert now.to_dict()["tls_insecure"] is insecure


def test_a_graphics_card_shows_its_sensors(snapshot: StatusSnapshot) -> None:
    """A column of its own where there is a card; nothing for the CPU beside it."""
    from rich.console import Console

    cpu = snapshot.backends[0]
    card = replace(cpu, name="opencl:amd:0", sensors=Sensors(2105.0, 61.4, None))
    shown, plain = io.StringIO(), io.StringIO()
    both = replace(snapshot, backends=(cpu, card))
    Console(file=shown, width=120).print(status_view(both))
    lines = shown.getvalue().splitlines()
    assert "61 °C, n/a W, 2105 MHz" in next(line for line in lines if "opencl:amd:0" in line)
    assert "°C" not in next(line for line in lines if "native:avx2" in line)
    rows = json.loads(json.dumps(both.to_dict()))["backends"]
    assert rows[1]["sensors"] == {"clock_mhz": 2105.0, "temperature_c": 61.4, "power_w": None}
    assert rows[0]["sensors"] is None
    Console(file=plain, width=120).print(status_view(snapshot))
    assert "card" not in plain.getvalue()


def test_text_of_a_peer_is_no_markup(snapshot: StatusSnapshot) -> None:
    err = io.StringIO()
    screen = ConsoleScreen(io.StringIO(), err, live=True)
    screen.event(Event("state", "[bold]pool[/bold] says [link=x]hi"))
    screen.tick(snapshot)
    screen.close(snapshot)
    assert "[bold]pool[/bold] says [link=x]hi" in err.getvalue()


def test_json_lines_are_valid_and_regular(snapshot: StatusSnapshot) -> None:
    out = io.StringIO()
    screen = JsonScreen(out)
    screen.event(Event("block", "line one\nline two", data={"hash": "00"}, wall_s=5.0))
    for second in range(25):
        screen.tick(replace(snapshot, elapsed_s=float(second)))
    screen.close(snapshot)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["type"] for line in lines] == ["block", "status", "status", "status", "status"]
    assert lines[0] == {"type": "block", "time_s": 5.0, "text": "line one\nline two", "hash": "00"}
    assert lines[1]["rejected_reasons"] == {"bad-cb-amount": 1}
