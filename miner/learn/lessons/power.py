"""Who mines? Concentration of mining, and a real reorganisation."""

import math
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from miner.learn import centralisation as central
from miner.learn import tags
from miner.learn.attack import nakamoto_success
from miner.learn.chain import read
from miner.learn.live import Live, Series, Shown, word
from miner.learn.own_node import OwnNode
from miner.learn.steps import Setting
from miner.protocol.gbt.job import block_hex
from miner.protocol.gbt.verdicts import Ruling
from miner.work.found import Share

OTHERS = "others"  # in the data: those without a name
DATA = "pools.json"  # dated and sourced counts
SHOWN = 12
SHARED_BLOCKS, PUBLIC_BLOCKS, SECRET_BLOCKS = 2, 2, 3
ODDS_SHARES, ODDS_BLOCKS = (0.1, 0.2, 0.3, 0.4), (1, 3, 5, 6)


def screens(setting: Setting) -> Iterator[Live]:
    """Measures on counts of blocks, the same after a merger, then a real reorganisation."""
    counts, origin = _counts(setting)
    yield _measures(counts, origin)
    yield _merged(counts)
    yield Live(
        "odds",
        odds=[
            (f"{100 * q:.0f} %", *(word("chance", p=nakamoto_success(q, z)) for z in ODDS_BLOCKS))
            for q in ODDS_SHARES
        ],
        paper=abs(nakamoto_success(0.1, 5) - 0.0009137) < 5e-8,
        code=nakamoto_success,
    )
    yield _reorganisation(setting)


def _counts(setting: Setting) -> tuple[dict[str, float], Shown]:
    if setting.pools_file is not None:
        return central.load(setting.pools_file), word("file", name=setting.pools_file.name)
    if setting.node is not None:
        cookie = Path(setting.cookie) if setting.cookie else None
        return tags.count(setting.node, cookie), word("node")
    data = read(DATA)
    counts = {name: float(blocks) for name, blocks in data["blocks"].items()}
    return counts, word("data", date=data["date"], source=data["source"])


def _four(counts: dict[str, float]) -> list[tuple[Shown, Shown]]:
    """Each measure with its value."""
    blocks = list(counts.values())
    return [
        ("Nakamoto", central.nakamoto(blocks)),
        ("HHI", round(central.hhi(blocks))),
        ("Gini", round(central.gini(blocks), 3)),
        (word("measure"), word("bits", value=central.entropy_bits(blocks))),
    ]


def _measures(counts: dict[str, float], origin: Shown) -> Live:
    top = sorted(counts.items(), key=lambda item: -item[1])[:SHOWN]
    equal = [1.0] * 8
    like = 2 ** central.entropy_bits(list(counts.values()))
    means = [word(key, equal=like) for key in ("nakamoto", "hhi", "gini", "entropy")]
    return Live(
        "measures",
        counts=Series(
            [word(name) if name == OTHERS else name for name, _ in top],
            [blocks for _, blocks in top],
        ),
        origin_of=origin,
        measures=[(*row, means[place]) for place, row in enumerate(_four(counts))],
        eight=central.nakamoto(equal) == 5
        and math.isclose(central.hhi(equal), 1250)
        and math.isclose(central.gini(equal), 0, abs_tol=1e-12)
        and math.isclose(central.entropy_bits(equal), 3),
        code=central.nakamoto,
    )


def _merged(counts: dict[str, float]) -> Live:
    data = read(DATA)
    known = all(name in counts for name in data["suspected"])
    smallest = sorted(counts, key=lambda name: counts[name])[: min(3, len(counts))]
    group = list(data["suspected"]) if known else smallest
    after = central.merged(counts, group, "one operator")
    total = sum(counts.values())
    pairs = combinations([100 * counts[name] / total for name in group], 2)
    more = central.hhi(list(after.values())) - central.hhi(list(counts.values()))
    return Live(
        "merged",
        known=known,
        group=", ".join(group),
        source=data["suspected_source"].partition(",")[0],
        merged=[(*row, later) for row, (_, later) in zip(_four(counts), _four(after), strict=True)],
        concentrated=math.isclose(more, sum(2 * one * other for one, other in pairs), abs_tol=1e-6),
        code=central.merged,
    )


def _reorganisation(setting: Setting) -> Live:
    setting.progress(word("mining"))
    with OwnNode() as public, OwnNode() as secret:
        for place in range(SHARED_BLOCKS):
            share, _ = public.mine(setting.seed + place)
            public.submit_share(share)
            secret.submit(_raw(share))
        honest = [_mine_on(public, setting.seed + 100 + n) for n in range(PUBLIC_BLOCKS)]
        hidden = [_mine_on(secret, setting.seed + 200 + n) for n in range(SECRET_BLOCKS)]
        before = _tip(public)
        rows: list[tuple[Shown, ...]] = [(word("public"), "", word("two", tip=before[:12]))]
        for share in hidden:
            verdict = public.submit(_raw(share))
            answer = verdict.reason or word("accepted")
            name = word("secret", hash=share.hash_hex[:8])
            rows.append((name, answer, word("tip", tip=_tip(public)[:12])))
        dropped = before == honest[-1].hash_hex and _tip(public) == hidden[-1].hash_hex
    return Live(
        "reorg",
        blocks=rows,
        dropped=dropped and verdict.ruling is Ruling.ACCEPTED,
        code=OwnNode.submit,
    )


def _tip(node: OwnNode) -> str:
    return str(node.rpc.call("getbestblockhash"))


def _raw(share: Share) -> bytes:
    return bytes.fromhex(block_hex(share))


def _mine_on(node: OwnNode, seed: int) -> Share:
    share, _ = node.mine(seed)
    node.submit_share(share)
    return share
