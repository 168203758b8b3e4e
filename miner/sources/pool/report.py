"""What one pool's connection says to the engine: states for people, verdicts, jobs."""

from collections import Counter

from miner.sources.base import Health, SourceSink, SourceState
from miner.text import scrub
from miner.work.found import Verdict
from miner.work.job import Job

MOST_CHARS = 500  # of a text for people, the pool's part and ours
MAX_KINDS = 256
MAX_OF_A_CLASS = 16  # kinds that begin with the same word: the rest of it may be the pool's choice


class RepeatFilter:
    """Lets each kind of message through once, so that a peer can neither flood a log nor, by many
    kinds of one class, keep the others out of it."""

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._classes: Counter[str] = Counter()

    def is_new(self, kind: str) -> bool:
        """A kind is a word of ours, perhaps with more after a blank."""
        first = kind.partition(" ")[0]
        if kind in self._said or len(self._said) >= MAX_KINDS:
            return False
        if self._classes[first] >= MAX_OF_A_CLASS:
            return False
        self._said.add(kind)
        self._classes[first] += 1
        return True


class Report:
    """Names the pool in everything that is said, and scrubs it."""

    def __init__(self, name: str) -> None:
        self.name, self.health = name, Health.DOWN
        self.sink: SourceSink | None = None  # until the source starts
        self._filter = RepeatFilter()

    def state(self, health: Health, text: str, fatal: Exception | None = None) -> None:
        """A change of health."""
        self.health = health
        if self.sink is not None:
            self.sink.state(SourceState(self.name, health, scrub(text, MOST_CHARS), fatal))

    def say(self, kind: str, text: str) -> None:
        """One line for people, once for each kind."""
        if self._filter.is_new(kind):
            self.state(self.health, text)

    def alarm(self, kind: str, text: str) -> None:
        """The same for what people should act upon."""
        if self._filter.is_new(kind) and self.sink is not None:
            self.sink.alarm(scrub(f"{self.name}: {text}", MOST_CHARS))

    def job(self, job: Job) -> None:
        if self.sink is not None:
            self.sink.job(job)

    def verdict(self, verdict: Verdict) -> None:
        if self.sink is not None:
            self.sink.verdict(verdict)
