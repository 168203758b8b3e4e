"""What sets the node's chains apart, as values: the kernel judges, these make work it will accept.

`REGTEST` is the practice chain. `TESTNET4` is a private chain under testnet4's rules: nobody is
connected to, so it begins at testnet4's genesis block and holds what is mined here, at difficulty 1
as in January 2009. Its first period contains that genesis block of 2024, so the first retarget
leaves the limit as it is, and blocks 1 to 4,031 have difficulty 1.
"""

from dataclasses import dataclass

from miner.bitcoin.target import (
    EASIEST_NBITS,
    PERIOD,
    nbits_from_target,
    next_target,
    target_from_nbits,
)
from miner.node.index import Row

TEN_MINUTES_S = 600
PRIVATE = "private class chain; its coins exist only here"
STAYS_AT_1 = "difficulty stays at 1 for the first 4,031 blocks: 4.29e9 hashes each"


@dataclass(frozen=True, slots=True)
class Difficulty:
    """How the bits of a block follow from those before it (Bitcoin Core's pow.cpp)."""

    limit: int  # nbits of the easiest target
    retargets: bool = True  # every 2,016 blocks
    easy_after_s: int | None = None  # a block that much later than its parent has the limit
    by_first: bool = False  # BIP 94: a retarget starts from its period's first block, not the last

    def next_nbits(self, tip: Row, seconds: int) -> int:
        """Of a block on `tip` with this header time."""
        if not self.retargets:
            return self.limit
        if (tip.height + 1) % PERIOD:
            return self._within_period(tip, seconds)
        first = tip.ancestor(tip.height - PERIOD + 1)
        before = target_from_nbits((first if self.by_first else tip).header.nbits)
        span = tip.header.time - first.header.time
        return nbits_from_target(next_target(before, span, target_from_nbits(self.limit)))

    def _within_period(self, tip: Row, seconds: int) -> int:
        """The parent's, or with the testnets' exception that of the last block without it."""
        if self.easy_after_s is None:
            return tip.header.nbits
        if seconds > tip.header.time + self.easy_after_s:
            return self.limit
        while tip.parent and tip.height % PERIOD and tip.header.nbits == self.limit:
            tip = tip.parent
        return tip.header.nbits


@dataclass(frozen=True, slots=True)
class ChainRules:
    """A chain the node can keep. Addresses follow from its name."""

    name: str  # Bitcoin Core's
    kernel: str  # the kernel's chain type
    difficulty: Difficulty
    period: int  # blocks of a difficulty period, as BIP 94's limit on times counts them
    halving: int  # blocks
    rpc_port: int  # where its clients look first
    pace_s: float  # seconds between blocks for which `miner node` holds work back, unless told
    # Is work so cheap that a block can be judged before it is mined? Without that, one bad
    # transaction would spoil everybody's work unseen: blocks hold the coinbase alone.
    proposals: bool = True
    testdummy: bool = False  # is BIP 9's test deployment open?
    warnings: tuple[str, ...] = ()  # what whoever asks is told

    @property
    def private(self) -> bool:
        """Does a public chain of the same name and genesis block exist?"""
        return bool(self.warnings)


REGTEST = ChainRules(
    name="regtest",
    kernel="REGTEST",
    difficulty=Difficulty(EASIEST_NBITS["regtest"], retargets=False),
    period=144,
    halving=150,
    rpc_port=18443,
    pace_s=1.0,  # every second hash is a block: it would outrun its clock and its subsidy
    testdummy=True,
)
TESTNET4 = ChainRules(
    name="testnet4",
    kernel="TESTNET_4",
    difficulty=Difficulty(EASIEST_NBITS["testnet4"], easy_after_s=2 * TEN_MINUTES_S, by_first=True),
    period=PERIOD,
    halving=210_000,
    rpc_port=48332,
    pace_s=0.0,
    proposals=False,
    warnings=(PRIVATE, STAYS_AT_1),
)
CHAINS = {rules.name: rules for rules in (REGTEST, TESTNET4)}
