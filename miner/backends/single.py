"""The provider of a family with one backend and nothing to choose."""

from collections.abc import Callable
from dataclasses import dataclass

from miner.backends.base import Backend, Candidate, OpenOptions
from miner.errors import BackendUnavailable


@dataclass(frozen=True)
class SingleProvider:
    """Always usable; the family's name is the backend's."""

    candidate: Candidate
    make: Callable[[], Backend]

    @property
    def family(self) -> str:
        return self.candidate.name

    def probe(self) -> list[Candidate]:
        return [self.candidate]

    def open(self, name: str, options: OpenOptions) -> Backend:
        """Raises BackendUnavailable for another name."""
        if name != self.family:
            raise BackendUnavailable(name, f"the only name here is {self.family}")
        return self.make()
