"""The old place of these names, until the last of its importers has moved."""

from miner.work.found import Answer, FoundBlock, Share, Verdict
from miner.work.job import UINT32, UINT256, Job
from miner.work.unit import WorkUnit, check_scannable

__all__ = [
    "UINT32", "UINT256", "Answer", "FoundBlock", "Job", "Share", "Verdict", "WorkUnit",
    "check_scannable",
]  # fmt: skip
