"""Keeps every backend mining: sees faults and hangs, starts workers again, gives backends up.

Runs on the engine's thread. A worker ends by raising: a fault. Its backend is opened again, at once
after a first fault and a little later after a second one, since a driver that resets its card needs
seconds; the third within FORGIVE_S quarantines the backend. A scan that does not come back for
HUNG_S costs its thread: the worker is abandoned and replaced, and the third such hang, however far
apart, gives the backend up. A driver that is stuck is stuck in everything, so this thread never
calls one: a worker's own thread opens its backend. The run ends when no backend is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from miner.backends.base import Backend
from miner.engine.announcer import Announcer
from miner.engine.worker import Around, Doing, Worker
from miner.errors import BackendFault
from miner.state.activity import WorkerState
from miner.state.status import Status
from miner.text import scrub

RESTART_S = (0.0, 5.0)  # pause after a first and a second fault
STRIKES = 3  # faults after which a backend is quarantined; hung scans, however far apart
FORGIVE_S = 600.0  # without a fault, and earlier ones no longer count
SICK_BATCHES, SICK_S = 3, 1.0  # a scan this late is sick: a busy machine is not
HUNG_S = 60.0  # a scan this late never comes back
SLOW_S = 300.0  # nor does an opening, or an audit of many scans


@dataclass(slots=True)
class Place:
    """One backend's place in the run: its worker of the moment, and its record."""

    worker: Worker
    strikes: int = 0
    last_fault: float = float("-inf")  # monotonic
    hangs: int = 0

    @property
    def state(self) -> WorkerState:
        return self.worker.meter.state

    def show(self, state: WorkerState, why: str = "") -> None:
        meter = self.worker.meter
        meter.state, meter.why = state, why


class Supervisor:
    """Call `tick` several times a second."""

    def __init__(
        self, backends: Sequence[Backend], around: Around, status: Status, announcer: Announcer
    ) -> None:
        now = around.current.clock()
        self._around, self._announcer = around, announcer
        self._places = [
            Place(Worker(one, status.worker(one.info, now), around)) for one in backends
        ]

    @property
    def workers(self) -> tuple[Worker, ...]:
        """Those of the moment; one that hangs is replaced."""
        return tuple(place.worker for place in self._places)

    def start(self) -> None:
        """Raises RuntimeError when the system has no thread left."""
        for place in self._places:
            place.worker.start()

    def tick(self, now: float, stood: bool) -> BackendFault | None:
        """Look after everybody; the error of the run when no backend is left.

        `stood`: the whole process stood still (Ctrl-Z), which no device is blamed for.
        """
        for place in self._places:
            if stood:
                place.worker.excused = now
            if place.state is not WorkerState.QUARANTINED and not self._around.current.stopping:
                self._look_after(place, now)
        if any(place.state is not WorkerState.QUARANTINED for place in self._places):
            return None
        last = self._places[-1].worker
        return BackendFault(last.name, f"quarantined: {last.meter.why}")

    def _look_after(self, place: Place, now: float) -> None:
        worker = place.worker
        if worker.alive:
            hung = self._hung(worker)
            if hung:
                self._replace(place, hung, now)
            else:
                place.show(*self._state(worker))
        elif place.state is not WorkerState.RESTARTING:
            self._note_failure(place, now)
        elif now - place.last_fault >= RESTART_S[place.strikes - 1]:
            self._restart(place, now)

    def _state(self, worker: Worker) -> tuple[WorkerState, str]:
        call = worker.call
        scan_s = worker.inside_s(Doing.SCAN)
        if scan_s > max(SICK_S, SICK_BATCHES * worker.sizer.batch_s):
            return WorkerState.SICK, f"a scan takes {scan_s:.0f} s"
        if call is None or call.doing is Doing.SCAN:
            return WorkerState.OK, ""
        return (WorkerState.AUDITING if call.doing is Doing.AUDIT else WorkerState.STARTING), ""

    def _hung(self, worker: Worker) -> str:
        """What has not come back for too long to hope; empty: all is well."""
        for doing in Doing:
            inside_s = worker.inside_s(doing)
            if inside_s > (HUNG_S if doing is Doing.SCAN else SLOW_S):
                return f"{doing.value} has not come back for {inside_s:.0f} s"
        return ""

    def _note_failure(self, place: Place, now: float) -> None:
        """Count a fault; the third within FORGIVE_S quarantines."""
        worker = place.worker
        place.strikes = place.strikes + 1 if now - place.last_fault < FORGIVE_S else 1
        place.last_fault = now
        worker.meter.faults += 1
        failure = worker.failure
        what = scrub(failure.what if isinstance(failure, BackendFault) else repr(failure))
        if place.strikes >= STRIKES:
            self._quarantine(place, what)
            return
        place.show(WorkerState.RESTARTING)
        self._announcer.alarm(
            f"{worker.name}: {what}; re-tested, strike {place.strikes} of {STRIKES}"
        )

    def _restart(self, place: Place, now: float) -> None:
        """A new instance, self-tested as it opens; one that fails again is a further strike."""
        worker = place.worker
        worker.meter.restarts += 1
        try:
            worker.close()
            self._start_afresh(place)
        except Exception as error:  # noqa: BLE001 - a broken driver may raise anything
            worker.failure = error
            self._note_failure(place, now)

    def _replace(self, place: Place, what: str, now: float) -> None:
        """Abandon a thread that hangs in its backend; the third time give the backend up."""
        place.hangs += 1
        place.worker.meter.faults += 1
        if place.hangs >= STRIKES:
            place.worker.abandoned = True
            self._quarantine(place, what)
            return
        place.worker = place.worker.successor()
        place.worker.meter.restarts += 1
        self._announcer.alarm(
            f"{place.worker.name}: {what}; replaced, hang {place.hangs} of {STRIKES}"
        )
        try:
            self._start_afresh(place)
        except RuntimeError as error:  # no thread is left: a fault like any other
            place.worker.failure = error
            self._note_failure(place, now)

    def _start_afresh(self, place: Place) -> None:
        place.show(WorkerState.STARTING)
        place.worker.start(afresh=True)

    def _quarantine(self, place: Place, why: str) -> None:
        place.show(WorkerState.QUARANTINED, why)
        self._announcer.alarm(f"{place.worker.name} is quarantined: {why}; the others go on")
