"""hashlib on every core: who gets a process, what crosses the pipe, and how a process ends.

That its answers are right is the common suite's: where there are two cores, it asks a process.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

from miner.backends import hashlib, registry
from miner.backends.base import Backend, Hit, OpenOptions
from miner.backends.hashlib import HashlibBackend, HashlibProcess
from miner.backends.selftest import GENESIS, real_block
from miner.devices import cpu
from miner.errors import BackendFault
from miner.measure import cases
from miner.measure.threads import Threads

BLOCK = real_block(GENESIS, 0)
NONCE = int.from_bytes(GENESIS[76:], "little")


@pytest.fixture
def process() -> Iterator[HashlibProcess]:
    backend = HashlibProcess()
    yield backend
    backend.close()


def opened(workers: int, tmp_path: Path, said: list[str] | None = None) -> Backend:
    say = (said if said is not None else []).append
    return hashlib.PROVIDER.open("hashlib", OpenOptions(tmp_path, say, workers=workers))


@pytest.mark.parametrize(
    ("cores", "workers", "wanted"),
    [
        (1, 1, HashlibBackend),
        (1, 2, HashlibBackend),
        (2, 1, HashlibBackend),
        (2, 2, HashlibProcess),
    ],
)
def test_several_workers_on_several_cores_get_a_process_each(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cores: int, workers: int, wanted: type
) -> None:
    monkeypatch.setattr(cpu, "cores", lambda: cores)
    backend = opened(workers, tmp_path)
    assert type(backend) is wanted
    (row,) = hashlib.PROVIDER.probe()
    assert row.parallel is (cores > 1)
    backend.close()


def test_mining_opens_one_for_each_core(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cpu, "cores", lambda: 2)
    backends = registry.open_choice(["hashlib"], None, OpenOptions(tmp_path))
    assert [type(backend) for backend in backends] == [HashlibProcess] * 2
    pids = {backend.pid for backend in backends if isinstance(backend, HashlibProcess)}
    assert len(pids | {os.getpid()}) == 3
    for backend in backends:
        backend.close()


def test_no_process_to_be_had_is_said_and_the_worker_hashes_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def none(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(cpu, "cores", lambda: 2)
    monkeypatch.setattr(subprocess, "Popen", none)
    said: list[str] = []
    assert type(opened(2, tmp_path, said)) is HashlibBackend
    assert len(said) == 1 and "no process for a worker" in said[0]


class Counted:
    """A pipe that counts what goes into it."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self.pipe, self.sizes = pipe, [0]

    def write(self, data: bytes) -> int:
        self.sizes[-1] += len(data)
        return self.pipe.write(data)

    def flush(self) -> None:
        self.pipe.flush()
        self.sizes.append(0)

    def close(self) -> None:
        self.pipe.close()


def test_the_childs_cpu_time_is_told(process: HashlibProcess) -> None:
    """So that a benchmark counts it as the worker's."""
    process.scan(BLOCK, 0, 10)
    before = process.elsewhere_s
    process.scan(BLOCK, 0, 20_000)
    assert 0 < before < process.elsewhere_s
    assert process.elsewhere_s <= sum(psutil.Process(process.pid).cpu_times()[:2]) + 0.02


def test_a_benchmark_counts_it(process: HashlibProcess) -> None:
    process.scan(BLOCK, 0, 10)
    before = process.elsewhere_s
    ran = Threads([process], cases.job(1, rolling=False), 1).run(0.1)
    assert ran.hashes > 0 and ran.counts is None
    assert ran.cpu_s >= process.elsewhere_s - before > 0


def test_a_job_crosses_once_and_a_scan_is_two_integers(process: HashlibProcess) -> None:
    child: Any = process._child
    counted = child.stdin = Counted(child.stdin)
    for start in (0, 1000, NONCE - 5):
        found = process.scan(BLOCK, start, 10)
    assert found.hits == (Hit(1, NONCE),) and found.hashes == 10
    assert counted.sizes == [16 + 76 + 32 + 4 + 16, 16, 16, 0]


@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
def test_a_killed_child_is_a_fault_of_the_backend(process: HashlibProcess) -> None:
    process.scan(BLOCK, 0, 10)
    os.kill(process.pid, signal.SIGKILL)
    process._child.wait(10)
    for _ in range(2):
        with pytest.raises(BackendFault, match="its process ended with -9"):
            process.scan(BLOCK, 0, 10)
    process.close()
    process.close()


def test_close_ends_the_child() -> None:
    backend = HashlibProcess()
    child = psutil.Process(backend.pid)
    backend.close()
    assert not child.is_running()


@pytest.mark.skipif(os.name == "nt", reason="process groups")
def test_ctrl_c_is_the_parents_business(process: HashlibProcess) -> None:
    process.scan(BLOCK, 0, 10)
    assert os.getpgid(process.pid) != os.getpgid(0)
    os.kill(process.pid, signal.SIGINT)
    assert process.scan(BLOCK, NONCE, 1).hits == (Hit(1, NONCE),)


PARENT = """
import threading, time
from miner.backends.hashlib import HashlibProcess
from miner.backends.selftest import GENESIS, real_block
backends = [HashlibProcess() for _ in range(2)]
for backend in backends:
    backend.scan(real_block(GENESIS, 0), 0, 10)
def work(backend):
    while True:
        backend.scan(real_block(GENESIS, 0), 0, 20000)
for backend in backends:
    threading.Thread(target=work, args=(backend,), daemon=True).start()
print(*(backend.pid for backend in backends), flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_no_orphan_after_kill_9_of_the_parent() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-P", "-c", PARENT], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
    assert len(children) == 2 and all(child.is_running() for child in children)
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 20
    while any(map(alive, children)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(alive, children))


def alive(process: psutil.Process) -> bool:
    """Running, and not only waiting for whoever adopted it to look."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
