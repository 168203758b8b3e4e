"""What is decided while the room is open."""

from dataclasses import dataclass, field

from miner.pool.values import Mode


@dataclass(slots=True)
class RoomState:
    """The teacher's choices, and counters; the room alone changes it."""

    mode: Mode
    class_target: int | None
    started_s: float
    ticked_s: float
    paused: bool = False
    last_number: int = 0
    jobs: int = 0
    next_extranonce: int = 0
    prefix: str = ""  # of job ids: those of a run before mean nothing here
    banned: set[str] = field(default_factory=set)  # names that the teacher removed
