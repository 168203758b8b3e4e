"""A run as a page sees it, made up from a seed: its snapshot at any second of a day.

The numbers hang together (hashes, history, shares, the header's merkle root), so that a page which
mixes them up shows it.
"""

import dataclasses
import hashlib
import math
import random
import types
from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from miner.devices.gpu import Sensors
from miner.state.activity import Activity
from miner.state.history import COARSE_ROWS, FINE_ROWS, Row
from miner.state.luck import Luck, band
from miner.state.rates import Rates
from miner.state.snapshot import (
    AlarmRow,
    BestShare,
    BlocksRow,
    CoinbaseRow,
    DeviceRow,
    FoundShare,
    HistoryRow,
    JobRow,
    LastBlock,
    MachineRow,
    Odds,
    RunRow,
    SharesRow,
    Snapshot,
    SourceRow,
)

GENESIS = (
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e"
    "67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)
DIFF1 = 0xFFFF << 208
DEVICE_HS = 61.2e6
SHARE_S = 12.0  # whatever the number of devices: as a pool sets its difficulty
HEIGHT, REWARD, NBITS = 876_960, 312_512_345, 0x17023A04
R = TypeVar("R")
USER = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
NAMES = ("AMD Ryzen 7 5700G", "NVIDIA GeForce RTX 3060", "Intel Arc A380", "AMD Radeon RX 6600")


def double(raw: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(raw).digest()).digest()


def made(row: type[R], /, **given: Any) -> R:
    """A row with what is given; the rest is nothing, nought or None by its type."""
    hints = get_type_hints(row)
    names = {one.name for one in dataclasses.fields(cast(Any, row))}
    assert set(given) <= names, set(given) - names
    rest = {name: blank(hints[name]) for name in names - set(given)}
    return row(**given, **rest)


def blank(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint):
        return None
    kind = get_origin(hint) or hint
    return kind() if kind in (int, float, str, bool, tuple) else made(kind)


def coinbase_parts(script: bytes, commitment: bytes) -> tuple[tuple[str, str, int], ...]:
    """Of a transaction that pays one address and commits to the witnesses."""
    parts = (
        ("version", "02000000"),
        ("input count", "01"),
        ("previous output", "00" * 32 + "ff" * 4),
        ("script length", "2c"),
        ("height", "03a0610d"),
        ("script", ("/homehash/" * 2).encode().hex()),
        ("extranonce1", "0badcafe"),
        ("extranonce2", ""),
        ("script", "00" * 8),
        ("sequence", "ffffffff"),
        ("output count", "02"),
        ("output 1 value", REWARD.to_bytes(8, "little").hex()),
        ("output 1 script length", "16"),
        ("output 1 script", "0014" + script.hex()),
        ("output 2 value", "00" * 8),
        ("output 2 script length", "26"),
        ("output 2 script", "6a24aa21a9ed" + commitment.hex()),
        ("locktime", "00000000"),
    )
    return tuple((name, text, len(text) // 2 or 8) for name, text in parts)


def fold(coinbase: str, branch: list[bytes]) -> bytes:
    """The merkle root."""
    root = double(bytes.fromhex(coinbase))
    for node in branch:
        root = double(root + node)
    return root


def packed(version: int, prev: bytes, root: bytes, ntime: int, nbits: int) -> bytes:
    """A header without its nonce."""
    front, back = version.to_bytes(4, "little"), ntime.to_bytes(4, "little")
    return front + prev + root + back + nbits.to_bytes(4, "little")


@dataclass(frozen=True)
class Scene:
    """One miner. `now_s` of its methods counts from its start."""

    devices: int = 1
    start_s: float = 1_795_000_000.0  # wall clock
    day_s: float = 86_400.0
    pools: int = 2
    network_difficulty: float = 1.26e14
    text: str = "/homehash/"  # of the coinbase
    block_at_s: float | None = None
    hidden: str = ""  # a text of a stranger, wherever one can stand

    @property
    def rate_hs(self) -> float:
        return self.devices * DEVICE_HS

    @property
    def share_difficulty(self) -> float:
        return self.rate_hs * SHARE_S / 2**32

    @cached_property
    def found(self) -> list[FoundShare]:
        """All shares of the day."""
        rng, at_s = random.Random(self.devices), 0.0
        found: list[FoundShare] = []
        while (at_s := at_s + rng.expovariate(1 / SHARE_S)) < self.day_s:
            difficulty = self.share_difficulty / max(rng.random(), 1e-9)
            answer = "rejected" if rng.random() < 0.03 else "accepted"
            value = int(DIFF1 / difficulty)
            found.append(
                made(
                    FoundShare,
                    found_at_s=self.start_s + at_s,
                    difficulty=difficulty,
                    source="pool.example:3333",
                    number=len(found) + 1,
                    expected=self.hashes(at_s) / (self.share_difficulty * 2**32),
                    hash=f"{value:064x}",
                    header=hashlib.sha256(str(at_s).encode()).digest().hex() * 2 + GENESIS[:32],
                    answer=answer,
                    reason=self.hidden or "low difficulty" if answer == "rejected" else "",
                    latency_s=0.03,
                )
            )
        return found

    def rate_at(self, at_s: float) -> float:
        return self.rate_hs * (1 + 0.02 * math.sin(at_s / 40) + 0.05 * math.sin(at_s / 7000))

    def hashes(self, at_s: float) -> float:
        """The integral of `rate_at`."""
        fast = 0.02 * 40 * (1 - math.cos(at_s / 40))
        return self.rate_hs * (at_s + fast + 0.05 * 7000 * (1 - math.cos(at_s / 7000)))

    def row(self, at_s: float, every_s: float) -> Row:
        rate = (self.hashes(at_s) - self.hashes(at_s - every_s)) / every_s
        return Row(
            self.start_s + at_s, rate, 0.97 * rate, 1.03 * rate, every_s / 12, 0.0, 58.0, 41.0, 0.03
        )

    def history(self, now_s: float, shares: list[FoundShare]) -> HistoryRow:
        rings = []
        for every_s, most in ((5.0, FINE_ROWS), (60.0, COARSE_ROWS)):
            last = int(now_s // every_s)
            first = max(last - most, 0)
            rings.append(tuple(self.row(every_s * n, every_s) for n in range(first + 1, last + 1)))
        return HistoryRow(rings[0], rings[1], tuple(shares[-256:]))

    def job(self, now_s: float) -> JobRow:
        """A new one each 30 s; its header's root is that of its coinbase and branch."""
        number = int(now_s // 30) + 1
        rng = random.Random(number)
        extra, branch = int(now_s).to_bytes(8, "big").hex(), [rng.randbytes(32) for _ in range(12)]
        commitment, script, prev = (
            rng.randbytes(32),
            rng.randbytes(20),
            bytes(8) + rng.randbytes(24),
        )
        parts = coinbase_parts(script, commitment)
        ntime = int(self.start_s + now_s)
        root = fold("".join(text or extra for _, text, _ in parts), branch)
        header = packed(0x2000_0000 | (int(now_s) % 4096) << 16, prev[::-1], root, ntime, NBITS)
        outputs = ((REWARD, USER, True), (0, f"OP_RETURN {commitment.hex()}", False))
        tag = self.hidden or self.text
        coinbase = made(
            CoinbaseRow, height=HEIGHT, tag=tag, total=REWARD, outputs=outputs, parts=parts
        )
        return made(
            JobRow, source="pool.example:3333", job_id=self.hidden or f"{number:x}", jobs=number,
            age_s=now_s % 30, clean=number % 20 == 1, height=HEIGHT, version=0x2000_0000,
            version_mask=0x1FFF_E000, prev_hash=prev[::-1].hex(), nbits=NBITS, ntime=ntime,
            network_target=f"{int(DIFF1 / self.network_difficulty):064x}",
            share_target=f"{int(DIFF1 / self.share_difficulty):064x}",
            network_difficulty=self.network_difficulty, share_difficulty=self.share_difficulty,
            versions_per_scan=16, branch=tuple(node.hex() for node in branch),
            extranonce1="0badcafe", extranonce2=extra, header=header.hex(),
            nonce=int(now_s * 61e6) % 2**32, coinbase=coinbase,
        )  # fmt: skip

    def source(self, n: int, shares: list[FoundShare]) -> SourceRow:
        accepted = sum(share.answer == "accepted" for share in shares) if n == 0 else 0
        lost = len(shares) - accepted if n == 0 else 0
        ready = n != 1 or self.pools != 3
        name = f"{('pool', 'spare', 'third')[n]}.example:3333"
        return made(
            SourceRow, name=name, kind="pool", priority=n,
            url=f"stratum+tcp://{name}", user=f"{USER}.desk",
            active=n == 0, health="ready" if ready else "waiting",
            text=self.hidden or ("" if ready else "refused: connection refused"),
            accepted=accepted, rejected=lost,
            rejected_reasons=((self.hidden or "low difficulty", lost),) if lost else (),
            difficulty=self.share_difficulty if ready else None,
            latency_last_s=0.031 if n == 0 else None, latency_median_s=0.029 if n == 0 else None,
            latency_counts=tuple(min(accepted, accepted * k // 6) for k in range(1, 12)),
            connects=2 - n if ready else 0, failovers=2 if n == 0 else 0,
        )  # fmt: skip

    def device(self, n: int, now_s: float) -> DeviceRow:
        rate = self.rate_at(now_s) / self.devices
        known = n % 3 != 2
        sensors = Sensors(3400.0 + n, 55.0 + n, 41.5 + n, "heat" if n == 4 else "")
        return made(
            DeviceRow, name=f"{NAMES[n % 4]}" + (f" #{n // 4}" if n > 3 else ""),
            kind="cpu" if n % 4 == 0 else "gpu", workers=8 if n % 4 == 0 else 1,
            hashes=int(self.hashes(now_s) / self.devices), rates=self.rates(rate),
            sensors=sensors if known else None, joules=41.5 * now_s if known else None,
            faults=3 if n == 5 else 0,
        )  # fmt: skip

    def rates(self, rate: float) -> Rates:
        return Rates(*(rate * (1 + step / 500) for step in range(6)))

    def best(self, shares: list[FoundShare]) -> tuple[BestShare, ...]:
        """The best nineteen, and the first block ever, which anyone can check."""
        ranked = sorted(shares, key=lambda share: -share.difficulty)[:19]
        rows = [(share, share.header, share.hash) for share in ranked]
        if rows:
            own = replace(rows[0][0], difficulty=2536.43)
            rows.append((own, GENESIS, double(bytes.fromhex(GENESIS))[::-1].hex()))
        rows.sort(key=lambda row: -row[0].difficulty)
        return tuple(
            made(
                BestShare, difficulty=share.difficulty, hash=name, header=header, job_id="1a",
                extranonce2="0000000000000001", ntime=1231006505, nonce=2083236893, version=1,
                source=self.hidden or share.source, found_at_s=share.found_at_s,
            )
            for share, header, name in rows
        )  # fmt: skip

    def shares(self, shares: list[FoundShare], rate: float) -> SharesRow:
        accepted, best = sum(share.answer == "accepted" for share in shares), self.best(shares)
        return made(
            SharesRow, found=len(shares), accepted=accepted, rejected=len(shares) - accepted,
            rejected_reasons=((self.hidden or "low difficulty", len(shares) - accepted),),
            rate_hs=rate, rate_error_hs=rate / math.sqrt(len(shares) or 1),
            best_session=best[0].difficulty if best else None, best_ever=81234.5, best=best,
        )  # fmt: skip

    def blocks(self, now_s: float) -> BlocksRow:
        if self.block_at_s is None or now_s < self.block_at_s:
            return made(BlocksRow)
        last = made(
            LastBlock, hash="00" * 9 + "1a2b3c" * 7 + "4d5e", height=HEIGHT, answer="accepted",
            answered_at_s=self.start_s + self.block_at_s, source="pool.example:3333",
        )  # fmt: skip
        return made(BlocksRow, found=1, accepted=1, last=last)

    def odds(self, rate: float) -> Odds:
        hashes, mainnet = self.network_difficulty * 2**32, 1.26e14
        block_s, mainnet_s = hashes / rate, mainnet * 2**32 / rate
        day, year = -math.expm1(-86400 / block_s), -math.expm1(-31557600 / mainnet_s)
        share_s = self.share_difficulty * 2**32 / rate
        return Odds(rate, share_s, block_s, hashes, day, mainnet, mainnet_s, year)

    def luck(self, now_s: float, found: int) -> Luck:
        expected = self.hashes(now_s) / (self.share_difficulty * 2**32)
        if not expected:
            return Luck(0.0, found, None, None, None)
        low, high = band(expected)
        return Luck(expected, found, found / expected, low / expected, high / expected)

    def snapshot(self, now_s: float) -> Snapshot:
        count = bisect_right(self.found, self.start_s + now_s, key=lambda share: share.found_at_s)
        shares, rate, hashes = self.found[:count], self.rate_at(now_s), self.hashes(now_s)
        alarm = AlarmRow(self.hidden or "pool.example:3333 refuses shares", self.start_s + 60)
        run = made(
            RunRow, version="1.0", activity=Activity.MINING, started_at_s=self.start_s,
            elapsed_s=now_s, hashes=int(hashes), rates=self.rates(rate),
            rate_session_hs=hashes / max(now_s, 1), rate_benchmark_hs=1.06 * self.rate_hs,
        )  # fmt: skip
        return Snapshot(
            run=run,
            sources=tuple(self.source(n, shares) for n in range(self.pools)),
            workers=(),
            devices=tuple(self.device(n, now_s) for n in range(self.devices)),
            job=self.job(now_s),
            shares=self.shares(shares, rate),
            blocks=self.blocks(now_s),
            luck=self.luck(now_s, count),
            odds=self.odds(rate),
            history=self.history(now_s, shares),
            machine=MachineRow("desk", ("192.168.1.9",), NAMES[0], 16, "Linux 6.1", "3.11.7"),
            alarms=(alarm,) if self.pools == 3 else (),
            change=int(now_s) + 1,
        )
