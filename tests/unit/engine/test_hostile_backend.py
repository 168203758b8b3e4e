"""What a broken driver may do: no hit beside its nonsense is lost. Faults B03, B14, P18."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from miner.backends.base import Hit, Scannable, ScanResult
from miner.views.sentences import sentence
from tests.fakes.backend import FakeBackend, is_work
from tests.fakes.engine import NEVER, SHARES, Bench, bench_in, job, until
from tests.faults import fault


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as made:
        yield made


class Liar(FakeBackend):
    """Changes what its scans of a job's units say, once they have found something."""

    def __init__(self, lie: Callable[[ScanResult, Scannable], Any]) -> None:
        super().__init__("liar")
        self.lie = lie
        self.truth: list[Hit] = []

    def scan(self, unit: Scannable, start: int, count: int) -> ScanResult:
        result = super().scan(unit, start, count)
        if not is_work(unit.prefix) or not result.hits or self.truth:
            return result
        self.truth = list(result.hits)
        lie: ScanResult = self.lie(result, unit)
        return lie


ANY_HIT: Any = Hit  # the types say what a driver should report, not what it does
NONSENSE = [
    ANY_HIT(0, -1), ANY_HIT(0, 2**32), ANY_HIT(-1, 0), ANY_HIT(2**40, 0), ANY_HIT(0, 1.5),
    ANY_HIT("a", None), None, 7,
]  # fmt: skip


@pytest.mark.parametrize("nonsense", NONSENSE)
@fault("B03")
def test_a_block_beside_an_impossible_hit_is_sent(bench: Bench, nonsense: Any) -> None:
    liar = Liar(lambda result, _: ScanResult((nonsense, *result.hits), result.hashes))
    bench.run(liar)
    bench.source.sink.job(job())
    until(lambda: bench.source.submitted)
    assert bench.source.submitted[0].nonce == liar.truth[0].nonce
    until(lambda: "outside of what was asked" in bench.alarms())
    until(lambda: bench.reopened == ["liar"])


@fault("B03")
def test_a_share_with_a_version_nobody_asked_for_is_not_sent(bench: Bench) -> None:
    def other_versions(result: ScanResult, unit: Scannable) -> ScanResult:
        hits = (Hit(version, 0) for version in range(0x3FFF0000, 0x3FFF2000))  # some hash well
        return ScanResult((*hits, *result.hits), result.hashes)

    liar = Liar(other_versions)
    bench.run(liar)
    bench.source.sink.job(job(share_target=SHARES, network_target=NEVER))
    until(lambda: len(bench.source.submitted) > 2)
    for share in bench.source.submitted:
        assert share.version in share.unit.versions
    until(lambda: "outside of what was asked" in bench.alarms())


@pytest.mark.parametrize("hashes", [0, -2, 2**70, 2.0, float("nan"), None, True, "many"])
@fault("B03")
def test_a_block_beside_an_impossible_count_is_sent(bench: Bench, hashes: Any) -> None:
    liar = Liar(lambda result, _: ScanResult(result.hits, hashes))
    bench.run(liar)
    bench.source.sink.job(job())
    until(lambda: bench.source.submitted)
    assert bench.source.submitted[0].nonce == liar.truth[0].nonce
    until(lambda: f"counted {hashes!r} hashes, impossible" in bench.alarms())
    assert type(bench.status.hashes) is int


class Odd(BaseException):
    """Not even an Exception."""


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "error",
    [MemoryError(), RecursionError("deep"), OSError(5, "io"), SystemExit(3), KeyboardInterrupt(),
     GeneratorExit(), StopIteration(), AssertionError(), Odd("\x1b[2J\nforged line")],
)  # fmt: skip
@fault("P18")
def test_whatever_a_driver_raises_is_named_in_one_line_and_it_starts_again(
    bench: Bench, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    escaped: list[object] = []
    monkeypatch.setattr("threading.excepthook", escaped.append)
    monkeypatch.setattr(sys, "unraisablehook", escaped.append)

    def fail(backend: FakeBackend) -> None:
        if backend.mining == 3:
            raise error

    bench.run(FakeBackend("x", fail))
    bench.source.sink.job(job(share_target=NEVER, network_target=NEVER))
    until(lambda: bench.reopened == ["x"])
    until(lambda: f"x: {type(error).__name__}" in bench.alarms())
    assert all(sentence(event).isprintable() for event in bench.events)
    assert not escaped


@pytest.mark.parametrize("result", [None, (), ScanResult(7, 2)])  # type: ignore[arg-type]
@fault("P18")
def test_a_result_of_the_wrong_shape_ends_nothing(bench: Bench, result: Any) -> None:
    liar = Liar(lambda *_: result)
    bench.run(liar)
    bench.source.sink.job(job(share_target=SHARES, network_target=NEVER))
    until(lambda: "liar: " in bench.alarms() or "pipeline: " in bench.alarms())
    until(lambda: bench.status.hashes > 100_000)
