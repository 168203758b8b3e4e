"""The guard of a run whose main thread does not look at signals. Fault P01."""

import os
import signal
import threading

import pytest

from miner import signals
from tests.faults import fault


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Exit codes of a process that would have ended; the waits are short."""
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    monkeypatch.setattr(signals, "NOTICE_S", 0.2)
    monkeypatch.setattr(signals, "START_S", 0.4)
    return codes


def guarded() -> signals.Signals:
    made = signals.Signals(lambda: None, lambda: 4)
    made.starting = False
    signal.raise_signal(signal.SIGTERM)
    assert made.asked
    return made


@fault("P01")
def test_a_run_that_looks_in_time_is_left_alone(exits: list[int]) -> None:
    made = guarded()
    made.notice()
    made._guard.join(5.0)
    made.restore()
    assert exits == []


@fault("P01")
def test_a_stuck_start_is_ended(exits: list[int]) -> None:
    made = guarded()
    made._guard.join(5.0)
    made.restore()
    assert exits == [4]  # the run's error, not the signal, decides


@fault("P01")
def test_a_run_that_looks_late_ends_by_itself(exits: list[int]) -> None:
    """A busy machine: what is left to tidy up is tidied up."""
    made = guarded()
    threading.Timer(0.3, made.notice).start()
    made._guard.join(5.0)
    made.restore()
    assert exits == []


def test_a_stop_that_takes_too_long_ends_with_the_code_of_the_runs_error(exits: list[int]) -> None:
    code = [0]
    forced = signals.ForcedExit(lambda: code[0])
    forced.within(60.0)
    forced.within(0.2)
    code[0] = 5  # the run failed meanwhile
    forced._thread.join(5.0)
    assert exits[0] == 5


def test_a_stop_in_time_is_not_forced(exits: list[int]) -> None:
    forced = signals.ForcedExit(lambda: 4)
    forced.within(0.2)
    forced.cancel()
    assert not forced._thread.is_alive()
    assert exits == []


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="POSIX")
@fault("P01")
def test_nohup_keeps_its_promise() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert signal.SIGHUP not in signals.stop_numbers()
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        assert signal.SIGHUP in signals.stop_numbers()
    finally:
        signal.signal(signal.SIGHUP, before)
