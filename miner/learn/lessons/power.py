"""Lesson 12: who mines?"""

import math
from collections.abc import Iterator
from pathlib import Path

from miner.learn import centralisation as central
from miner.learn import tags
from miner.learn.answers import near_judge, number_judge, word_judge
from miner.learn.attack import nakamoto_success
from miner.learn.own_node import OwnNode
from miner.learn.steps import (
    Bars,
    Check,
    Question,
    Screen,
    Setting,
    Table,
    Text,
    code,
)  # fmt: skip
from miner.protocol.gbt.job import block_hex
from miner.protocol.gbt.verdicts import Ruling
from miner.work.found import Share

# Made-up counts to learn the measures on; no real pool is meant and none is named.
EXAMPLE = {"miner A": 30.0, "miner B": 26.0, "pool C": 20.0, "pool D": 14.0, "pool E": 10.0}
PROXIES = ("pool C", "pool D", "pool E")  # suppose one operator stands behind them
SHOWN = 10
SHARED_BLOCKS, PUBLIC_BLOCKS, SECRET_BLOCKS = 2, 2, 3


def screens(setting: Setting) -> Iterator[Screen]:
    """Measures on counts of blocks, the same after a merger, then a real reorganisation."""
    counts, origin = _counts(setting)
    yield _measures(counts, origin)
    yield _merged(counts)
    yield _odds()
    yield _reorganisation(setting)


def _counts(setting: Setting) -> tuple[dict[str, float], str]:
    if setting.pools_file is not None:
        return central.load(setting.pools_file), f"your file {setting.pools_file.name}"
    if setting.node is not None:
        cookie = Path(setting.cookie) if setting.cookie else None
        return tags.count(setting.node, cookie), "coinbase tags of the last blocks of your node"
    return dict(EXAMPLE), "made-up counts, to learn the measures; give --pools FILE or --node URL"


def _measure_rows(counts: dict[str, float]) -> tuple[tuple[str, str, str], ...]:
    blocks = list(counts.values())
    return (
        ("Nakamoto coefficient", str(central.nakamoto(blocks)), "miners needed for more than half"),
        ("HHI", f"{central.hhi(blocks):,.0f}", "10,000 for one miner, 10,000 / n for n equal"),
        ("Gini", f"{central.gini(blocks):.3f}", "0 all equal, towards 1 unequal"),
        ("entropy", f"{central.entropy_bits(blocks):.2f} bits",
         f"like {2 ** central.entropy_bits(blocks):.1f} equal miners"),
    )  # fmt: skip


def _measures(counts: dict[str, float], origin: str) -> Screen:
    top = sorted(counts.items(), key=lambda item: -item[1])[:SHOWN]
    equal = [1.0] * 8
    return Screen(
        "Four ways to measure power",
        (
            Bars(
                "blocks found",
                tuple(name for name, _ in top),
                tuple(blocks for _, blocks in top),
                "blocks",
                note=f"source: {origin}",
            ),
            Table("", ("measure", "value", "meaning"), _measure_rows(counts)),
            Check(
                "eight equal miners give 5, 1,250, 0 and 3 bits, as they must",
                central.nakamoto(equal) == 5
                and math.isclose(central.hhi(equal), 1250)
                and math.isclose(central.gini(equal), 0, abs_tol=1e-12)
                and math.isclose(central.entropy_bits(equal), 3),
                "nakamoto, hhi, gini, entropy_bits of eight ones",
            ),
            code(central.nakamoto),
            Question(
                "Three equal miners: what is the Nakamoto coefficient?",
                "2",
                number_judge(2),
                "Two of three have more than half.",
            ),
        ),
    )


def _merged(counts: dict[str, float]) -> Screen:
    group = [name for name in PROXIES if name in counts] or _smallest(counts)
    after = central.merged(counts, group, "one operator")
    before_rows, after_rows = _measure_rows(counts), _measure_rows(after)
    return Screen(
        "Same blocks, another answer",
        (
            Text(
                f"Suppose {', '.join(group)} only pass on the work of one operator. The blocks "
                "stay as they are; who decides what goes into them does not. Watch Gini: fewer "
                "and larger miners can look more equal, so one measure alone misleads."
            ),
            Table(
                "",
                ("measure", "as named", "as suspected"),
                tuple((b[0], b[1], a[1]) for b, a in zip(before_rows, after_rows, strict=True)),
            ),
            Check(
                "merging never lowers concentration",
                central.hhi(list(after.values())) >= central.hhi(list(counts.values()))
                and central.nakamoto(list(after.values()))
                <= central.nakamoto(list(counts.values())),
                "hhi before <= hhi after",
            ),
            code(central.merged),
            Question(
                "Does the chain itself tell who stands behind a pool's name? (yes/no)",
                "no",
                word_judge("no", "n"),
                "A tag is free text. Every figure of centralisation rests on a guess about names.",
            ),
        ),
    )


def _smallest(counts: dict[str, float]) -> list[str]:
    return sorted(counts, key=lambda name: counts[name])[: min(3, len(counts))]


def _odds() -> Screen:
    shares = (0.1, 0.2, 0.3, 0.4)
    rows = tuple(
        (f"{q:.0%}", *(f"{nakamoto_success(q, z):.7f}" for z in (1, 3, 5, 6))) for q in shares
    )
    return Screen(
        "What a share of power can do",
        (
            Table(
                "chance to replace a payment with z blocks after its own",
                ("share", "z = 1", "z = 3", "z = 5", "z = 6"),
                rows,
                "S. Nakamoto, 2008, section 11",
            ),
            Check(
                "10 % against z = 5: 0.0009137, as the paper prints",
                abs(nakamoto_success(0.1, 5) - 0.0009137) < 5e-8,
                "nakamoto_success(0.1, 5)",
            ),
            code(nakamoto_success),
            Question(
                "With 30 %, the chance against z = 6 is about how many percent?",
                "13.2",
                near_judge(12.5, 16),
                "Nakamoto's table suggests z = 5 against a tenth of all power. Lesson 14 goes on.",
            ),
        ),
    )


def _reorganisation(setting: Setting) -> Screen:  # one screen, mostly its text
    with OwnNode() as public, OwnNode() as secret:
        for place in range(SHARED_BLOCKS):
            share, _ = public.mine(setting.seed + place)
            public.submit_share(share)
            secret.submit(_raw(share))
        honest = [_mine_on(public, setting.seed + 100 + n) for n in range(PUBLIC_BLOCKS)]
        hidden = [_mine_on(secret, setting.seed + 200 + n) for n in range(SECRET_BLOCKS)]
        before = public.rpc.call("getbestblockhash")
        rows = [("public", f"two blocks on top, tip {before[:18]}", "")]
        for share in hidden:
            verdict = public.submit(_raw(share))
            tip = public.rpc.call("getbestblockhash")
            rows.append(
                (
                    f"secret {share.hash_hex[:8]}..",
                    verdict.reason or "accepted",
                    f"tip {tip[:20]}..",
                )
            )
        after = public.rpc.call("getbestblockhash")
        last = verdict.ruling
    return Screen(
        "A real reorganisation",
        (
            Text(
                "Two nodes with Bitcoin Core's engine agree on two blocks, then are cut off from "
                "each other. The public one finds two more; the other, in secret, three. Then the "
                "secret blocks are handed to the public node, one by one:"
            ),
            Table("", ("block", "verdict", "best chain after it"), tuple(rows)),
            Check(
                "the public node dropped its own two blocks and follows the branch with more work",
                before == honest[-1].hash_hex and after == hidden[-1].hash_hex
                and last is Ruling.ACCEPTED,
                "getbestblockhash before and after",
            ),
            Text(
                "`inconclusive` means: kept, but not the best chain. What counts is the **work** "
                "in a branch, not its number of blocks. A payment in the two lost blocks would be "
                "gone. No rule was broken."
            ),
            code(OwnNode.submit),
        ),
    )  # fmt: skip


def _raw(share: Share) -> bytes:
    return bytes.fromhex(block_hex(share))


def _mine_on(node: OwnNode, seed: int) -> Share:
    share, _ = node.mine(seed)
    node.submit_share(share)
    return share
