"""Blocks whose fate the source could not tell: it is asked again, later and later."""

from miner.work.found import Answer, Verdict

RETRY_S = (5.0, 60.0)  # first and longest pause before asking again after "unknown"


class Unanswered:
    """When to ask for which block. Times are monotonic and passed in."""

    def __init__(self) -> None:
        self._due: dict[str, tuple[float, float]] = {}  # block hash: (due, pause)

    def verdict(self, verdict: Verdict, now: float) -> None:
        if verdict.final or not verdict.is_block:
            self._due.pop(verdict.hash_hex, None)
        elif verdict.answer is Answer.UNKNOWN:
            _, pause = self._due.get(verdict.hash_hex, (0.0, RETRY_S[0] / 2))
            pause = min(2 * pause, RETRY_S[1])
            self._due[verdict.hash_hex] = (now + pause, pause)

    def waits(self, hash_hex: str) -> bool:
        """Was the last answer on this block that nobody knows?"""
        return hash_hex in self._due

    def take_due(self, now: float) -> set[str]:
        """Hashes to ask for now; each comes again after the longest pause."""
        due = {name for name, (at, _) in self._due.items() if at <= now}
        for name in due:
            self._due[name] = (now + RETRY_S[1], self._due[name][1])
        return due
