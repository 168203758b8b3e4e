"""Jobs with some fields changed, those of the coinbase too."""

from dataclasses import fields, replace
from typing import Any

from miner.work.job import Coinbase, Job

PARTS = {field.name for field in fields(Coinbase)}


def changed(job: Job, **values: Any) -> Job:
    """The job with these fields of its own or of its coinbase."""
    parts = {name: values.pop(name) for name in PARTS & values.keys()}
    if parts:
        values["merkle"] = replace(job.coinbase, **parts)
    return replace(job, **values)
