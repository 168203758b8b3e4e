"""The node judges: a block of the learner's own, taken apart, broken and handed in."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from miner.bitcoin.block import Block
from miner.bitcoin.coinbase import subsidy
from miner.bitcoin.header import Header
from miner.bitcoin.target import target_from_nbits
from miner.learn import gallery, trace
from miner.learn.lessons.header import fields
from miner.learn.live import Live, Shown, word
from miner.learn.own_node import OwnNode
from miner.learn.steps import Setting
from miner.protocol.gbt.job import block_hex, make_job
from miner.protocol.gbt.verdicts import Judgement, Ruling, judge
from miner.work.found import Share

REGTEST_HALVING = 150
TEMPLATE = ("height", "previousblockhash", "version", "bits", "curtime", "coinbasevalue")
CELL = 48  # characters of a value that are shown
ROOMS = ("headers", "coinbases", "shapes")


def screens(setting: Setting) -> Iterator[Live]:
    """Mine on a real engine, take the block apart, break it in every way, then hand it in."""
    with OwnNode() as own:
        reply, _ = own.template()
        share, tries = own.mine(setting.seed)
        block = Block.parse(bytes.fromhex(block_hex(share)))
        yield Live(
            "template",
            template=[(name, _cut(str(reply[name]))) for name in TEMPLATE],
            subsidy=subsidy(1, REGTEST_HALVING),
            code=make_job,
        )
        yield _autopsy(share, tries)
        yield _coinbase(block, reply)
        median = int(own.rpc.call("getblockchaininfo")["mediantime"])
        faults = gallery.faults(block, reply["height"], median, int(time.time()))
        for room, part in zip(ROOMS, faults, strict=True):
            yield _room(room, [(fault, own.submit(fault.raw)) for fault in part])
        yield _good(own, share)


def _cut(text: str) -> str:
    return text if len(text) <= CELL else f"{text[:CELL]}.."


def _words(step: trace.Compression) -> str:
    return " ".join(f"{one:08x}" for one in step.after[:5])


def _autopsy(share: Share, tries: int) -> Live:
    steps = trace.record_double(share.header)
    target = target_from_nbits(Header.parse(share.header).nbits)
    return Live(
        "autopsy",
        tries=tries,
        chunk1=_words(steps[0]),
        chunk2=_words(steps[1]),
        hash=share.hash_hex,
        target=f"{target:064x}",
        met=share.value <= target,
        code=Share.from_hit,
        **fields(share.header),
    )


def _coinbase(block: Block, reply: dict[str, Any]) -> Live:
    coinbase = block.transactions[0]
    script = coinbase.inputs[0].script
    return Live(
        "coinbase",
        script={"height": script[:1], "extranonce": script[1:10], "tag": script[10:]},
        height=reply["height"],
        root=block.merkle_root == block.header.merkle_root,
        size=len(block.serialize()),
        coinbase_size=len(coinbase.serialize()),
    )


def _room(name: str, verdicts: Sequence[tuple[gallery.Fault, Judgement]]) -> Live:
    rows: list[tuple[Shown, ...]] = []
    for fault, verdict in verdicts:
        reason = verdict.reason.removeprefix("submitblock: the node answered ").partition(":")[0]
        rows.append((word(fault.key), f"**{reason}**", word(f"means-{fault.key}")))
    refused = all(_matches(fault, verdict) for fault, verdict in verdicts)
    return Live(name, rejects=rows, refused=refused, count=len(rows), code=gallery.faults)


def _matches(fault: gallery.Fault, verdict: Judgement) -> bool:
    if fault.key == gallery.CUT_OFF:
        return verdict.ruling is Ruling.DEAD and "-22" in verdict.reason
    return verdict.ruling is not Ruling.ACCEPTED and verdict.reason.startswith(fault.key)


def _good(own: OwnNode, share: Share) -> Live:
    first, second = own.submit_share(share), own.submit_share(share)
    height = own.rpc.call("getblockcount")
    accepted = first.ruling is Ruling.ACCEPTED
    return Live(
        "good",
        first=word("accepted") if accepted else first.reason,
        second=second.reason,
        again=word("again"),
        height=height,
        accepted=accepted and height == share.unit.job.height,
        code=judge,
    )
