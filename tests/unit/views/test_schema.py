"""The shipped schemas say what the code sends, and real lines keep to them."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from miner.run import config
from miner.run.run import Run
from miner.state.events import (
    Alarm,
    Event,
    JournalWarned,
    Paused,
    Rescue,
    SharesSummed,
    Stopped,
    answered,
    every_kind,
)
from miner.state.snapshot import Snapshot
from miner.views.jsonl import JsonView, event_line
from miner.work.found import Answer, Verdict
from tests.fakes.pool import FakePool

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "make_schemas.py"


def schema(name: str) -> Any:
    """As installed."""
    file = resources.files("miner.views") / "schema" / f"{name}.schema.json"
    return json.loads(file.read_text("utf-8"))


def judge(name: str) -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema(name))
    return jsonschema.Draft202012Validator(schema(name))


def test_the_schemas_are_those_of_the_code() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


class Snapshots:
    def __init__(self) -> None:
        self.seen: list[Snapshot] = []

    def event(self, event: Event) -> None: ...

    def tick(self, now: Snapshot) -> None:
        self.seen.append(now)

    def close(self, last: Snapshot) -> None:
        self.seen.append(last)


def test_a_real_run_keeps_to_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINER_HOME", str(tmp_path))
    out, snapshots = io.StringIO(), Snapshots()
    with FakePool(difficulty="1e-6") as pool:
        flags = {"pool": (pool.url,), "user": ("u",), "backend": ("hashlib",), "idle": False}
        run = Run(config.load({**flags, "stop_after": ("9shares",)}, {}), 1.4e14)
        run.add(JsonView(out))
        run.add(snapshots)
        first = run.snapshot()
        run.start()
        assert run.wait(60.0) is not None
    stream, tree = judge("stream"), judge("snapshot")
    for text in out.getvalue().splitlines():
        stream.validate(json.loads(text))
    for now in (first, *snapshots.seen):
        tree.validate(json.loads(json.dumps(now.to_dict(), allow_nan=False)))
    assert snapshots.seen[-1].shares.best
    with pytest.raises(jsonschema.ValidationError):
        tree.validate({**first.to_dict(), "more": 1})


def test_rare_events_keep_to_the_stream() -> None:
    verdict = Verdict("pool", "00", Answer.ACCEPTED, True, of_share=True)
    rare = [
        Alarm("the disk is full"),
        JournalWarned("block waits", "file", "00", 2, "a node"),
        JournalWarned("a note"),
        Paused(True),
        Rescue("00", "payload"),
        SharesSummed(3, 10.0, {"accepted": {"": 3}}),
        Stopped("a goal"),
        answered(verdict),
        answered(replace(verdict, answer=Answer.REJECTED, is_block=False, reason="bad")),
    ]
    stream = judge("stream")
    for event in rare:
        stream.validate(json.loads(json.dumps(event_line(event))))
    assert {event.kind for event in rare} <= {kind.kind for kind in every_kind()}
