"""A system short of threads or descriptors: one line or a later try, no traceback. Fault P18."""

import errno
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from miner import limits, streams
from miner.cli import main as entry
from miner.cli.session import Session
from miner.engine.core import Engine
from miner.errors import MinerError
from miner.run import config
from tests.fakes.pool import FakePool
from tests.faults import fault

Refuse = Callable[[str, int], list[str]]


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """The system gives no thread of this name, so many times; the names refused."""
    refused: list[str] = []
    start = threading.Thread.start

    def arrange(name: str, times: int) -> list[str]:
        def limited(thread: threading.Thread) -> None:
            if thread.name.startswith(name) and len(refused) < times:
                refused.append(thread.name)
                raise RuntimeError("can't start new thread")
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", limited)
        return refused

    return arrange


def run(pool: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One run of at most 3 shares; no thread may be left."""
    monkeypatch.setenv("MINER_HOME", str(home))
    flags = {"pool": (pool,), "user": ("u",), "backend": ("hashlib",), "idle": False}
    settings = config.load({**flags, "stop_after": ("3shares", "60s")}, {})
    before = set(threading.enumerate())
    try:
        Session(settings).mine()
    finally:
        names = {thread.name for thread in set(threading.enumerate()) - before}
        assert not [name for name in names if not name.startswith("Thread-")]


@pytest.mark.parametrize("name", ["engine", "journal", "worker", "pools"])
@fault("P18")
def test_no_thread_at_the_start_is_one_line(
    refuse: Refuse, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = refuse(name, 1)
    with FakePool() as pool, pytest.raises(MinerError, match="can't start new thread: raise the"):
        run(pool.url, tmp_path / "home", monkeypatch)
    assert refused


@pytest.mark.parametrize("name", ["signal guard", "forced exit", "node-accept"])
@fault("P18")
def test_no_thread_outside_the_engine_is_one_line(
    refuse: Refuse,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    refused = refuse(name, 1)
    monkeypatch.setenv("MINER_HOME", str(tmp_path))
    monkeypatch.setenv("MINER_IDLE", "no")
    monkeypatch.setattr(sys, "argv", ["miner", "mine", "--backend", "hashlib"])
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == 1
    last = capfd.readouterr().err.splitlines()[-1]
    assert last == "miner: can't start new thread: raise the limits on threads and memory"
    assert refused


@fault("P18")
def test_no_thread_at_the_stop_costs_nothing(
    refuse: Refuse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every open submit gets its answer, the journal is closed, nothing is raised."""
    stop, refused = Engine.stop, []

    def starved(engine: Engine) -> None:
        refused.append(refuse("", 10**9))
        stop(engine)
        assert engine.journal._fd < 0

    monkeypatch.setattr(Engine, "stop", starved)
    with FakePool() as pool:
        run(pool.url, tmp_path / "home", monkeypatch)
        assert len(pool.shares()) >= 3
    assert refused[0] == []  # none was even asked for


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
@pytest.mark.parametrize("mebibytes", [120, 300, 500, 600, 800])
@fault("P18")
def test_too_little_memory_is_no_traceback(tmp_path: Path, mebibytes: int) -> None:
    """A real limit. What cannot suffice is refused at once: running out in the middle of a call,
    Python 3.11 itself crashes, or raises an error of another function (seen at 120 MiB)."""
    limited = (
        "import os, resource, sys; resource.setrlimit(resource.RLIMIT_AS, 2 * ("
        f"{mebibytes} << 20,)); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    mine = ["-P", "-m", "miner", "mine", "--blocks", "2", "--stop-after", "10s"]
    done = subprocess.run(
        [sys.executable, "-c", limited, *mine],
        env={**os.environ, "MINER_HOME": str(tmp_path), "MINER_IDLE": "no"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stderr.splitlines()
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in (0, 1), done.stderr
    assert done.returncode == 0 or said[-1].startswith("miner: "), done.stderr
    if mebibytes < limits.NODE_MIB:
        what = "mining" if mebibytes < limits.MINING_MIB else "the built-in node"
        assert said[-1].startswith(f"miner: {what} needs "), done.stderr
        assert f" may have {mebibytes}: raise the limit" in said[-1]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@fault("P18")
def test_a_thread_without_memory_is_one_line_and_a_bug_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(threading, "excepthook", streams.thread_ended)

    def fail(error: Exception) -> str:
        def work() -> None:
            raise error

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return capfd.readouterr().err

    assert fail(MemoryError()) == streams.NO_MEMORY.decode()
    assert "Traceback" in fail(KeyError("a bug"))


@pytest.mark.parametrize(("name", "times"), [("pool 127", 3), ("resolve", 1)])
@fault("P18")
def test_no_thread_for_a_connection_is_tried_again(
    refuse: Refuse, name: str, times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = refuse(name, times)
    with FakePool() as pool:
        host = "localhost" if name == "resolve" else "127.0.0.1"
        run(f"{host}:{pool.port}", tmp_path / "home", monkeypatch)
        assert len(pool.shares()) >= 3
    assert len(refused) == times


@fault("P18")
def test_no_descriptor_for_a_connection_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even a wait may need one: the thread of the pool would end."""
    failures = [1, 2]

    class Limited(socket.socket):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            if failures and threading.current_thread().name.startswith("pool 127"):
                failures.pop()
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            super().__init__(*arguments, **options)

    def never(*_: Any) -> Any:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(socket, "socket", Limited)
    if hasattr(select, "epoll"):
        monkeypatch.setattr(select, "epoll", never)
    with FakePool() as pool:
        run(pool.url, tmp_path / "home", monkeypatch)
        assert len(pool.shares()) >= 3
    said = capsys.readouterr().err
    assert "Too many open files" in said
    assert "internal error" not in said
