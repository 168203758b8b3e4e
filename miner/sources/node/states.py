"""The state of all nodes together, told when it changes."""

from collections.abc import Sequence

from miner.errors import MinerError
from miner.sources.base import Health, SourceState
from miner.text import scrub

LINE = 300  # characters: chain, address and what the node warns of
WORST_FIRST = (Health.REFUSED, Health.DOWN, Health.CONNECTING, Health.WAITING)


class States:
    """One line for each node; READY while one of them is."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._told: Health | None = None
        self._said: dict[str, str] = {}  # by node
        self._fatal: dict[str, MinerError] = {}  # of nodes that are given up

    def give_up(self, node: str, error: MinerError) -> None:
        self._fatal[node] = error

    def say(self, node: str, text: str, healths: Sequence[Health]) -> SourceState | None:
        """The state to be told; None when nothing changed. `healths`: of all nodes."""
        health = Health.READY
        if Health.READY not in healths:
            health = next(h for h in reversed(WORST_FIRST) if h in healths)
        ended = len(self._fatal) == len(healths)
        if (health, text) == (self._told, self._said.get(node)) and not ended:
            return None
        self._told, self._said[node] = health, text
        fatal = next(iter(self._fatal.values())) if ended else None
        return SourceState(self._source, health, scrub(text, LINE), fatal)
