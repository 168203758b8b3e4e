"""--on-event: real commands of a shell; the time is passed in."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from miner.state.events import Alarm, BlockFound, Event, JobArrived, Paused, ShareAnswered
from miner.views.hook import LONGEST_S, MOST_WAITING, Hook
from tests.fakes.engine import until
from tests.unit.views.web.kit import status

BLOCK = BlockFound("ab" * 32, 9, 1.0)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A hook whose command appends what it is told to a file."""

    def __init__(self, folder: Path, command: str = "cat >> {file}") -> None:
        self.file, self.clock = folder / "told", Clock()
        self.complaints: list[str] = []
        self.hook = Hook(command.format(file=self.file), self.complaints.append, self.clock)
        self.now = status().snapshot(1.0)

    def told(self) -> list[dict[str, object]]:
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def until(self, count: int) -> None:
        """Tick as a run does until so many events were told."""

        def enough() -> bool:
            self.hook.tick(self.now)
            return len(self.told()) >= count

        until(enough)


Make = Callable[..., Bench]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Benches whose commands have ended before the test does."""
    made: list[Bench] = []

    def bench(command: str = "cat >> {file}") -> Bench:
        made.append(Bench(tmp_path, command))
        return made[-1]

    yield bench
    for one in made:
        one.hook.finish(20.0)


@pytest.fixture
def bench(make: Make) -> Bench:
    return make()


def test_blocks_and_alarms_are_told_and_nothing_else(bench: Bench) -> None:
    share = ShareAnswered("h", 1, "accepted", "", "", 0.1, 1.0, "a pool")
    others: list[Event] = [share, Paused(True), JobArrived("a", "1", 9, True, "0", "0")]
    for event in (*others, BLOCK, Alarm("the disk is full")):
        bench.hook.event(event)
    bench.until(2)
    first, second = bench.told()
    assert (first["type"], first["hash"], first["height"]) == ("found", "ab" * 32, 9)
    assert first["text"] and first["missed"] == 0
    assert (second["type"], second["text"]) == ("alarm", "the disk is full")


def test_a_new_best_is_told_with_what_checks_it(bench: Bench) -> None:
    bench.hook.tick(bench.now)  # the best of earlier runs is no news
    better = replace(bench.now.shares, best_ever=(bench.now.shares.best_ever or 0) * 2)
    bench.now = replace(bench.now, shares=better)
    bench.until(1)
    (told,) = bench.told()
    assert (told["type"], told["difficulty"]) == ("best_share", better.best_ever)
    assert len(str(told["header"])) == 160


def test_one_at_a_time_and_the_rest_is_counted(make: Make) -> None:
    command = "mkdir {file}.busy && cat >> {file} && sleep 0.05 && rmdir {file}.busy"
    bench = make(command)
    for _ in range(1 + MOST_WAITING + 5):
        bench.hook.event(BLOCK)
    bench.until(1 + MOST_WAITING)
    assert bench.complaints == []  # two at once would fail at mkdir
    bench.hook.event(BLOCK)
    bench.until(2 + MOST_WAITING)
    assert [one["missed"] for one in bench.told()].count(5) == 1


def test_ten_seconds_then_it_is_ended(make: Make) -> None:
    bench = make("echo $$ > {file}.pid; sleep 600 & sleep 600")
    bench.hook.event(BLOCK)
    pid = Path(f"{bench.file}.pid")
    until(lambda: pid.exists() and pid.read_text().strip())
    bench.clock.now = LONGEST_S - 0.1
    bench.hook.tick(bench.now)
    assert bench.complaints == []
    bench.clock.now = LONGEST_S
    bench.hook.tick(bench.now)
    assert "took longer than 10 s" in bench.complaints[0]
    until(lambda: not Path(f"/proc/{pid.read_text().strip()}").exists())


@pytest.mark.parametrize("command", ["exit 3", "/no/such/program"])
def test_a_command_that_fails_is_named_once(make: Make, command: str) -> None:
    bench = make(command)
    for _ in range(3):
        bench.hook.event(BLOCK)

    def complained() -> list[str]:
        bench.hook.tick(bench.now)
        return bench.complaints

    until(complained)
    bench.hook.finish(5.0)
    assert len(bench.complaints) == 1 and "ended with code" in bench.complaints[0]


def test_secrets_are_not_handed_on(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINER_PASSWORD", "hunter22")
    bench = make("env > {file}.env; cat >> {file}")
    bench.hook.event(BLOCK)
    bench.until(1)
    assert "hunter22" not in Path(f"{bench.file}.env").read_text()


def test_a_command_that_reads_nothing(make: Make) -> None:
    bench = make("true")
    for _ in range(5):
        bench.hook.event(BLOCK)
    began = time.monotonic()
    bench.hook.close(bench.now)
    assert time.monotonic() - began < 1.0
    bench.hook.finish(5.0)
    assert bench.complaints == []
