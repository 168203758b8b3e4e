"""Is anything hashed, and if not, why: no run stands still in silence."""

from miner.state.activity import Activity

BEAT_S = 2.0  # hashes counted this lately: it mines
SILENT_S = 60.0  # without a hash though a source gives work: an alarm


HINTS = {
    Activity.NO_JOB: "the node gives no job on top of our block: look at its log",
    Activity.VERDICT: "the node does not judge our block: look at its log",
    Activity.USED_UP: "the pool's jobs are too small for this computer: try another pool",
    Activity.BACKEND: "see the backends' states, `miner devices` and `miner doctor`",
}


class Pulse:
    """Watches the count of hashes. Times are monotonic and passed in."""

    def __init__(self, now: float) -> None:
        self._hashes = 0
        self._beat = float("-inf")  # when hashes were counted last
        self._silent_since = now
        self._told = False

    def see(self, hashes: int, excused: bool, now: float) -> None:
        """`excused`: nobody expects a hash now (no source has work, blocks are paced)."""
        if hashes != self._hashes:
            self._hashes, self._beat = hashes, now
        if self._beat == now or excused:
            self._silent_since, self._told = now, False

    @property
    def began(self) -> bool:
        """Was anything hashed yet?"""
        return self._beat > float("-inf")

    def beats(self, now: float) -> bool:
        return now - self._beat <= BEAT_S

    def silence(self, now: float) -> float | None:
        """Seconds without a hash, once for each silence that is worth an alarm."""
        silent_s = now - self._silent_since
        if self._told or silent_s < SILENT_S:
            return None
        self._told = True
        return silent_s
