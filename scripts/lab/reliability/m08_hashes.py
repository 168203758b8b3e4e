"""M8: every backend against hashlib: random headers, and solutions planted at every edge."""

import random
from hashlib import sha256

from lab.reliability.measure import NotRun, Row, Run

from miner.backends import registry
from miner.backends.base import Backend, Hit, OpenOptions
from miner.errors import MinerError

EDGES = (0, 1, 2, 7, 8, 63, 64, 2**31 - 1, 2**31, 2**32 - 9, 2**32 - 2, 2**32 - 1)
SHARE_OF_HITS = 2**253  # every eighth hash is a hit: wrong and missed ones both show
NONCES = 512  # of one random unit
SLOW = {"python": 200, "hashlib": 4, "numpy": 4}  # a smaller sample there


class Unit:
    """What a backend reads: 76 bytes, versions, target."""

    def __init__(self, dice: random.Random, versions: int, target: int) -> None:
        self.versions = tuple(sorted(dice.sample(range(2**32), versions)))
        self.prefix = self.versions[0].to_bytes(4, "little") + dice.randbytes(72)
        self.target = target

    def value(self, version: int, nonce: int) -> int:
        header = version.to_bytes(4, "little") + self.prefix[4:] + nonce.to_bytes(4, "little")
        return int.from_bytes(sha256(sha256(header).digest()).digest(), "little")

    def hits(self, start: int, count: int) -> list[Hit]:
        """By hashlib alone, in the contract's order."""
        pairs = ((v, n) for n in range(start, start + count) for v in self.versions)
        return [Hit(v, n) for v, n in pairs if self.value(v, n) <= self.target]


def measure(run: Run) -> list[Row]:
    rows: list[Row] = []
    names = [row.name for row in registry.probe_all() if row.usable]
    for name in names:
        try:
            backend = registry.open_named(name, OpenOptions(run.folder))
        except MinerError as error:
            rows.append(Row("M8", f"{name}", f"NOT RUN: {error}", "", 0))
            continue
        rows += [headers(run, name, backend), planted(run, name, backend)]
        backend.close()
    if not rows:
        raise NotRun("no backend is usable")
    return rows


def scan_all(backend: Backend, unit: Unit, start: int, count: int) -> list[Hit]:
    """The whole range; a backend may stop early and go on."""
    hits: list[Hit] = []
    end = start + count
    while start < end:
        result = backend.scan(unit, start, end - start)
        hits += result.hits
        start += result.hashes // len(unit.versions)
    return hits


def headers(run: Run, name: str, backend: Backend) -> Row:
    """Random headers: exactly hashlib's hits."""
    wanted = run.pick(5_000, 60_000, 1_000_000) // SLOW.get(name, 1)
    dice, done, wrong = run.dice(name), 0, []
    while done < wanted:
        versions = dice.choice((1, 2, 3, max(backend.info.versions_wanted, 1)))
        unit = Unit(dice, versions, SHARE_OF_HITS)
        count = dice.randrange(1, NONCES)
        start = dice.choice((0, 2**32 - count, dice.randrange(2**32 - count)))
        if scan_all(backend, unit, start, count) != unit.hits(start, count):
            wrong.append(f"{name}: {unit.prefix.hex()} {unit.versions} from {start}, {count}")
        done += count * versions
    return Row("M8", f"{name}: random headers against hashlib", f"{len(wrong)} units differ",
               "0 differ", done, len(wrong), notes=tuple(wrong[:2]))  # fmt: skip


def planted(run: Run, name: str, backend: Backend) -> Row:
    """One solution whose hash equals the target, at an edge of the range or of all nonces."""
    wanted = max(run.pick(40, 300, 10_000) // SLOW.get(name, 1), len(EDGES))
    dice, wrong = run.dice(f"planted {name}"), []
    for number in range(wanted):
        nonce = EDGES[number % len(EDGES)] if number % 2 else dice.randrange(2**32)
        unit = Unit(dice, dice.choice((1, 2, 5)), 0)
        version = dice.choice(unit.versions)
        unit.target = unit.value(version, nonce)
        before = dice.choice((0, 0, 1, 7, 40))
        start, after = max(nonce - before, 0), dice.choice((1, 1, 2, 9, 65))
        count = min(nonce + after, 2**32) - start
        hits = scan_all(backend, unit, start, count)
        if Hit(version, nonce) not in hits or hits != unit.hits(start, count):
            wrong.append(f"{name}: nonce {nonce} in {start} + {count}: {hits}")
    return Row("M8", f"{name}: planted solutions found", f"{wanted - len(wrong)} of {wanted}",
               "all", wanted, len(wrong), notes=tuple(wrong[:2]))  # fmt: skip
