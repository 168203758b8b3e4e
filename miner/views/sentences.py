"""One line for each event: what people read, and the `text` of the JSON stream."""

from collections.abc import Callable
from typing import Any

from miner.state.events import (
    Answered,
    BlockAnswered,
    BlockFound,
    BlockLost,
    BlockTaken,
    Event,
    JobArrived,
    Paused,
    Rescue,
    SharesSummed,
    SourceChanged,
    Started,
    Stopped,
    Told,
)


def started(event: Started) -> str:
    return f"homehash {event.version}"


def told(event: Told) -> str:
    return event.text


def job(event: JobArrived) -> str:
    height = "" if event.height is None else f", height {event.height}"
    return f"new job from {event.source}{height}"


def source(event: SourceChanged) -> str:
    return event.why if event.source in event.why else f"{event.source}: {event.why}"


def found(event: BlockFound) -> str:
    height = "" if event.height is None else f" at height {event.height}"
    return f"block found{height}: {event.hash}"


def answered(event: Answered) -> str:
    """What, where, the answer, the source's word and its meaning."""
    is_block = isinstance(event, BlockAnswered)  # a share's height is the job's: no number of it
    height = f" {event.height}" if is_block and event.height is not None else ""
    took = "" if event.latency_s is None else f" ({1000 * event.latency_s:.0f} ms)"
    words = [word for word in (event.reason, event.explanation) if word and word != event.answer]
    why = f": {', '.join(words)}" if words else ""
    return f"{event.kind}{height} {event.answer} {event.hash}{why}{took}"


def taken(event: BlockTaken) -> str:
    """The pool's answer, for what it is."""
    height = "" if event.height is None else f"{event.height} "
    took = "" if event.latency_s is None else f" ({1000 * event.latency_s:.0f} ms)"
    return f"pool accepted the share; its hash is a block: {height}{event.hash}{took}"


def lost(event: BlockLost) -> str:
    height = "" if event.height is None else f" {event.height}"
    why = event.explanation
    return f"block{height} {event.hash}: the chain went on without it ({why})"


def summed(event: SharesSummed) -> str:
    counts = [
        (count, answer, reason)
        for answer, reasons in event.counts.items()
        for reason, count in reasons.items()
    ]
    parts = [
        f"{count:,} {answer}{f' ({reason})' if reason else ''}"
        for count, answer, reason in sorted(counts, key=lambda part: -part[0])
    ]
    return f"{event.count:,} more in {event.seconds:.0f} s: {', '.join(parts)}"


def rescue(event: Rescue) -> str:
    return f"block {event.hash}: {event.payload}"


def paused(event: Paused) -> str:
    return "paused: press r to go on" if event.paused else "going on"


def stopped(event: Stopped) -> str:
    return event.reason


SENTENCES: tuple[tuple[type[Event], Callable[[Any], str]], ...] = (
    (Started, started),
    (Told, told),
    (JobArrived, job),
    (SourceChanged, source),
    (BlockFound, found),
    (BlockTaken, taken),
    (BlockLost, lost),
    (Answered, answered),
    (SharesSummed, summed),
    (Rescue, rescue),
    (Paused, paused),
    (Stopped, stopped),
)


def sentence(event: Event) -> str:
    """One printable line."""
    return next(make(event) for kind, make in SENTENCES if isinstance(event, kind))
