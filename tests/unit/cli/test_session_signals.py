"""P01: a signal while the engine starts ends the run like any other."""

import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from miner.cli.session import Session
from miner.engine.durable import DurableQueue
from miner.run import config
from miner.sources.node.source import NodeSource
from tests.fakes.node import FakeNode
from tests.fakes.sink import REGTEST
from tests.faults import fault


@pytest.mark.parametrize("place", [(DurableQueue, "start"), (NodeSource, "start")])
@fault("P01")
def test_a_signal_inside_the_engines_start(
    place: tuple[type, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No thread is left, none is joined before it was started."""
    owner, name = place
    original = getattr(owner, name)

    def interrupted(self: Any, *arguments: Any) -> None:
        original(self, *arguments)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(owner, name, interrupted)
    monkeypatch.setenv("MINER_HOME", str(tmp_path / "home"))
    with FakeNode(tmp_path) as node:
        flags = {"node": (node.url,), "cookie": str(node.cookie), "address": REGTEST}
        settings = config.load({**flags, "backend": ("hashlib",), "idle": False}, {})
        before = set(threading.enumerate())
        Session(settings).mine()
    left = [t.name for t in set(threading.enumerate()) - before if "node" not in t.name]
    assert [name for name in left if not name.startswith("Thread-")] == []
