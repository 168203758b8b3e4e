"""M3, first half: kill -9 at every crash point, on the wire, and at random; no block is lost.

Lanes run side by side, each with a node and a home of its own. In a lane one miner after another
is killed; each takes over what the last one left. At the end a miner may live until all is
settled. What a death left on the disk is read with records.py and compared with the node's ledger.
"""

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lab.reliability.measure import Row, Run
from lab.reliability.records import read_folder
from lab.reliability.zygote import Zygote

from tests.fakes import blocks, exchange
from tests.fakes.exchange import Exchange, Fault
from tests.fakes.node import FakeNode
from tests.fakes.sink import REGTEST

POINTS = ("folder", "found", "write", "fsync", "send", "reply", "settle")
WIRE = ("connect", "half", "read", "judged")  # the fake node kills while a block is submitted
BEFORE_DURABLE = ("found", "write")  # between find and fsync: counted apart
LANES = 2
MOST_LIFE_S = 15.0  # a point that is not reached by then is not reached at all
PATIENCE_S = 60.0  # for the last miner; it asks for side branches every 10 s


@dataclass
class Told:
    """What the trials of all lanes say."""

    trials: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    durable: int = 0
    before_durable: int = 0  # kills between find and fsync
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    not_reached: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def measure(run: Run) -> list[Row]:
    trials = run.pick(16, 44, 520)
    told, lock = Told(), threading.Lock()
    lanes = [Lane(run, number, trials // LANES, told, lock) for number in range(LANES)]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(told.kinds.items()))
    failed = [*told.lost, *told.twice, *told.unsettled, *told.not_reached, *told.errors]
    notes = (f"kills: {kinds}; {told.before_durable} of them between find and fsync", *failed[:5])
    done = f"{told.durable} durable blocks; lost {len(told.lost)}, twice {len(told.twice)}"
    row = Row(
        "M3", "kill -9: durable blocks lost, or counted twice", done, "0 of >= 500 kills",
        told.trials, len(failed), reached=told.durable > 0, notes=notes,
    )  # fmt: skip
    return [row]


class Lane(threading.Thread):
    """One node, one home, many deaths."""

    def __init__(self, run: Run, number: int, trials: int, told: Told, lock: threading.Lock):
        super().__init__(name=f"lane {number}")
        self.number, self.trials, self.told, self.lock = number, trials, told, lock
        self.dice = run.dice(f"kills {number}")
        self.folder = run.folder / f"lane{number}"
        self.home = self.folder / "home"
        self.home.mkdir(parents=True)
        self.node = FakeNode(self.folder, validate=strictly)
        self.durable: set[str] = set()
        self.flags = [
            "mine", "--address", REGTEST, "--backend", "hashlib", "--threads", "1",
            "--block-interval", "0", "--json",
        ]  # fmt: skip
        if number % 2:  # a named journal is one file, reopened by every miner
            self.flags += ["--journal", str(self.folder / "blocks")]

    def run(self) -> None:
        try:
            with self.node:
                self.flags += ["--node", self.node.url, "--cookie", str(self.node.cookie)]
                self._die_often()
        except Exception as error:  # noqa: BLE001 - a lane must not end in silence
            with self.lock:
                self.told.errors.append(f"{self.name}: {type(error).__name__}: {error}")

    def _die_often(self) -> None:
        zygote = Zygote()
        try:
            for trial in range(self.trials):
                kind = self._kind(trial)
                self._trouble()
                reached = self._die(zygote, trial, kind)
                with self.lock:
                    self.told.trials += 1
                    self.told.kinds[kind] += 1
                    self.told.before_durable += kind in BEFORE_DURABLE
                    if not reached:
                        self.told.not_reached.append(f"{self.name} trial {trial}: {kind} not met")
                self.durable |= set(read_folder(self.folder).found)
            self._live(zygote)
        finally:
            zygote.close()
        self._compare()

    def _kind(self, trial: int) -> str:
        """Every point in turn, and as many deaths at random moments."""
        kinds = (*POINTS, *WIRE)
        turn = trial // 2 + self.number * len(kinds) // LANES
        return kinds[turn % len(kinds)] if trial % 2 else "random"

    def _trouble(self) -> None:
        """Now and then the node is busy, drops calls or answers, or other people mine."""
        self.node.faults.clear()
        if self.dice.random() < 0.3:
            faults: list[Fault] = [
                exchange.busy(), exchange.drop(), exchange.accept_then_close(),
                exchange.failure(-28, "Loading"), Exchange.process,
            ]  # fmt: skip
            self.node.fault("submitblock", *self.dice.choices(faults, k=4))
        if self.dice.random() < 0.1:
            self.node.mine(self.dice.choice((1, 2)), after=self._behind(self.dice.choice((0, 1))))

    def _behind(self, depth: int) -> str:
        """A block so far below the tip: mining on it makes a rival branch."""
        block = self.node.tip
        for _ in range(depth):
            block = self.node.blocks.get(block.previous, block)
        return block.hash

    def _die(self, zygote: Zygote, trial: int, kind: str) -> bool:
        """One miner's life and death; was the point met?"""
        visit = self.dice.randrange(1, {"folder": 2, "connect": 4}.get(kind, 9))
        self.node.watch = killer(zygote, kind, visit)
        at = f"{kind}:{visit}" if kind in POINTS else ""
        out = self.folder / f"out{trial}"
        zygote.start(*self.flags, home=self.home, out=out, crash_at=at)
        if kind == "random":
            time.sleep(self.dice.uniform(0.0, 0.5))
            zygote.kill(signal.SIGKILL)
        status = zygote.wait(MOST_LIFE_S)
        self.node.watch = lambda step, method: None
        if status is None:
            zygote.kill(signal.SIGKILL)
            zygote.wait(5.0)
        self._check_output(out, trial)
        if status == signal.SIGKILL:
            out.unlink(missing_ok=True)
        return status == signal.SIGKILL

    def _check_output(self, out: Path, trial: int) -> None:
        """No traceback, and no block counted twice by one miner."""
        text = out.read_text(errors="replace") if out.exists() else ""
        accepted = Counter(
            line.split('"hash": "')[1][:64]
            for line in text.splitlines()
            if '"type": "block"' in line and '"answer": "accepted"' in line
        )
        with self.lock:
            if "Traceback" in text:
                self.told.errors.append(f"{self.name} trial {trial}: traceback, see {out}")
            self.told.twice += [name for name, times in accepted.items() if times > 1]

    def _live(self, zygote: Zygote) -> None:
        """The last miner settles what the dead have left; rivals get buried so that lost races
        end too."""
        self.node.faults.clear()
        owed, buried = set(self.durable), False
        zygote.start(*self.flags, home=self.home, out=self.folder / "last")
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if not buried and owed <= {entry.hash for entry in self.node.ledger}:
                buried = True
                self.node.mine(101)
            waiting = read_folder(self.folder).waiting
            if buried and not waiting & owed:
                break
            time.sleep(0.2)
        zygote.kill(signal.SIGTERM)
        status = zygote.wait(10.0)
        waiting = read_folder(self.folder).waiting & owed
        with self.lock:
            self.told.unsettled += [f"{self.name}: {name} is not settled" for name in waiting]
            if status != 0:
                self.told.errors.append(f"{self.name}: the last miner ended with {status}")

    def _compare(self) -> None:
        records = read_folder(self.folder)
        sent = {entry.hash for entry in self.node.ledger}
        taken = Counter(entry.hash for entry in self.node.ledger if entry.verdict is None)
        with self.lock:
            self.told.durable += len(self.durable)
            self.told.lost += [f"{self.name}: {name} lost" for name in self.durable - sent]
            self.told.twice += [name for name, times in taken.items() if times > 1]
            self.told.twice += records.twice


def strictly(raw: str, template: dict[str, object]) -> str | None:
    """The independent judge of whole blocks; a block on another parent than the tip's is fine."""
    parsed = blocks.parse_block(bytes.fromhex(raw))
    tip = bytes.fromhex(str(template["previousblockhash"]))[::-1]
    if parsed.previous != tip:
        return None
    height, now = template["height"], template["curtime"]
    assert isinstance(height, int)
    assert isinstance(now, int)
    place = blocks.Place(height, tip, 0, parsed.bits, 5_000_000_000, now, {})
    return blocks.judge(bytes.fromhex(raw), place)


def killer(zygote: Zygote, kind: str, visit: int) -> Callable[[str, str], None]:
    """Kills the miner at its n-th meeting with this step of the wire."""
    left = visit

    def watch(step: str, method: str) -> None:
        nonlocal left
        if step == kind and (method == "submitblock" or kind == "connect"):
            left -= 1
            if left == 0:
                zygote.kill(signal.SIGKILL)

    return watch
