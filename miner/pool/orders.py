"""What the teacher can order: each order is checked whole before anything changes."""

from collections.abc import Callable
from typing import Any, Protocol

from miner.pool import sides
from miner.pool.screen import CARDS, Screen
from miner.pool.values import Member, Mode, RoomView
from miner.text import scrub

LEAST_HASHES, MOST_HASHES = 2**8, 2**48  # of a block of a class target, on average
LEAST_S, MOST_S = 1.0, 3600.0  # a block every so often
ATTACKERS = 0.4  # side B's part unless told


class NotDone(Exception):
    """An order that cannot be followed; the text says why."""


class Class(Protocol):
    """The room, as far as a desk changes it. Members are told by number; an unknown one is a
    KeyError."""

    def rename(self, number: int, wished: str, now: float) -> Member: ...
    def remove(self, number: int, now: float) -> None: ...
    def pause(self, paused: bool, now: float, number: int | None = None) -> None: ...
    def reset(self, now: float) -> None: ...
    def set_mode(self, mode: Mode, now: float) -> None: ...
    def set_target(self, class_target: int | None, now: float) -> None: ...
    def set_side(self, number: int, side: str, now: float) -> None: ...
    def view(self, now: float) -> RoomView: ...


class Orders:
    """One order at a time, in the thread that owns the room."""

    def __init__(self, room: Class, screen: Screen, clock: Callable[[], float], easy: bool) -> None:
        """`easy`: the class has a target of its own, which may be set."""
        self.screen = screen  # what the class sees
        self._room, self._clock, self._easy = room, clock, easy
        self._orders: dict[str, Callable[[dict[str, Any], float], None]] = {
            "mode": self._mode,
            "split": self._split,
            "side": self._side,
            "pause": self._pause,
            "rename": self._rename,
            "remove": self._remove,
            "reset": lambda told, now: self._room.reset(now),
            "difficulty": self._difficulty,
            "show": self._show,
        }

    @property
    def now(self) -> float:
        return self._clock()

    def do(self, told: dict[str, Any]) -> None:
        """Follow an order, such as {"do": "rename", "number": 3, "name": "Ada"}. Raises NotDone."""
        name = told.get("do")
        if not isinstance(name, str) or name not in self._orders:
            raise NotDone(f"do is {name!r:.40}, want one of {', '.join(self._orders)}")
        try:
            self._orders[name](told, self.now)
        except KeyError:
            raise NotDone("that member is not here any more") from None

    def tick(self) -> None:
        """Once a second: who comes into an attack is honest, as newcomers are."""
        now = self.now
        view = self._room.view(now)
        for row in view.members if view.mode is Mode.ATTACK else ():
            if not row.member.side and row.member.left_s is None:
                self._room.set_side(row.member.number, "A", now)

    def _mode(self, told: dict[str, Any], now: float) -> None:
        names = {mode.name.lower(): mode for mode in Mode}
        mode = names.get(str(told.get("mode")))
        if mode is None:
            raise NotDone(f"mode is {told.get('mode')!r:.40}, want one of {', '.join(names)}")
        if mode is Mode.ATTACK:
            self._split(told, now)
        self._room.set_mode(mode, now)
        if mode is not Mode.ATTACK:
            self._take_sides({}, now)

    def _split(self, told: dict[str, Any], now: float) -> None:
        """Two sides by rate; who leaves or comes later is on none until told."""
        rows = [row for row in self._room.view(now).members if row.member.left_s is None]
        part = number(told, "part", 0.01, 0.99, ATTACKERS)
        try:
            taken = sides.split({row.member.number: row.rate_hs or 0.0 for row in rows}, part)
        except ValueError as error:
            raise NotDone(str(error)) from None
        self._take_sides(taken, now)

    def _take_sides(self, taken: dict[int, str], now: float) -> None:
        for row in self._room.view(now).members:
            side = taken.get(row.member.number, "")
            if side != row.member.side:
                self._room.set_side(row.member.number, side, now)

    def _side(self, told: dict[str, Any], now: float) -> None:
        side = told.get("side")
        if side not in ("A", "B"):
            raise NotDone(f"side is {side!r:.40}, want A or B")
        self._room.set_side(whole(told, "number"), side, now)

    def _pause(self, told: dict[str, Any], now: float) -> None:
        paused = told.get("paused")
        if not isinstance(paused, bool):
            raise NotDone(f"paused is {paused!r:.40}, want true or false")
        member = None if told.get("number") is None else whole(told, "number")
        self._room.pause(paused, now, member)

    def _rename(self, told: dict[str, Any], now: float) -> None:
        name = told.get("name")
        if not isinstance(name, str) or not scrub(name).strip():
            raise NotDone("the name is empty")
        self._room.rename(whole(told, "number"), name, now)

    def _remove(self, told: dict[str, Any], now: float) -> None:
        self._room.remove(whole(told, "number"), now)

    def _difficulty(self, told: dict[str, Any], now: float) -> None:
        if not self._easy:
            raise NotDone("the difficulty is the chain's own: --easy gives the class one to set")
        if told.get("hashes") is None:
            seconds, rate_hs = (
                number(told, "seconds", LEAST_S, MOST_S),
                self._room.view(now).rate_hs,
            )
            if not rate_hs:
                raise NotDone("the class's rate is not known yet: wait for some shares")
            hashes = min(max(round(seconds * rate_hs), LEAST_HASHES), MOST_HASHES)
        else:
            hashes = whole(told, "hashes", LEAST_HASHES, MOST_HASHES)
        self._room.set_target(2**256 // hashes - 1, now)

    def _show(self, told: dict[str, Any], now: float) -> None:
        card = told.get("card")
        if card not in ("", *CARDS):
            raise NotDone(f"card is {card!r:.40}, want one of {', '.join(CARDS)}")
        self.screen.focus = card


def number(
    told: dict[str, Any], key: str, low: float, high: float, otherwise: float | None = None
) -> float:
    """A number of an order. Raises NotDone."""
    value = told.get(key, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise NotDone(f"{key} is {value!r:.40}, want a number of {low:g} to {high:g}")
    return float(value)


def whole(told: dict[str, Any], key: str, low: int = 0, high: int = 2**31) -> int:
    """A whole number of an order. Raises NotDone."""
    value = told.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise NotDone(f"{key} is {value!r:.40}, want a whole number of {low} to {high}")
    return value
