"""`--json`: one JSON object a line on stdout; events as they come, a status every 10 seconds.

`schema/stream.schema.json` describes every line. The status is the flat one that scripts have read
from the beginning; the whole tree is `Snapshot.to_dict()`.
"""

import json
import time
from typing import Any, TextIO

from miner.state.events import Event
from miner.state.snapshot import SCHEMA, Snapshot, WorkerRow, plain
from miner.views.sentences import sentence

STATUS_S = 10.0


class JsonView:
    """Every object has "type" and "time_s" (wall clock); a status has its schema's number."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._next_s = 0.0

    def event(self, event: Event) -> None:
        self._write(event_line(event))

    def tick(self, now: Snapshot) -> None:
        if now.run.elapsed_s >= self._next_s:
            self._next_s = now.run.elapsed_s + STATUS_S
            self._write(status_line(now))

    def close(self, last: Snapshot) -> None:
        self._write(status_line(last))

    def restore(self) -> None:
        """Nothing of the terminal was changed."""

    def _write(self, values: dict[str, Any]) -> None:
        self._out.write(json.dumps(values, allow_nan=False) + "\n")
        self._out.flush()


def event_line(event: Event) -> dict[str, Any]:
    """An event with its sentence."""
    return {"type": event.kind, "time_s": event.wall_s, "text": sentence(event)} | event.to_dict()


def status_line(now: Snapshot) -> dict[str, Any]:
    """The run in one flat object. While blocks are paced no rate is given: it would be that of
    waiting."""
    run = now.run
    rates: dict[str, Any] = {**plain(run.rates), "rate_session_hs": run.rate_session_hs}
    if run.paced:
        rates = dict.fromkeys(rates)
    return {
        "type": "status",
        "time_s": time.time(),
        "schema": SCHEMA,
        "state": run.activity.value,
        "paced": run.paced,
        "paused": run.paused,
        "elapsed_s": run.elapsed_s,
        "hashes": run.hashes,
        **rates,
        "rate_computer_hs": run.rate_computer_hs,
        "rate_benchmark_hs": run.rate_benchmark_hs,
        "below_benchmark": run.below_benchmark,
        "backends": [worker_row(row) for row in now.workers],
        **source_fields(now),
        **job_fields(now),
        **share_fields(now),
        "blocks_found": now.blocks.found,
        "blocks_accepted": now.blocks.accepted,
        "blocks_rejected": now.blocks.rejected,
        "blocks_waiting": now.blocks.waiting,
        "luck": plain(now.luck),
        "expected_share_s": None if run.paced else now.odds.share_s,
        "expected_block_s": None if run.paced else now.odds.block_s,
        "alarms": [alarm.text for alarm in now.alarms],
        "tls_insecure": run.tls_insecure,
    }


def worker_row(row: WorkerRow) -> dict[str, Any]:
    values: dict[str, Any] = plain(row)
    rates: dict[str, Any] = values.pop("rates")
    return values | rates


def source_fields(now: Snapshot) -> dict[str, Any]:
    """Of the source that has the work, or of the first."""
    rows = [row for row in now.sources if row.active] or list(now.sources)
    told = rows[0] if rows else None
    return {
        "source": told.name if told else "starting",
        "source_health": told.health if told else "connecting",
        "source_text": told.text if told else "",
    }


def job_fields(now: Snapshot) -> dict[str, Any]:
    job = now.job
    return {
        "jobs": job.jobs if job else 0,
        "job_id": job.job_id if job else None,
        "job_age_s": job.age_s if job else None,
        "height": job.height if job else None,
        "network_difficulty": job.network_difficulty if job else None,
        "share_difficulty": job.share_difficulty if job else None,
        "versions_per_scan": job.versions_per_scan if job else 0,
    }


def share_fields(now: Snapshot) -> dict[str, Any]:
    shares = now.shares
    return {
        "rate_from_shares_hs": None if now.run.paced else shares.rate_hs,
        "rate_from_shares_error_hs": None if now.run.paced else shares.rate_error_hs,
        "shares_found": shares.found,
        "accepted": shares.accepted,
        "rejected": shares.rejected,
        "rejected_reasons": dict(shares.rejected_reasons),
        "stale": shares.stale,
        "unknown": shares.unknown,
        "pending": shares.pending,
        "dropped": shares.dropped,
        "surplus": shares.surplus,
        "not_sent": shares.not_sent,
        "best_difficulty_session": shares.best_session,
        "best_difficulty_ever": shares.best_ever,
        "latency_last_s": shares.latency_last_s,
        "latency_median_s": shares.latency_median_s,
    }
