"""Lesson 6: from transactions to the merkle root, by hand."""

from collections.abc import Iterator

from miner.backends.base import NONCES
from miner.bitcoin.address import script_from_address
from miner.bitcoin.coinbase import commitment_script, push_height, witness_root
from miner.bitcoin.encoding import display_hex, sha256d
from miner.bitcoin.merkle import merkle_branch, merkle_root, root_from_branch
from miner.bitcoin.tx import Transaction
from miner.gap import hardware
from miner.learn.answers import number_judge
from miner.learn.chain import read
from miner.learn.mining import PAYOUT
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
from miner.protocol.gbt.job import MiningPlan, make_job
from miner.protocol.gbt.template import Template, parse_template
from miner.work.job import Job
from miner.work.roll import Roller
from miner.work.unit import build_unit

TAG = b"/homehash/"
CORE_HS = 35e6  # one core with its vector units, for a comparison


def screens(setting: Setting) -> Iterator[Screen]:
    """Coinbase in pieces, the tree, one extranonce step, and the commitment."""
    full = parse_template(read("template_40.json")["template"], "regtest")
    plan = MiningPlan(script_from_address(PAYOUT, "regtest"), TAG)
    job = make_job(full, plan, source="lesson", job_id="6", clean=True)
    extranonce = setting.seed.to_bytes(8, "big", signed=True)
    yield _pieces(job, full, extranonce)
    yield _tree(job, full, extranonce)
    yield _extranonce(job, extranonce)
    yield _commitment(full)


def _pieces(job: Job, template: Template, extranonce: bytes) -> Screen:
    raw, before = job.coinbase.fill(extranonce), len(job.coinbase.part1)
    tx = Transaction.parse(raw)
    height = len(push_height(template.height))
    script_at = before - height - 1
    end = before + 9 + len(TAG)
    parts = (
        Field("before", raw[:script_at], "version, one input that spends nothing"),
        Field("height", raw[script_at : script_at + height], f"block {template.height}, BIP 34"),
        Field("extranonce", raw[script_at + height : before + 8], "ours to change"),
        Field("tag", raw[before + 8 : end], TAG.decode()),
        Field("sequence", raw[end : end + 4], "of the input: not final, so the locktime counts"),
        Field("outputs", raw[end + 4 : -4], "the payout, then the witness commitment"),
        Field("locktime", raw[-4:], "the height before this one: BIP 54's rule to come"),
    )
    return Screen(
        "A transaction that comes from nowhere",
        (
            Text(
                "Recorded from a Bitcoin Core node with 40 transactions waiting. The miner adds "
                "one in front: the **coinbase**, which creates the new coins and takes the fees."
            ),
            Bytes(f"coinbase of block {template.height}", parts),
            Check(
                "its first output pays what the node allows, to the satoshi",
                tx.outputs[0].value == template.coinbase_value and tx.is_coinbase,
                "Transaction.parse(coinbase).outputs[0].value",
            ),
            code(make_job),
        ),
    )


def _tree(job: Job, template: Template, extranonce: bytes) -> Screen:
    coinbase, branch = sha256d(job.coinbase.fill(extranonce)), job.coinbase.branch
    leaves = [coinbase, *(tx.txid for tx in template.transactions)]
    rows, node = [("coinbase", display_hex(coinbase)[:44] + "..")], coinbase
    for place, other in enumerate(branch, 1):
        node = sha256d(node + other)
        rows.append((f"level {place}", display_hex(node)[:44] + ".."))
    return Screen(
        "Forty-one leaves, six hashes",
        (
            Text(
                "Transactions are paired and hashed, the results paired and hashed again, until "
                "one is left: the **merkle root**. Only the coinbase changes while mining, so a "
                "miner keeps the other side of each pair, the **branch**."
            ),
            Table("folding the branch", ("", "hash"), tuple(rows)),
            Check(
                f"{len(branch)} hashes with the branch give the root of {len(leaves)} leaves",
                node == merkle_root(leaves) == root_from_branch(coinbase, branch),
                "root_from_branch(coinbase, merkle_branch(others)) == merkle_root(all)",
            ),
            code(merkle_branch),
            Question(
                "How many branch hashes would 4,000 transactions need?",
                "12",
                number_judge(12),
                "2^12 = 4,096 leaves fit under 12 levels. Doubling the block adds one hash.",
            ),
        ),
    )


def nonces_last() -> str:
    """How long the nonces of one header last, by published rates."""
    rates = {row.name: row.hashrate_hs for row in hardware.load()}
    times = []
    for name, what in (("Radeon HD 7970", "a graphics card of 2012"), ("Antminer S21", "an S21")):
        if hashes := rates.get(name):
            times.append(f"in {span(NONCES / hashes)} by {what}")
    return f"in {span(NONCES / CORE_HS)} by one core at {CORE_HS / 1e6:.0f} MH/s, " + ", ".join(
        times
    )


def span(seconds: float) -> str:
    """A short time in words, two digits: 6 s, 21 microseconds."""
    for size, unit in ((60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "microseconds")):
        if seconds >= size:
            return f"{seconds / size:.2g} {unit}"
    return f"{seconds / 1e-9:.2g} ns"


def _extranonce(job: Job, extranonce: bytes) -> Screen:
    following = (int.from_bytes(extranonce, "big") + 1).to_bytes(8, "big")
    units = [build_unit(job, (job.version,), raw, job.ntime) for raw in (extranonce, following)]
    rows = tuple(
        (unit.extranonce2.hex(), display_hex(unit.prefix[36:68])[:48] + "..") for unit in units
    )
    return Screen(
        "One step of the extranonce, a whole new search",
        (
            Text(
                f"All 4,294,967,296 nonces of a header are tried {nonces_last()}. Then the "
                "**extranonce** goes up by one: another coinbase, another root, another header, "
                "and all nonces are fresh."
            ),
            Table("", ("extranonce", "merkle root"), rows),
            Check(
                "the two headers differ in nothing but the root",
                units[0].prefix[:36] == units[1].prefix[:36]
                and units[0].prefix[68:] == units[1].prefix[68:]
                and units[0].prefix[36:68] != units[1].prefix[36:68],
                "build_unit(job, versions, extranonce, ntime).prefix",
            ),
            code(Roller.next),
        ),
    )


def _commitment(template: Template) -> Screen:
    recorded = {
        name: str(read(name)["template"]["default_witness_commitment"])
        for name in ("template_empty.json", "template_40.json")
    }
    ours = {
        "template_empty.json": commitment_script(witness_root([])).hex(),
        "template_40.json": commitment_script(
            witness_root([tx.wtxid for tx in template.transactions])
        ).hex(),
    }
    return Screen(
        "The second tree",
        (
            Text(
                "Signatures of segwit transactions are outside the first tree. A second tree over "
                "everything, signatures too, is written into a coinbase output: the **witness "
                "commitment**. A miner that trusts the node copies it; this one computes it again."
            ),
            Table(
                "",
                ("block", "computed here"),
                (
                    ("no transactions", ours["template_empty.json"][:56] + ".."),
                    ("40 transactions", ours["template_40.json"][:56] + ".."),
                ),
            ),
            Check(
                "both equal what Bitcoin Core put in its templates",
                ours == recorded,
                "commitment_script(witness_root(wtxids)) == default_witness_commitment",
            ),
            Text("The block built in this way is judged by the engine in lesson 8."),
            code(commitment_script),
        ),
    )
