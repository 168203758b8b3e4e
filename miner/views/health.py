"""How a miner is, in one word with its reason: hashes counted lately, or a good cause why not."""

from typing import NamedTuple

from miner.state.activity import Activity
from miner.state.snapshot import Snapshot
from miner.units import duration

FRESH_S = 30.0  # hashes were counted so lately
ENDED = (Activity.STOPPING, Activity.STOPPED)
# Those that are by choice, or part of mining paced blocks.
GOOD = {Activity.MINING: "mining", Activity.PAUSED: "paused", Activity.PACED: "mining"}


class Health(NamedTuple):
    """`ok` is what a watchdog asks; no text of another computer is in `reason`."""

    ok: bool
    word: str  # mining, paused, starting, waiting, stuck or stopped
    reason: str


class Pulse:
    """Watches the counter of hashes from one snapshot to the next; times are monotonic."""

    def __init__(self, now: float) -> None:
        self._hashes = 0
        self._hashed_at: float | None = None
        self._change, self._changed_at = -1, now

    def see(self, now: float, snapshot: Snapshot) -> None:
        """Call about once a second, or when somebody asks."""
        if snapshot.change != self._change:
            self._change, self._changed_at = snapshot.change, now
        if snapshot.run.hashes != self._hashes:
            self._hashes, self._hashed_at = snapshot.run.hashes, now

    def health(self, now: float, snapshot: Snapshot) -> Health:
        run, silent_s = snapshot.run, now - self._changed_at
        if run.activity in ENDED:
            return Health(False, "stopped", f"the run is over: {run.activity.value}")
        if silent_s > FRESH_S:
            return Health(False, "stuck", f"the run said nothing for {duration(silent_s)}")
        if run.paused:
            return Health(True, "paused", "paused by its user")
        if self._hashed_at is not None and now - self._hashed_at <= FRESH_S:
            return Health(True, GOOD.get(run.activity, "waiting"), expectation(snapshot))
        if run.paced and run.activity in GOOD:
            return Health(True, "mining", "blocks are kept apart; it waits for the next")
        if self._hashed_at is None:
            word = "starting" if run.activity is Activity.STARTING else "waiting"
            return Health(False, word, f"no hash was counted yet: {run.activity.value}")
        since_s = now - self._hashed_at
        return Health(False, "waiting", f"no hash for {duration(since_s)}: {run.activity.value}")


def expectation(now: Snapshot) -> str:
    """What to expect of a miner that works."""
    run, shares = now.run, now.shares
    if run.below_benchmark:
        return "slower than its saved benchmark"
    if run.paced:
        return "blocks are kept apart; its speed is measured in between"
    if run.activity is not Activity.MINING:
        return str(run.activity.value)
    if not shares.found and now.odds.share_s is not None:
        return f"no share yet; one comes in {duration(now.odds.share_s)} on average"
    if not shares.found:
        return "hashing"
    return f"{shares.accepted} of {shares.found} shares accepted"
