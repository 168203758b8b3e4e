"""Lesson 8: the node judges."""

import time
from collections.abc import Iterator
from typing import Any

from miner.bitcoin.block import Block
from miner.bitcoin.coinbase import subsidy
from miner.bitcoin.header import Header
from miner.bitcoin.target import target_from_nbits
from miner.learn import gallery, trace
from miner.learn.answers import number_judge, word_judge
from miner.learn.lessons.header import fields
from miner.learn.own_node import OwnNode
from miner.learn.steps import (
    Bytes,
    Check,
    Field,
    Question,
    Screen,
    Setting,
    Table,
    Text,
    code,
)  # fmt: skip
from miner.protocol.gbt.job import block_hex, make_job
from miner.protocol.gbt.verdicts import Judgement, Ruling, judge
from miner.work.found import Share

REGTEST_HALVING = 150
ROWS = 6  # exhibits a screen


def screens(setting: Setting) -> Iterator[Screen]:
    """Mine on a real engine, take the block apart, break it in every way, then hand it in."""
    with OwnNode() as own:
        reply, _ = own.template()
        share, tries = own.mine(setting.seed)
        block = Block.parse(bytes.fromhex(block_hex(share)))
        yield _template(reply)
        yield _autopsy(share, tries)
        yield _coinbase(block, reply)
        exhibits = gallery.faults(block, reply["height"], _median_time(own), int(time.time()))
        verdicts = [(fault, own.submit(fault.raw)) for fault in exhibits]
        for at in range(0, len(verdicts), ROWS):
            yield _gallery(verdicts[at : at + ROWS], at // ROWS + 1)
        yield _good(own, share)


def _median_time(own: OwnNode) -> int:
    """Median time of the last 11 blocks, as the node says it."""
    return int(own.rpc.call("getblockchaininfo")["mediantime"])


def _template(reply: dict[str, Any]) -> Screen:
    shown = ("height", "previousblockhash", "version", "bits", "curtime", "coinbasevalue")
    return Screen(
        "A template from Bitcoin Core's own rules",
        (
            Text(
                "This program contains the consensus engine of Bitcoin Core. A small node around "
                "it was just started on **regtest**, a private chain where every second hash is a "
                "block. It is asked what the next block must look like:"
            ),
            Table("getblocktemplate", ("field", "value"), tuple((k, str(reply[k])) for k in shown)),
            code(make_job),
            Question(
                "How many satoshi may the first blocks of a chain create?",
                str(subsidy(1, REGTEST_HALVING)),
                number_judge(subsidy(1, REGTEST_HALVING)),
                "50 coins of 100,000,000 satoshi.",
            ),
        ),
    )


def _autopsy(share: Share, tries: int) -> Screen:
    steps = trace.record_double(share.header)
    target = target_from_nbits(Header.parse(share.header).nbits)
    return Screen(
        "Your block, found a moment ago",
        (
            Text(f"Your computer found it at try **{tries}**. Its header:"),
            Bytes("80 bytes", fields(share.header)),
            Table(
                "three compressions, then one comparison",
                ("", "value"),
                (
                    (
                        "after chunk 1",
                        " ".join(f"{word:08x}" for word in steps[0].after[:5]) + " ..",
                    ),
                    (
                        "after chunk 2",
                        " ".join(f"{word:08x}" for word in steps[1].after[:5]) + " ..",
                    ),
                    ("hash", share.hash_hex),
                    ("target", f"{target:064x}"),
                ),
            ),
            Check("the hash is at most the target", share.value <= target, "hash <= target"),
            code(Share.from_hit),
        ),
    )


def _words(step: trace.Compression) -> str:
    return " ".join(f"{word:08x}" for word in step.after[:5]) + " .."


def _coinbase(block: Block, reply: dict[str, Any]) -> Screen:
    raw = block.transactions[0].serialize()
    script = block.transactions[0].inputs[0].script
    parts = (
        Field("height", script[:1], f"block {reply['height']}, says BIP 34"),
        Field("extranonce", script[1:10], "8 bytes to change when all nonces are used up"),
        Field("tag", script[10:], "free words: who mined it"),
    )
    return Screen(
        "The transaction that pays you",
        (
            Text(
                "The first transaction, the **coinbase**, has no sender: its input is a script in "
                "which the miner writes."
            ),
            Bytes("the coinbase script", parts),
            Check(
                "the merkle root in the header is computed from it",
                block.merkle_root == block.header.merkle_root,
                "Block.parse(raw).merkle_root",
            ),
            Text(f"Whole block: {len(block.serialize())} bytes, coinbase {len(raw)} of them."),
        ),
    )


def _gallery(verdicts: list[tuple[gallery.Fault, Judgement]], number: int) -> Screen:
    rows, as_expected = [], True
    for fault, verdict in verdicts:
        as_expected &= _matches(fault, verdict)
        rows.append((fault.change, f"**{_word(verdict)}**", verdict.explanation))
    return Screen(
        f"The reject gallery, room {number}",
        (
            Text("Your block with **one** thing changed, the work done again, and what the engine "
                 "answered:"),
            Table("", ("changed", "verdict", "meaning"), tuple(rows)),
            Check(
                f"all {len(rows)} were refused, each for its own fault",
                as_expected,
                "submitblock, with the changed block as hex",
            ),
            code(gallery.faults),
        ),
    )  # fmt: skip


def _word(verdict: Judgement) -> str:
    return verdict.reason.removeprefix("submitblock: the node answered ").partition(":")[0]


def _matches(fault: gallery.Fault, verdict: Judgement) -> bool:
    if fault.word == "error -22":
        return verdict.ruling is Ruling.DEAD and "-22" in verdict.reason
    return verdict.ruling is not Ruling.ACCEPTED and verdict.reason.startswith(fault.word)


def _good(own: OwnNode, share: Share) -> Screen:
    first, second = own.submit_share(share), own.submit_share(share)
    height = own.rpc.call("getblockcount")
    return Screen(
        "And the block as it was",
        (
            Table(
                "",
                ("sent", "verdict"),
                (
                    ("your block, unchanged", f"**{first.explanation}**"),
                    ("the same once more", f"**{second.reason}**: {second.explanation}"),
                    ("height of the chain now", str(height)),
                ),
            ),
            Check(
                "Bitcoin Core's consensus code accepted your block",
                first.ruling is Ruling.ACCEPTED and height == share.unit.job.height,
                "miner mine --blocks 1",
            ),
            Text(
                "No vote, no authority: every node runs these checks for itself. Work makes a "
                "block costly; the rules make it valid."
            ),
            code(judge),
            Question(
                "A block has more work than any other, but pays its miner one satoshi too much. "
                "Do the nodes take it? (yes/no)",
                "no",
                word_judge("no", "n"),
                "Work never buys an exception.",
            ),
        ),
    )
