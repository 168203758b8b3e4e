"""A room in memory: templates, a door without a socket, miners of the wire."""

import asyncio
from typing import Any

from miner.bitcoin.coinbase import commitment_script, witness_root
from miner.pool.door import Connection, Door
from miner.pool.room import Room
from miner.pool.values import Mode, RoomEvent, RoomRules
from miner.protocol.gbt.template import Template, parse_template
from miner.work.found import Share
from tests.fakes.wire_miner import WireMiner, line

NOW = 1_700_000_000.0
EASY_TARGET = 2**256 // 2**20  # of the class in these tests: a million hashes a block
FIRST_TIP, SECOND_TIP = "11" * 32, "22" * 32
NO_TRANSACTIONS = commitment_script(witness_root([])).hex()


def template(tip: str = FIRST_TIP, height: int = 5, now: float = NOW, **changes: Any) -> Template:
    """As the built-in node gives it. `tip` in display order."""
    reply = {
        "version": 0x20000000,
        "rules": ["csv", "!segwit", "taproot"],
        "vbavailable": {},
        "previousblockhash": tip,
        "transactions": [],
        "coinbaseaux": {},
        "coinbasevalue": 5_000_000_000,
        "mintime": int(now) - 600,
        "mutable": ["time", "transactions", "prevblock"],
        "curtime": int(now),
        "bits": "207fffff",
        "target": f"{0x7FFFFF << 232:064x}",
        "height": height,
        "default_witness_commitment": NO_TRANSACTIONS,
    }
    return parse_template(reply | changes, "regtest")


class Rig:
    """A room with a door, and everything it says. `now` is its clock."""

    def __init__(self, **rules: Any) -> None:
        self.now = NOW
        self.blocks: list[Share] = []
        self.events: list[RoomEvent] = []
        self.told: list[str] = []
        chosen: dict[str, Any] = {"class_target": EASY_TARGET, "mode": Mode.SOLO} | rules
        counter = iter(range(1, 1 << 20))
        self.room = Room(
            RoomRules("regtest", **chosen),
            self.blocks.append,
            lambda size: next(counter).to_bytes(size, "big"),
            self.now,
        )
        self.room.subscribe(self.events.append)
        self.door = Door(self.room, None, self.told.append, lambda: self.now)  # type: ignore[arg-type]

    def new_template(self, tip: str = FIRST_TIP, height: int = 5, **changes: Any) -> None:
        self.room.template(template(tip, height, self.now, **changes), self.now)

    def connect(self) -> "Line":
        return Line(self)

    def joined(self, user: str = "Ann", difficulty: str = "1e-6", roll: bool = False) -> "Line":
        """A miner that has its first job, of a difficulty that costs a few thousand hashes."""
        one = self.connect()
        one.miner.user = user
        if roll:
            one.ask("mining.configure", ["version-rolling"], {"version-rolling.mask": "1fffe000"})
        one.ask("mining.subscribe", "wire/1")
        one.ask("mining.suggest_difficulty", float(difficulty))
        one.ask("mining.authorize", user, "x")
        return one

    def of(self, kind: type[RoomEvent]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


class Line:
    """One miner's connection to the door."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.miner = rig, WireMiner()
        self.transport = FakeTransport(self)
        self.connection = Connection(rig.door)
        self.connection.connection_made(self.transport)
        self._ids = iter(range(1, 1 << 20))

    def send(self, data: bytes) -> list[Any]:
        """Bytes to the server; the messages that come back at once."""
        before = len(self.miner.lines)
        self.connection.data_received(data)
        return self.miner.lines[before:]

    def ask(self, method: str, *params: Any) -> Any:
        """A request; its reply."""
        number = next(self._ids)
        self.send(line(number, method, *params))
        return self.miner.replies.get(number)

    def submit(self, params: list[str]) -> Any:
        """A share; its error, None when it was accepted."""
        reply = self.ask("mining.submit", *params)
        assert reply["result"] is (reply["error"] is None)
        return reply["error"]

    def leave(self) -> None:
        self.connection.connection_lost(None)

    @property
    def number(self) -> int:
        assert self.connection.number is not None
        return self.connection.number


class FakeTransport(asyncio.Transport):
    """What the server writes goes to the miner at once."""

    def __init__(self, line: Line) -> None:
        super().__init__({"peername": ("192.0.2.7", 4711)})
        self._line = line
        self.closed = self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._line.miner.hear(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        if not self.aborted:
            self.closed = self.aborted = True
            self._line.leave()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high == 65536
