"""The network's difficulty for the lessons: published, with date and source, or the learner's."""

from miner.gap import economics
from miner.gap.economics import Figure
from miner.learn.steps import Setting


def difficulty(setting: Setting) -> Figure:
    """What --difficulty gave, else the newest published figure of the data."""
    own = setting.figures.get("difficulty")
    if own is not None:
        return economics.given("network_difficulty", own, "1")
    return economics.load()["network_difficulty"]
