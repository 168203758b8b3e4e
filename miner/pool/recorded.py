"""A session's file read back: every value is checked before it is used, since files come from
anywhere. Errors name the event and the value."""

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from miner import files, strictjson
from miner.errors import ConfigError
from miner.pool import values
from miner.pool.forks import MOST_BLOCKS
from miner.pool.record import FORMAT, MOST_EVENTS, VERSION
from miner.pool.tally import opening
from miner.pool.values import (
    BlockRow,
    ChainView,
    Kind,
    Member,
    Mode,
    RoomEvent,
    RoomRules,
    RoomView,
)
from miner.text import scrub
from miner.work.claim import Answer

MOST_BYTES = 256 << 20
HEX64 = re.compile(r"[0-9a-f]{64}")
HEX = re.compile(r"[0-9a-f]{1,64}")
FRACTION = re.compile(r"[0-9]{1,90}(/[0-9]{1,90})?")
MOST_TEXT = 200
LATEST_S = 2.0**40


class Wrong(Exception):
    """A value of the file that is none."""


class Fields:
    """The members of one JSON object, each asked for by its kind. Raises Wrong."""

    def __init__(self, told: Any) -> None:
        if not isinstance(told, dict):
            raise Wrong(f"{told!r:.60} is no object")
        self._told: dict[str, Any] = told

    def text(self, key: str, most: int = MOST_TEXT) -> str:
        value = self._told.get(key)
        if not isinstance(value, str) or len(value) > most:
            raise self._wrong(key, f"a text of at most {most} characters")
        return scrub(value, most)

    def spelled(self, key: str, pattern: re.Pattern[str], want: str) -> str:
        value = self._told.get(key)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self._wrong(key, want)
        return value

    def number(self, key: str, low: float, high: float) -> float:
        value = self._told.get(key)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
        ):
            raise self._wrong(key, f"a number of {low:g} to {high:g}")
        return float(value)

    def whole(self, key: str, most: int) -> int:
        value = self._told.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise self._wrong(key, f"a whole number of 0 to {most}")
        return value

    def yes(self, key: str) -> bool:
        value = self._told.get(key)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def one_of(self, key: str, among: Any) -> Any:
        """A member of an Enum, by its name."""
        value = self._told.get(key)
        if not isinstance(value, str) or value not in among.__members__:
            raise self._wrong(key, f"one of {', '.join(among.__members__)}")
        return among[value]

    def maybe(self, key: str, ask: Callable[[str], Any]) -> Any:
        """None, or what `ask` gives."""
        return None if self._told.get(key) is None else ask(key)

    def many(self, key: str, most: int) -> list[Any]:
        value = self._told.get(key)
        if not isinstance(value, list) or len(value) > most:
            raise Wrong(f"{key} is no list of at most {most:,}")
        return value

    def inner(self, key: str) -> "Fields":
        return Fields(self._told.get(key))

    def hash(self, key: str) -> str:
        return self.spelled(key, HEX64, "64 hex digits")

    def target(self, key: str) -> int:
        value = int(self.spelled(key, HEX, "hex digits"), 16)
        if not value:
            raise self._wrong(key, "a target above 0")
        return value

    def fraction(self, key: str) -> Fraction:
        text = self.spelled(key, FRACTION, "a fraction such as 1/1000")
        try:
            return Fraction(text)
        except ZeroDivisionError:
            raise self._wrong(key, "a fraction such as 1/1000") from None

    def _wrong(self, key: str, want: str) -> Wrong:
        return Wrong(f"{key} is {self._told.get(key)!r:.60}, want {want}")


def load(path: Path) -> tuple[RoomView, list[RoomEvent]]:
    """The empty room and its events, in order. Raises ConfigError."""
    try:
        text = files.read(path, MOST_BYTES)
        return parse(text)
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except RecursionError:
        raise ConfigError(f"{path}: it is nested too deeply") from None
    except ValueError as error:
        raise ConfigError(f"{path}: it is no JSON: {scrub(error)}") from None
    except Wrong as error:
        raise ConfigError(f"{path}: {scrub(error)}") from None


def parse(text: bytes) -> tuple[RoomView, list[RoomEvent]]:
    """The same of the file's bytes. Raises Wrong, ValueError."""
    told = Fields(strictjson.loads(text))
    if told.text("format") != FORMAT:
        raise Wrong(f"format is not {FORMAT!r}: want what the desk's export wrote")
    if told.whole("version", 1 << 31) != VERSION:
        raise Wrong(f"its version is not {VERSION}: want the miner that wrote it, or a newer one")
    reader, events = Reader(), []
    for place, one in enumerate(told.many("events", MOST_EVENTS), 1):
        try:
            events.append(reader.event(Fields(one)))
        except Wrong as wrong:
            raise Wrong(f"event {place:,}: {wrong}") from None
    return opened(told.inner("first")), events


def opened(told: Fields) -> RoomView:
    """The room before anybody came."""
    chain = told.inner("chain")
    shown = ChainView(
        name=chain.text("name"),
        words=chain.text("words"),
        difficulty=chain.number("difficulty", 0, 1e30),
        class_target=chain.maybe("class_target", chain.target),
        block_difficulty=chain.number("block_difficulty", 0, 1e30),
        height=chain.whole("height", 1 << 31),
        tip_hash=chain.text("tip_hash", 64),
        tip_since_s=chain.maybe("tip_since_s", lambda key: chain.number(key, 0, LATEST_S)),
    )
    rules = RoomRules(chain.text("name"), chain.text("words"), mode=told.one_of("mode", Mode))
    view = opening(rules, told.number("at_s", 0, LATEST_S))
    blocks = tuple(block(Fields(one)) for one in told.many("blocks", MOST_BLOCKS))
    return replace(view, chain=shown, paused=told.yes("paused"), blocks=blocks)


def block(told: Fields) -> BlockRow:
    """One that was there before."""
    return BlockRow(
        height=told.whole("height", 1 << 31),
        hash_hex=told.hash("hash_hex"),
        name=told.text("name"),
        number=None,
        at_s=told.number("at_s", 0, LATEST_S),
        waited_s=told.maybe("waited_s", lambda key: told.number(key, -LATEST_S, LATEST_S)),
        side="",
        work=told.number("work", 0, 1e80),
        accepted=True,
    )


class Reader:
    """Turns one object after another into events; times never go back."""

    def __init__(self) -> None:
        self._members: dict[int, Member] = {}
        self._at_s = 0.0
        self._readers: dict[str, Callable[[float, Fields], RoomEvent]] = {
            "Joined": lambda at, told: values.Joined(at, self._whole(told)),
            "Left": lambda at, told: values.Left(at, self._whole(told)),
            "Renamed": lambda at, told: values.Renamed(at, self._whole(told), ""),
            "SideChanged": lambda at, told: values.SideChanged(at, self._whole(told)),
            "ShareJudged": self._share,
            "BlockFound": self._found,
            "BlockJudged": lambda at, told: values.BlockJudged(
                at, told.hash("hash"), told.yes("accepted"), told.text("word")
            ),
            "TipChanged": lambda at, told: values.TipChanged(
                at,
                told.whole("height", 1 << 31),
                told.hash("hash"),
                told.text("side", 1),
                told.fraction("difficulty"),
            ),
            "ModeChanged": lambda at, told: values.ModeChanged(at, told.one_of("mode", Mode)),
            "TargetChanged": lambda at, told: values.TargetChanged(
                at, told.maybe("target", told.target)
            ),
            "Paused": self._paused,
            "WasReset": lambda at, told: values.WasReset(at),
            "Slept": lambda at, told: values.Slept(at, told.number("seconds", -1e9, 1e9)),
        }

    def event(self, told: Fields) -> RoomEvent:
        """Raises Wrong."""
        kind = told.text("event")
        if kind not in self._readers:
            raise Wrong(f"event is {kind!r}, want one of {', '.join(self._readers)}")
        # A clock that was set back is told by the event after it.
        self._at_s = max(told.number("at_s", 0, LATEST_S), self._at_s)
        return self._readers[kind](self._at_s, told)

    def _whole(self, told: Fields) -> Member:
        one = told.inner("member")
        member = Member(
            number=one.whole("number", 1 << 31),
            name=one.text("name", values.NAME_CHARS),
            kind=one.one_of("kind", Kind),
            device=one.text("device"),
            side=one.text("side", 1),
            joined_s=one.number("joined_s", 0, LATEST_S),
            left_s=one.maybe("left_s", lambda key: one.number(key, 0, LATEST_S)),
            paused=one.yes("paused"),
        )
        self._members[member.number] = member
        return member

    def _known(self, told: Fields) -> Member:
        number = told.whole("number", 1 << 31)
        if number not in self._members:
            raise Wrong(f"number is {number}, of nobody who came before")
        return self._members[number]

    def _share(self, at_s: float, told: Fields) -> RoomEvent:
        value = told.maybe("hash", told.hash)
        return values.ShareJudged(
            at_s,
            self._known(told),
            told.one_of("answer", Answer),
            told.fraction("difficulty"),
            None if value is None else int(value, 16),
        )

    def _found(self, at_s: float, told: Fields) -> RoomEvent:
        return values.BlockFound(
            at_s,
            self._known(told),
            height=told.whole("height", 1 << 31),
            hash_hex=told.hash("hash"),
            side=told.text("side", 1),
            stale=told.yes("stale"),
            difficulty=told.fraction("difficulty"),
            value=told.whole("value", 21_000_000 * 10**8),
        )

    def _paused(self, at_s: float, told: Fields) -> RoomEvent:
        member = told.maybe("member", lambda key: self._whole(told))
        return values.Paused(at_s, told.yes("paused"), member)
