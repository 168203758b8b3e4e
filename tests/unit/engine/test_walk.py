"""From a job's arrival to its first scan six functions of the engine are entered, as it says."""

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from miner import engine as package
from miner.engine import current
from miner.sources.base import Health, SourceState
from tests.fakes.backend import FakeBackend
from tests.fakes.engine import NEVER, Bench, bench_in, job, until

HARD: dict[str, Any] = {"share_target": NEVER, "network_target": NEVER}
PAGE = (Path(__file__).parents[3] / "miner" / "ARCHITECTURE.md").read_text(encoding="utf-8")
FOLDER = str(Path(package.__file__).parent)


@pytest.fixture
def entered(tmp_path: Path) -> Iterator[tuple[Bench, list[str]]]:
    """An engine whose threads note each function of miner/engine/ they enter."""
    names: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(FOLDER):
            names.append(f"{threading.current_thread().name}: {frame.f_code.co_qualname}")

    threading.setprofile(note)
    try:
        with bench_in(tmp_path) as bench:
            yield bench, names
    finally:
        threading.setprofile(None)
        sys.setprofile(None)


def test_the_walk_from_a_job_to_its_first_scan(entered: tuple[Bench, list[str]]) -> None:
    bench, names = entered
    armed = threading.Event()
    seen: list[str] = []

    def note_first(backend: FakeBackend) -> None:
        if armed.is_set() and not seen:
            seen.extend(names)

    engine = bench.run(FakeBackend("one", note_first))
    engine.job(job("first of its session", **HARD))
    until(lambda: engine.status.hashes)
    engine.state(SourceState("scripted", Health.WAITING, "no work"))
    until(lambda: engine.current.current is None and engine.supervisor.workers[0].call is None)
    time.sleep(0.05)  # the worker sleeps in `wait`
    armed.set()
    names.clear()
    source = threading.Thread(target=engine.job, args=(job("b", **HARD),), name="source")
    source.start()
    source.join()
    until(lambda: seen)
    began, taken = seen.index("engine: Loop.take_job"), seen.index("engine: CurrentWork.take")
    engines = [name for name in seen[began : taken + 1] if name.startswith("engine")]
    workers = [name for name in seen[taken:] if name.startswith("worker")]
    sources = [name for name in seen if name.startswith("source")]
    walk = [name.partition(": ")[2] for name in sources + engines + workers]
    assert walk == ["Engine.job", "Loop.take_job", "CurrentWork.take", "Generation.next_unit",
                    "Worker._scan_unit", "Sizer.count"]  # fmt: skip
    for text in (current.__doc__, PAGE.partition("six functions")[2]):
        told = [text.index(name) for name in walk]
        assert told == sorted(told)
