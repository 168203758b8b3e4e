"""What happens in the room, as lines for the teacher's terminal. Shares are not told there."""

from collections.abc import Callable

from miner import units
from miner.pool.values import (
    BlockFound,
    BlockJudged,
    Joined,
    Left,
    ModeChanged,
    Paused,
    Renamed,
    RoomEvent,
    Slept,
    WasReset,
)

MOST_OPEN = 1024  # blocks
MOST_A_SECOND = 10  # lines about comings and goings: a flood of them must not hide the blocks


class Calm:
    """Passes lines on, few a second; the rest are counted. Blocks are told beside it."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._say, self._clock = say, clock
        self._second, self._told, self._left_out = 0, 0, 0

    def __call__(self, text: str) -> None:
        second = int(self._clock())
        if second != self._second:
            if self._left_out:
                self._say(f"({self._left_out} more lines like these)")
            self._second, self._told, self._left_out = second, 0, 0
        self._told += 1
        if self._told <= MOST_A_SECOND:
            self._say(text)
        else:
            self._left_out += 1


class Lines:
    """Turns events into lines; remembers whose a block is until the kernel has spoken."""

    def __init__(self, say: Callable[[str], None], calm: Callable[[str], None]) -> None:
        """`say` is for what must be seen, `calm` for what may come in floods."""
        self._say, self._calm = say, calm
        self._found: dict[str, BlockFound] = {}

    def hear(self, event: RoomEvent) -> None:
        """A reader of the room."""
        match event:
            case BlockFound():
                self._found[event.hash_hex] = event
                if len(self._found) > MOST_OPEN:
                    del self._found[next(iter(self._found))]
            case BlockJudged():
                tell = self._say if event.accepted else self._calm
                tell(self._judged(event))
            case _:
                if (line := line_of(event)) is not None:
                    self._calm(line)

    def _judged(self, event: BlockJudged) -> str:
        found = self._found.get(event.hash_hex)
        if event.final:
            self._found.pop(event.hash_hex, None)
        whose = f"block {found.height} by {found.member.name}" if found else "a block"
        if event.accepted:
            return f"{whose}: {event.hash_hex}, accepted"
        return f"{whose}: {event.hash_hex}: {event.word}"


def line_of(event: RoomEvent) -> str | None:
    """Of an event that needs no memory."""
    match event:
        case Joined(_, member, again):
            return (
                f"{member.name} {'is back' if again else 'joined'} ({member.device or 'unnamed'})"
            )
        case Left(_, member, why):
            return f"{member.name} left{f': {why}' if why else ''}"
        case Renamed(_, member, before):
            return f"{before} is {member.name} now"
        case ModeChanged(_, mode):
            return f"mode: {mode.value}"
        case Paused(_, paused, member):
            who = "the room" if member is None else member.name
            return f"{who} {'is paused' if paused else 'goes on'}"
        case WasReset():
            return "all scores begin anew"
        case Slept(_, seconds) if seconds > 0:
            return f"this computer slept for {units.duration(seconds)}; the room goes on"
        case Slept():
            return "this computer's clock was set back; the room goes on"
    return None
