"""What a run does, as a value: decisions are made on it, and screens show its words."""

from enum import Enum


class Activity(Enum):
    """What a run does; the value is what screens show."""

    STARTING = "starting"
    MINING = "mining"
    PAUSED = "paused"  # by its user
    NO_WORK = "waiting for work"
    NO_JOB = "waiting for the next job"
    PACED = "pausing: paced blocks"
    VERDICT = "waiting for a verdict"
    USED_UP = "nonce space used up until the pool's time moves"
    BACKEND = "waiting for a backend"
    STOPPING = "stopping"
    STOPPED = "stopped"


class WorkerState(Enum):
    """How a backend's worker is; screens show the value, and why."""

    STARTING = "starting"
    AUDITING = "auditing"  # planted answers are put to it
    OK = "ok"
    SICK = "sick"  # a scan is late
    RESTARTING = "restarting"
    QUARANTINED = "quarantined"  # given up
