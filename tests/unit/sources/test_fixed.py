import struct
from dataclasses import replace

import pytest

from miner.sources.base import SourceState
from miner.sources.fixed import FixedSource, never_found
from miner.work.found import Answer, Share, Verdict
from miner.work.job import Job
from miner.work.unit import WorkUnit


class Sink:
    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.verdicts: list[Verdict] = []

    def job(self, job: Job) -> None:
        self.jobs.append(job)

    def verdict(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)

    def state(self, state: SourceState) -> None: ...

    def alarm(self, text: str) -> None: ...


def share(job: Job) -> Share:
    unit = WorkUnit(struct.pack("<I", 1) + bytes(72), (1,), job.target, job, b"", 1)
    return Share(unit, 1, 0, unit.header(1, 0), bytes(32))  # its hash field is not believed


@pytest.mark.parametrize(
    ("target", "answer"), [(2**256 - 1, Answer.ACCEPTED), (1, Answer.REJECTED)]
)
def test_shares_are_judged_by_their_header(target: int, answer: Answer) -> None:
    job, sink = replace(never_found(), share_target=target, network_target=target), Sink()
    source = FixedSource(job)
    source.start(sink)
    source.submit(share(job))
    assert sink.jobs == [job]
    assert [verdict.answer for verdict in sink.verdicts] == [answer]


def test_a_source_that_is_not_started_says_so() -> None:
    with pytest.raises(ValueError, match="not been started"):
        FixedSource(never_found()).give(never_found("2"))
