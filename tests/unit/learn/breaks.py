"""How to break each check of the lessons once: none of them can only pass.

A key is lesson/screen/check; a value is what to put in the place of what the lesson uses.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from miner.backends import selftest
from miner.learn import gallery, ledger, mining, payout, trace
from miner.learn.lessons import asicboost, pools, shares, why
from miner.learn.pool import LoopbackPool
from miner.protocol.gbt.verdicts import Judgement, Ruling
from miner.work.unit import build_unit

WRITE, RACE, MINE, POOL = why._write, ledger.race, mining.mine_chain, shares.mine
SOLO, PPLNS, RECORD, UNIT = payout.solo, payout.last_n_shares, trace.record, build_unit


def a_page_missing(seed: int) -> Any:
    pages, tries = WRITE(seed)
    return [pages[0], *pages[2:]], tries


def chains_the_wrong_way(*args: Any) -> Any:
    moments, ours, theirs = RACE(*args)
    return moments, ours[::-1], theirs


def blocks_the_wrong_way(*args: Any) -> Iterator[Any]:
    return iter(list(MINE(*args))[::-1])


def always_the_first_nonce(*args: Any) -> Iterator[Any]:
    return (replace(one, hashes=1) for one in MINE(*args))


def sent_twice(backend: Any, pool: LoopbackPool, *args: Any) -> Any:
    session = POOL(backend, pool, *args)
    session.shares.append(session.shares[0])
    return session


def counted_wrong(factor: int) -> Callable[..., Any]:
    def mine(*args: Any) -> Any:
        session = POOL(*args)
        session.hashes *= factor
        return session

    return mine


def good_block(key: str) -> Callable[..., list[gallery.Fault]]:
    return lambda block, *_: [gallery.Fault(key, block.serialize())]


def refuse(*_: Any) -> Judgement:
    return Judgement(Ruling.DEAD, "high-hash", "")


# A self-test whose backends find nothing.
DEAF = SimpleNamespace(
    BLOCK_125552=selftest.BLOCK_125552, real_block=selftest.real_block, scan_all=lambda *_: None
)
BREAKS: dict[str, dict[str, Any]] = {
    "why/fingerprint/differ": {"why.sha256d": lambda _: bytes(32)},
    "why/chain/whole": {"why._write": a_page_missing},
    "why/changed/seen": {"why._forge": lambda page: page},
    "why/race/whole": {"why.ledger.race": chains_the_wrong_way},
    "header/one/meets": {"header.Header.meets": lambda *_: True},
    "header/checks/trips": {"header.Header.pack": lambda _: bytes(80)},
    "header/checks/proven": {"header.Header.meets": lambda *_: False},
    "header/checks/hash": {"header.display_hex": lambda _: "00" * 32},
    "target/hand/back": {"target.nbits_from_target": lambda _: 0},
    "target/line/count": {"target.EASY_TARGET": 0},
    "target/exact/trips": {"target.nbits_from_target": lambda _: 0},
    "target/exact/refused": {"target.target_from_nbits": lambda _: 1},
    "target/exact/equal": {"target.Share.from_hit": lambda *_: object()},
    "search/mined/linked": {"search.mine_chain": blocks_the_wrong_way},
    "search/waits/law": {"search.mine_chain": always_the_first_nonce},
    "search/broken/caught": {"search.BROKEN_BITS": -40},
    "verdict/autopsy/met": {"verdict.target_from_nbits": lambda _: 0},
    "verdict/coinbase/root": {"verdict.Block.merkle_root": property(lambda _: bytes(32))},
    "verdict/headers/refused": {"verdict.gallery._header_faults": good_block("high-hash")},
    "verdict/coinbases/refused": {"verdict.gallery._coinbase_faults": good_block("bad-cb-length")},
    "verdict/shapes/refused": {"verdict.gallery._shape_faults": good_block("bad-cb-missing")},
    "verdict/good/accepted": {"verdict.OwnNode.submit_share": refuse},
    "shares/session/took": {"shares.mine": sent_twice},
    "shares/estimate/inside": {"shares.mine": counted_wrong(100)},
    "shares/best/likely": {"shares.mine": counted_wrong(10**9)},
    "joules/axis/span": {"joules.QUOTED": ("Antminer S9", "Antminer S21")},
    "joules/block/energy": {"joules.arithmetic.kwh": lambda *_: 1.0},
    "sha256/own/same": {"sha256.sha256": lambda _: bytes(32)},
    "sha256/opened/sums": {"sha256.opened.ch": lambda *_: 0},
    "sha256/half/new": {"sha256.opened.maj": lambda *_: 0},
    "sha256/words/sums": {"sha256.opened.small_sigma0": lambda _: 0},
    "sha256/constants/k": {"sha256.opened.DIGITS": 6},
    "sha256/flip/half": {"sha256.sha256d": lambda _: bytes(32)},
    "sha256/end/double": {"sha256.digest": lambda _: bytes(32)},
    "sha256/end/abc": {"sha256.sha256": lambda _: bytes(32)},
    "ladder/half/mid": {"ladder.trace.record": lambda raw: RECORD(raw[::-1])},
    "ladder/counted/same": {"ladder.header_hash": lambda *_: bytes(32)},
    "ladder/ladder/agreed": {"ladder.selftest": DEAF},
    "coinbase/pieces/pays": {"coinbase.Transaction.is_coinbase": property(lambda _: False)},
    "coinbase/tree/root": {"coinbase.merkle_root": lambda _: bytes(32)},
    "coinbase/extranonce/only_root": {
        "coinbase.build_unit": lambda job, versions, raw, ntime: UNIT(
            job, versions, raw, ntime + raw[-1] % 2
        )
    },
    "coinbase/commitment/both": {"coinbase.witness_root": lambda _: bytes(32)},
    "retarget/real/exact": {"retarget.next_target": lambda _, span, limit: limit},
    "retarget/step/clamped": {"retarget.simulate.__globals__.next_target": lambda was, *_: was},
    "retarget/clock/slow": {
        "retarget.simulate.__globals__.next_target": lambda was, *_: was * 9 // 10
    },
    "pools/alone/tiny": {"pools.arithmetic.chance": lambda *_: 0.5},
    "pools/schemes/means": {
        "pools.payout.solo": lambda *args: replace(SOLO(*args), mean=2 * SOLO(*args).mean)
    },
    "pools/schemes/spreads": {
        "pools.payout.last_n_shares": lambda outlook, window, *args: PPLNS(
            outlook, sum(pools.WINDOWS) - window, *args
        )
    },
    "pools/hopping/rosenfeld": {"pools.payout.hopping_gain": lambda *_: 1.0},
    "pools/ruin/walk": {"pools.payout.reserve_for": lambda *_: 0.5},
    "power/measures/eight": {"power.central.nakamoto": lambda _: 4},
    "power/merged/concentrated": {"power.central.merged": lambda counts, *_: counts},
    "power/odds/paper": {"power.nakamoto_success": lambda *_: 0.1},
    "power/reorg/dropped": {"power.SECRET_BLOCKS": 1},
    "asicboost/chunk/one": {"asicboost.versions_at": lambda base, *_: (base,) * 4},
    "asicboost/saved/fewer": {"asicboost.schedule": lambda _: [0] * 48},
    "asicboost/measured/bounded": {
        "asicboost._measured": lambda *_: asicboost.Gain(((1.0, 9.0),) * 5, 16)
    },
    "attack/catching/agrees": {"attack.nakamoto_success": lambda *_: 0.5},
    "attack/races/sides": {"attack.race": lambda *_: 0.9},
    "attack/growth/early": {"attack.simulate.__globals__.next_target": lambda was, *_: was},
    "attack/clock/warped": {"attack.next_target": lambda was, *_: was * 2},
}
# What else is put aside while a check is broken: time that tells nothing about it.
SHORTER: dict[str, dict[str, Any]] = {
    "ladder/ladder/agreed": {"ladder.rate": lambda *_: 1.0, "ladder._naive": lambda *_: 1.0},
}
