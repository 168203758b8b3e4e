"""What happens in the room, as lines for the teacher's terminal. Shares are not told there."""

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


class Lines:
    """Turns events into lines; remembers whose a block is until the kernel has spoken."""

    MOST_OPEN = 1024

    def __init__(self) -> None:
        self._found: dict[str, BlockFound] = {}

    def of(self, event: RoomEvent) -> str | None:
        """A line, or None for what needs none."""
        match event:
            case BlockFound():
                self._found[event.hash_hex] = event
                if len(self._found) > self.MOST_OPEN:
                    del self._found[next(iter(self._found))]
                return None
            case BlockJudged():
                return self._judged(event)
        return line_of(event)

    def _judged(self, event: BlockJudged) -> str | None:
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
