"""Replies of Stratum v1 pools, whatever their shape, in one form and in plain words.

Shapes seen: [code, text, trace], {code, message}, plain text, result false with a top-level
"reject-reason", and nothing at all. What we do not know is a rejection.
"""

import re
from dataclasses import dataclass

from miner.protocol.jsonline import Message
from miner.protocol.pool import PLAIN_WORDS, Reason
from miner.text import scrub
from miner.work.found import Answer

# The text decides before the code: pools agree more on words than on numbers.
BY_TEXT = (
    (Reason.DUPLICATE, r"dup"),
    (Reason.STALE, r"stale|job.?not.?found|invalid.?job|no.?such.?job|unknown.?job|old.?job"),
    (Reason.LOW_DIFFICULTY, r"low.?diff|above.?target|high.?hash|h.not.zero|difficulty.?too.?low"),
    (Reason.BAD_VERSION, r"version|mask"),
    (Reason.BAD_TIME, r"time"),
    (Reason.BAD_FIELD, r"nonce|length|malformed|missing|invalid.?param"),
    (Reason.UNAUTHORIZED, r"unauthori[sz]ed|not.?authori[sz]ed|worker|unknown.?user"),
    (Reason.NOT_SUBSCRIBED, r"not.?subscribed"),
    (Reason.UNKNOWN_WORK, r"unknown.?work"),
)
BY_CODE = {
    21: Reason.STALE,
    22: Reason.DUPLICATE,
    23: Reason.LOW_DIFFICULTY,
    24: Reason.UNAUTHORIZED,
    25: Reason.NOT_SUBSCRIBED,
}


@dataclass(frozen=True, slots=True)
class PoolError:
    """A pool's refusal: its code if it gave one, its words scrubbed and capped."""

    code: int | None
    text: str

    def __str__(self) -> str:
        return self.text if self.code is None else scrub(f"{self.text} ({self.code})")


def error_of(message: Message) -> PoolError | None:
    """The error of a reply, None when it reports none."""
    error = message.get("error")
    if type(error) is list and error:
        code = error[0] if type(error[0]) is int else None
        text = error[1] if len(error) > 1 else error[0]
        return PoolError(code, _words(text))
    if type(error) is dict and error:
        code = error.get("code")
        text = error.get("message", error.get("text"))
        return PoolError(code if type(code) is int else None, _words(text))
    if error:
        return PoolError(error if type(error) is int else None, _words(error))
    reason = message.get("reject-reason")
    return PoolError(None, _words(reason)) if reason else None


def share_error(message: Message) -> PoolError | None:
    """None when the pool took the share; anything but a plain true is a refusal."""
    error = error_of(message)
    if error is None and message.get("result") is not True:
        return PoolError(None, f"result {_words(message.get('result'))}")
    return error


def classify(error: PoolError) -> tuple[Answer, Reason, str]:
    """What the refusal of a share means: the answer, its fixed class, and plain words."""
    reason = next(
        (reason for reason, text in BY_TEXT if re.search(text, error.text, re.IGNORECASE)), None
    )
    if reason is None:
        reason = Reason.OTHER if error.code is None else BY_CODE.get(error.code, Reason.OTHER)
    answer = Answer.STALE if reason is Reason.STALE else Answer.REJECTED
    return answer, reason, f"{PLAIN_WORDS[reason]} (pool: {error})"


def _words(value: object) -> str:
    return scrub(value, 120) if value not in (None, "") else "no reason given"
