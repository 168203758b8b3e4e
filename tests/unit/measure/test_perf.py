"""Counters of cycles and instructions, by the kernel's own: the clock of a thread's CPU time works
where hardware counters are closed, and takes their place here."""

import struct
import threading
import time
from collections.abc import Iterator

import pytest

from miner.backends.hashlib import HashlibBackend
from miner.measure import cases, perf
from miner.measure.threads import Threads


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nanoseconds on a CPU pass for cycles and for instructions."""
    try:
        perf.Counter(perf.SOFTWARE, perf.TASK_CLOCK).close()
    except OSError as error:
        pytest.skip(f"perf_event_open is closed here: {error}")
    monkeypatch.setattr(perf, "HARDWARE", perf.SOFTWARE)
    monkeypatch.setattr(perf, "CYCLES", perf.TASK_CLOCK)
    monkeypatch.setattr(perf, "INSTRUCTIONS", perf.TASK_CLOCK)


@pytest.fixture
def busy() -> Iterator[None]:
    """Another thread of this process that works all the while."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            sum(range(1000))

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


def burn(cpu_s: float) -> None:
    until = time.thread_time() + cpu_s
    while time.thread_time() < until:
        pass


def test_a_counter_is_of_the_thread_that_made_it(clock: None, busy: None) -> None:
    counters, begun = perf.ThreadCounters(), time.thread_time()
    before = counters.read()
    burn(0.02)
    counted, used = perf.between(before, counters.read()), time.thread_time() - begun
    counters.close()
    assert counted is not None
    assert counted.cycles * 1e-9 == pytest.approx(used, rel=0.1)
    assert counted.instructions == pytest.approx(counted.cycles, rel=0.2)
    assert counters.read() is None  # closed


def test_a_slice_holds_what_all_its_threads_counted(clock: None) -> None:
    made = Threads([HashlibBackend(), HashlibBackend()], cases.job("x", False), 1)
    ran = made.run(0.05)
    made.close()
    assert ran.counts is not None
    assert ran.counts.cycles * 1e-9 == pytest.approx(ran.cpu_s, rel=0.1)


def test_a_counter_that_took_turns_is_scaled_up(
    clock: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel tells for how long it was enabled, and for how long it counted."""
    counter = perf.Counter(perf.HARDWARE, perf.CYCLES)
    told = {(900, 400, 100): 3600, (900, 400, 400): 900, (0, 400, 0): 0}
    for numbers, events in told.items():
        monkeypatch.setattr("os.read", lambda fd, size, row=numbers: struct.pack("<QQQ", *row))
        assert counter.read() == events
    monkeypatch.undo()
    counter.close()


def test_where_it_is_closed_nothing_is_counted_and_the_reason_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "pdp11")
    assert perf.ThreadCounters().read() is None
    assert perf.why_not() == "cycles cannot be counted here: perf_event_open is Linux's"
    made = Threads([HashlibBackend()], cases.job("x", False), 1)
    assert made.run(0.01).counts is None
    made.close()
    assert perf.total([]) is None
    assert perf.total([perf.Counts(1, 2), perf.Counts(3, 4)]) == perf.Counts(4, 6)
