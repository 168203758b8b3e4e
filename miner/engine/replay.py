"""Blocks of earlier runs: offered to the source until their fate is known, named while they wait.

The source decides where a block can be taken: a node that knows its parent, a pool session with
its extranonce1, a template provider on its parent. What it cannot take it answers with PENDING and
the reason, which costs nothing; it is asked again now and then, and when a new session begins.
Extranonces may be the same at two pools, so only the pool that a block was found for can refuse it
for good.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from miner.journal import Left
from miner.protocol.stratum.session import KIND as STRATUM
from miner.protocol.sv2.template import KIND as TEMPLATE
from miner.sources.base import WorkSource
from miner.state.events import Event, JournalWarned
from miner.work.found import Answer, FoundBlock, Verdict
from miner.work.job import Job

ASK_AGAIN_S = 60.0
FIRST_WORD_S = 10.0  # so long after the start whatever waits is named
AT_ONCE = 200  # blocks offered and not answered: a source's queue is bounded
MOST_LINES = 20
OF_SESSIONS = (STRATUM, TEMPLATE)  # kinds that only a session can take
NOT_ASKED = "it was not answered yet"
Session = tuple[str, int]  # a source's name, and its number there


@dataclass(slots=True)
class Waiting:
    """A block of an earlier run without a final verdict."""

    block: FoundBlock
    file: Path
    why: str = ""  # what it waits for, in the source's words; empty: not answered yet
    offered: float | None = None  # monotonic
    session: Session | None = None  # that was known when it was offered
    hopeless: bool = False  # this run's pool is another one, and does not know it
    told: str = ""  # what the user was told that it waits for

    def is_due(self, now: float) -> bool:
        """Never offered, or answered long ago."""
        if self.offered is None:
            return True
        return bool(self.why) and not self.hopeless and now - self.offered > ASK_AGAIN_S

    @property
    def of_session(self) -> bool:
        """May the source's answer be another one in another session?"""
        return self.block.kind in OF_SESSIONS

    def has_news(self) -> bool:
        """Should the user be told, or told better?"""
        return not self.told or (self.told == NOT_ASKED and bool(self.why))

    def is_strange_to(self, source: str) -> bool:
        """Was it found for another pool than this?"""
        return self.block.kind == STRATUM and self.block.source != source


class Replay:
    """What earlier runs left, in the hands of this one. For the engine's thread."""

    def __init__(
        self,
        left: Iterable[Left],
        source: WorkSource,
        tell: Callable[[Event], None],
        clock: Callable[[], float],
    ) -> None:
        self._waiting = {block.hash_hex: Waiting(block, file) for block, file in left}
        self.earlier = frozenset(self._waiting)  # hashes
        self._source, self._tell, self._clock = source, tell, clock
        self._began = clock()
        self._session: Session | None = None  # whose job came last

    @property
    def asking(self) -> bool:
        """Is the first word on some block still to come?"""
        return any(not waiting.why for waiting in self._waiting.values())

    def waits(self, hash_hex: str) -> bool:
        """Is the fate of this block of an earlier run open?"""
        return hash_hex in self._waiting

    def job(self, job: Job) -> None:
        """A new session may have an old extranonce1, or know the parent: ask again at once what was
        answered. What is on its way may have gone there already."""
        if self._session == (job.source, job.session):
            return
        self._session = job.source, job.session
        for waiting in self._waiting.values():
            if waiting.of_session and waiting.why and not waiting.hopeless:
                waiting.offered, waiting.why = None, ""
        self.offer()

    def verdict(self, verdict: Verdict) -> bool:
        """Note what the source says; True when it concerns nobody else: the block just waits."""
        waiting = self._waiting.get(verdict.hash_hex)
        if waiting is None:
            return False
        refused = verdict.final and verdict.answer is not Answer.ACCEPTED
        if refused and waiting.is_strange_to(verdict.source):
            waiting.hopeless = True
            waiting.why = f"it needs pool {waiting.block.source}; {verdict.source} refuses it"
            return True
        if verdict.final:
            del self._waiting[verdict.hash_hex]
            return False
        waiting.why = verdict.explanation or verdict.reason or verdict.answer.value
        pending = verdict.answer is Answer.PENDING
        if pending and waiting.of_session and waiting.session != self._session:
            waiting.offered, waiting.why = None, ""  # said before the session began: ask that
        return pending

    def offer(self) -> None:
        """Hand the source what is due, not too many at once."""
        now = self._clock()
        known = self._waiting.values()
        room = AT_ONCE - sum(w.offered is not None and not w.why for w in known)
        due = [w for w in known if w.is_due(now)][: max(room, 0)]
        for waiting in due:
            waiting.offered, waiting.session = now, self._session
        for waiting in due:
            self._source.send(waiting.block)

    def tick(self, now: float) -> None:
        """Offer what is due; once all are answered, or after a while, name what waits. What was
        not answered then is named again when its reason is known."""
        self.offer()
        if now - self._began < FIRST_WORD_S and (self._session is None or self.asking):
            return
        news = [waiting for waiting in self._waiting.values() if waiting.has_news()]
        for waiting in news:
            waiting.told = waiting.why or NOT_ASKED
        for event in named((waiting.file, waiting.block, waiting.told) for waiting in news):
            self._tell(event)


def named(left: Iterable[tuple[Path, FoundBlock, str]]) -> list[Event]:
    """One line for each file and reason: which blocks wait there, and for what."""
    groups: dict[tuple[Path, str], list[FoundBlock]] = {}
    for file, block, why in left:
        groups.setdefault((file, why), []).append(block)
    events: list[Event] = []
    for (file, why), blocks in list(groups.items())[:MOST_LINES]:
        first = blocks[0]
        height = "" if first.height is None else f" {first.height}"
        more = "" if len(blocks) == 1 else f" and {len(blocks) - 1} more"
        text = f"journal {file}: block{height} {first.hash_hex}{more} waits: {why}"
        events.append(JournalWarned(text, str(file), first.hash_hex, len(blocks), why))
    if len(groups) > MOST_LINES:
        text = f"journal: blocks wait for {len(groups) - MOST_LINES} more reasons like these"
        events.append(JournalWarned(text))
    return events
