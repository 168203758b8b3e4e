"""Shares and blocks of a run: found, answered, the best of them, and luck.

Not thread-safe: its owner holds a lock.
"""

import math
import time

from miner.bitcoin.target import expected_hashes
from miner.state.answers import Answers, Aside
from miner.state.best import Best, shown_best
from miner.state.luck import LuckMeter, sigmas
from miner.state.newest import Newest
from miner.state.snapshot import BlocksRow, LastBlock, SharesRow
from miner.work.found import Answer, Share, Verdict


class ShareBook:
    """Counts what was found and what became of it."""

    def __init__(self, best: Best) -> None:
        self.answers, self.best, self.luck = Answers(), best, LuckMeter()
        self.found = self.blocks_found = 0
        self.last_block: LastBlock | None = None
        self.newest = Newest()
        self._work = 0.0  # hashes that the shares found stand for

    def share(self, share: Share) -> None:
        """Count a confirmed hit."""
        self.answers.found(share.hash_hex)
        self.found += 1
        self._work += float(expected_hashes(share.unit.target))
        self.best.share(share)
        self.blocks_found += share.is_block
        self.newest.share(share, self.found, self.luck.expected)

    def verdict(self, verdict: Verdict) -> Verdict | None:
        """As Answers.take."""
        if verdict.is_block:  # one that was sent: of a flood most are surplus
            self.last_block = LastBlock(
                verdict.hash_hex, verdict.height, time.time(), verdict.answer.value, verdict.source
            )
        before = self.answers.take(verdict)
        if before is not None:
            self.newest.answer(verdict)
        return before

    def set_aside(self, hash_hex: str, counter: Aside) -> None:
        """Count a found share that is not sent."""
        self.answers.set_aside(hash_hex, counter)
        self.newest.set_aside(hash_hex, counter)

    def sigmas(self, hashes: int) -> float | None:
        return sigmas(self._work, hashes, self.found)

    def row(self, elapsed_s: float) -> SharesRow:
        answers, found = self.answers, self.found
        rate_hs = self._work / elapsed_s if found and elapsed_s else None
        return SharesRow(
            found=found,
            accepted=answers.counts[Answer.ACCEPTED],
            rejected=answers.counts[Answer.REJECTED],
            rejected_reasons=answers.reasons.most_common(),
            stale=answers.counts[Answer.STALE],
            unknown=answers.counts[Answer.UNKNOWN],
            pending=answers.pending,
            dropped=answers.aside["dropped"],
            surplus=answers.aside["surplus"],
            not_sent=answers.aside["not_sent"] + answers.counts[Answer.NOT_SENT],
            rate_hs=rate_hs,
            rate_error_hs=rate_hs / math.sqrt(found) if rate_hs else None,
            best_session=shown_best(self.best.session),
            best_ever=shown_best(self.best.ever),
            latency_last_s=answers.latencies.last_s,
            latency_median_s=answers.latencies.median_s,
            best=self.best.shares(),
        )

    def blocks(self, waiting: int) -> BlocksRow:
        blocks = self.answers.blocks
        return BlocksRow(
            found=self.blocks_found,
            accepted=blocks[Answer.ACCEPTED],
            rejected=blocks[Answer.REJECTED],
            waiting=waiting,
            last=self.last_block,
        )
