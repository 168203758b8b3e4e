"""The computer slept: a jump of the wall clock against the monotonic one."""

import time

import pytest

from tests.fakes.node import FakeNode
from tests.fakes.sink import Sink
from tests.faults import fault
from tests.unit.sources.test_gbt import Run


@fault("P08")
def test_a_jump_of_the_clock_means_a_fresh_connection_and_template(
    node: FakeNode, sink: Sink, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    connects: list[str] = []
    node.watch = lambda step, method: connects.append(step) if step == "connect" else None
    run(node, retries=0)  # a sleep is no failed try
    sink.job_at(1)
    sink.wait(lambda: len(connects) >= 2)
    before, jobs, real = len(connects), len(sink.jobs), time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600.0)
    sink.wait(lambda: len(connects) > before)
    sink.wait(lambda: len(sink.jobs) > jobs)
    sink.wait(lambda: any("slept" in state.text for state in sink.states))
