"""This computer's own speed, measured where blocks are paced and most of the time is waiting."""

from miner.backends import speed
from miner.backends.base import Backend

SAMPLE_S = 0.2  # of real hashing
PAUSES_S = (10.0, 50.0, 60.0)  # from one sample to the next; the last holds from then on


class Trial:
    """Tells when a sample is due: at the start, after 10 s, then once a minute."""

    def __init__(self) -> None:
        self._due = float("-inf")
        self._samples = 0

    def due(self, now: float) -> bool:
        return now >= self._due

    def run(self, backend: Backend, now: float) -> float:
        """Hashes a second on work that nobody can find; they are counted nowhere.

        Raises BackendFault.
        """
        self._due = now + PAUSES_S[min(self._samples, len(PAUSES_S) - 1)]
        self._samples += 1
        return speed.Timing(backend).sample(SAMPLE_S)
