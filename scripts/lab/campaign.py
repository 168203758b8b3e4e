"""A run over all targets in several processes; and one guided by coverage (atheris)."""

import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from tests.fakes.broken.runner import Outcome, run
from tests.fakes.broken.targets import TABLE, Target

CHUNKS = 2  # each target's executions come in so many pieces with seeds of their own
WARM = 300  # executions before memory is measured


@dataclass
class Campaign:
    """What all targets together came to."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    growth_kib: int = 0  # of the process that grew most
    seconds: float = 0.0

    @property
    def executions(self) -> int:
        return sum(outcome.executions for outcome in self.outcomes.values())

    @property
    def failures(self) -> list[str]:
        return [f"{o.target}: {text}" for o in self.outcomes.values() for text in o.failures]

    def add(self, outcome: Outcome) -> None:
        whole = self.outcomes.setdefault(outcome.target, Outcome(outcome.target))
        whole.executions += outcome.executions
        whole.failures += outcome.failures
        whole.wrong += outcome.wrong
        whole.words = {**outcome.words, **whole.words}
        whole.slowest_s = max(whole.slowest_s, outcome.slowest_s)


def resident_kib() -> int:
    """Of this process, now; the most it ever had where the system cannot tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // 1024 if sys.platform == "darwin" else peak
    return pages * resource.getpagesize() // 1024


def piece(name: str, executions: int, seed: int, seconds: float) -> tuple[Outcome, int]:
    """One target in this process, and how much the process grew."""
    target = next(target for target in TABLE if target.name == name)
    run(target, WARM, seed + 1_000_000, 5.0)
    before = resident_kib()
    outcome = run(target, executions, seed, seconds)
    outcome.words = dict(list(outcome.words.items())[:200])
    return outcome, resident_kib() - before


def campaign(
    executions: int,
    seed: int,
    seconds: float,
    jobs: int = 2,
    names: Sequence[str] = (),
    say: Callable[[str], None] = lambda text: None,
) -> Campaign:
    """About so many executions over all targets, at most so many seconds."""
    chosen = [target for target in TABLE if not names or target.name in names]
    each = executions / sum(target.share for target in chosen) / CHUNKS
    deadline, total = time.monotonic() + seconds, Campaign()
    began = time.monotonic()
    # Fresh processes: what one target leaves behind does not count as the next one's growth.
    with ProcessPoolExecutor(jobs, get_context("spawn"), max_tasks_per_child=1) as pool:
        waiting = [
            pool.submit(piece, target.name, int(each * target.share) + 1, seed + part, seconds)
            for part in range(CHUNKS)
            for target in chosen
        ]
        for future in waiting:
            if time.monotonic() > deadline:
                future.cancel()
                continue
            outcome, growth = future.result()
            total.add(outcome)
            total.growth_kib = max(total.growth_kib, growth)
            for failure in outcome.failures[:3]:
                say(f"{outcome.target}: {failure}")
    total.seconds = time.monotonic() - began
    return total


def guided(target: Target, seconds: int, seed: int) -> None:
    """Coverage-guided by atheris, in this process, which ends with it; raises on a failure.

    Raises ImportError where atheris is not installed.
    """
    import atheris

    with atheris.instrument_imports(include=["miner"]):
        seeds, feed = target.load(random.Random(seed))
    folder = Path(tempfile.mkdtemp(prefix="guided-"))
    for number, data in enumerate(seeds):
        (folder / f"{number:04}").write_bytes(data)
    options = [f"-max_total_time={seconds}", f"-seed={seed % 2**31 or 1}", "-verbosity=0"]
    options += ["-max_len=4096", "-timeout=5", "-print_final_stats=1"]
    atheris.Setup(
        [sys.argv[0], *options, f"-artifact_prefix={folder}/bad-", str(folder)],
        lambda data: feed(data) and None,
    )
    atheris.Fuzz()
