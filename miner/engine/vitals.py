"""Is the run well? What it does, whether it hashes, whether found shares match the hashes."""

from miner.engine.announcer import Announcer
from miner.engine.current import CurrentWork
from miner.engine.pulse import HINTS, Pulse
from miner.state.activity import Activity
from miner.state.status import Status

EXCUSED = (Activity.NO_WORK, Activity.PACED, Activity.PAUSED)  # nobody expects a hash
LUCK_S = 60.0  # between two looks at it
LOST_SIGMAS = -5.0  # this few shares for the hashes counted: a backend loses hits


class Vitals:
    """Names the run's state for screens and raises alarms. For the engine's thread."""

    def __init__(self, status: Status, current: CurrentWork, announcer: Announcer) -> None:
        self._status, self._current, self._announcer = status, current, announcer
        self._checked = current.clock()
        self._pulse = Pulse(self._checked)

    def tick(self, now: float, stood: bool) -> None:
        """`stood`: the whole process stood still until now."""
        self._status.tick(now)
        self._name_state(now, stood)
        if now - self._checked > LUCK_S:
            self._checked = now
            self._check_luck()

    def _name_state(self, now: float, stood: bool) -> None:
        activity = self._current.activity(now)
        self._pulse.see(self._status.hashes, stood or activity in EXCUSED, now)
        if activity is Activity.MINING and not self._pulse.beats(now):
            activity = self._why_not()
        self._status.activity = activity
        silent_s = self._pulse.silence(now)
        if silent_s is not None:
            why = HINTS.get(activity, "see `miner doctor`")
            self._announcer.alarm(f"no hash for {silent_s:.0f} s: {activity.value}; {why}")

    def _why_not(self) -> Activity:
        """No hash is counted, though the job is there."""
        latest = self._current.latest
        if latest is not None and latest.used_up:
            return Activity.USED_UP
        return Activity.BACKEND if self._pulse.began else Activity.STARTING

    def _check_luck(self) -> None:
        sigmas = self._status.luck_sigmas()
        if sigmas is not None and sigmas < LOST_SIGMAS:
            self._announcer.alarm_once(
                f"shares fall {-LOST_SIGMAS:.0f} standard deviations and more short of the hashes "
                "counted: a backend loses hits; see `miner devices` and try another"
            )
