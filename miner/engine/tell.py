"""Jobs, blocks and verdicts as events."""

import time

from miner.engine.pool_blocks import facts, taken_event
from miner.sources.base import Health, SourceState
from miner.status import Event
from miner.text import scrub
from miner.work.found import Answer, Share, Verdict
from miner.work.job import Job


def job_event(job: Job) -> Event:
    where = "" if job.height is None else f", height {job.height}"
    data = {
        "job_id": scrub(job.job_id),
        "height": job.height,
        "clean": job.clean,
        "version_mask": f"{job.version_mask:08x}",
        "nbits": f"{job.nbits:08x}",
    }
    return Event("job", f"new job from {job.source}{where}", data=data)


def state_event(state: SourceState) -> Event:
    data = {"source": state.source, "health": state.health.value}
    text = state.text if state.source in state.text else f"{state.source}: {state.text}"
    good = state.health in (Health.READY, Health.CONNECTING)
    return Event("state", text, "info" if good else "warning", data)


def found_event(share: Share) -> Event:
    job = share.unit.job
    where = "" if job.height is None else f" at height {job.height}"
    data = {"hash": share.hash_hex, "height": job.height, "found_at_s": time.time()}
    return Event("found", f"block found{where}: {share.hash_hex}", data=data)


def verdict_event(verdict: Verdict) -> Event:
    """One line: what, where, the answer, the source's word and its meaning."""
    good = verdict.answer is Answer.ACCEPTED
    if good and verdict.is_block and verdict.of_share:
        return taken_event(verdict)
    kind = "block" if verdict.is_block else "share"
    where = "" if verdict.height is None else f" {verdict.height}"
    took = "" if verdict.latency_s is None else f" ({1000 * verdict.latency_s:.0f} ms)"
    answer = verdict.answer.value
    words = [word for word in (verdict.reason, verdict.explanation) if word and word != answer]
    why = f": {', '.join(words)}" if words else ""
    text = f"{kind}{where} {answer} {verdict.hash_hex}{why}{took}"
    data = facts(verdict, answer, verdict.explanation)
    return Event(kind, text, "result" if good or verdict.is_block else "warning", data)
