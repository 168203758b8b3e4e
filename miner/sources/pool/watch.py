"""Small judges of a pool: how long to wait, how many rejects are too many, what was said before."""

import random
from collections import Counter, deque
from dataclasses import dataclass

from miner.errors import SourceRefused
from miner.transport.urls import PoolUrl
from miner.work.found import Answer, Verdict

REJECT_WINDOW = 20  # verdicts looked at
WARN_REJECTS, FAIL_REJECTS = 2, 10  # 10 % and 50 % of them
MAX_KINDS = 256
MAX_OF_A_CLASS = 16  # kinds that begin with the same word: the rest of it may be the pool's choice


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a visit to the pool ended."""

    why: str
    at_once: bool = False  # a second try needs no pause
    misbehaved: bool = False  # to be left alone for a while
    hung_up: bool = False  # closed before it said a word, perhaps for mining.configure
    refused: SourceRefused | None = None
    redirect: tuple[PoolUrl, float] | None = None  # where to, after how many seconds


class Backoff:
    """Exponential delays with full jitter: any time up to a bound that doubles."""

    def __init__(self, least_s: float, most_s: float, dice: random.Random) -> None:
        self._least_s, self._most_s, self._dice = least_s, most_s, dice
        self.failures = 0  # in a row

    def next_s(self) -> float:
        """The next delay."""
        bound = min(self._most_s, self._least_s * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return self._dice.uniform(0.0, bound)

    def reset(self) -> None:
        self.failures = 0


class RejectWatch:
    """Notices when too many of the last 20 shares were refused. Stale ones are nobody's fault."""

    def __init__(self) -> None:
        self._refused: deque[bool] = deque(maxlen=REJECT_WINDOW)
        self._warned = False

    def add(self, verdict: Verdict) -> str:
        """ "" when all is well, "warn" once at 10 %, "fail" at 50 %."""
        if verdict.answer not in (Answer.ACCEPTED, Answer.REJECTED):
            return ""
        self._refused.append(verdict.answer is Answer.REJECTED)
        refused = sum(self._refused)
        if len(self._refused) < REJECT_WINDOW:
            return ""
        if refused >= FAIL_REJECTS:
            self._refused.clear()
            self._warned = False
            return "fail"
        warn = refused >= WARN_REJECTS and not self._warned
        self._warned = refused >= WARN_REJECTS
        return "warn" if warn else ""


class Sayings:
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
