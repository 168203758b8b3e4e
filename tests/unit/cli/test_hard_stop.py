"""A stop that hangs, as on a disk that does not answer: the process ends by force, in time."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from miner.cli import session
from miner.engine.core import Engine
from miner.errors import OutputLeft
from miner.run import config
from miner.state.events import Event
from miner.state.snapshot import Snapshot
from tests.fakes.pool import FakePool
from tests.faults import fault


class Pipe:
    """A view whose reader stays, or leaves at the first share."""

    def __init__(self, leaves: bool) -> None:
        self.leaves = leaves

    def event(self, event: Event) -> None:
        if self.leaves and event.kind == "share":
            raise BrokenPipeError

    def tick(self, now: Snapshot) -> None: ...

    def close(self, last: Snapshot) -> None: ...

    def restore(self) -> None: ...


@pytest.fixture
def hang(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], list[int]]:
    """The engine's stop hangs until the process is ended; the exit codes it is ended with."""

    def arrange(leaves: bool) -> list[int]:
        codes: list[int] = []
        ended, stop = threading.Event(), Engine.stop

        def hanging(engine: Engine) -> None:
            ended.wait()
            stop(engine)

        def end(code: int) -> None:
            codes.append(code)
            ended.set()

        monkeypatch.setattr(Engine, "stop", hanging)
        monkeypatch.setattr("miner.signals.os._exit", end)
        monkeypatch.setattr(session, "HARD_STOP_S", 0.2)
        monkeypatch.setattr(session, "open_view", lambda as_json: Pipe(leaves))
        return codes

    return arrange


@pytest.mark.parametrize("leaves", [False, True], ids=["a goal", "the reader left"])
@fault("P04")
def test_a_hanging_stop_ends_with_the_code_of_its_reason(
    hang: Callable[[bool], list[int]],
    leaves: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It hung for ever: only a signal began the countdown."""
    codes = hang(leaves)
    monkeypatch.setenv("MINER_HOME", str(tmp_path))
    goal = ("60s",) if leaves else ("2shares",)
    with FakePool() as pool:
        flags = {"pool": (pool.url,), "user": ("u",), "backend": ("hashlib",), "idle": False}
        run = session.Session(config.load({**flags, "stop_after": goal}, {}))
        if leaves:
            with pytest.raises(OutputLeft):
                run.mine()
        else:
            run.mine()
    assert codes == [1 if leaves else 0]
