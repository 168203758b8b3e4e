"""From transactions to the merkle root, by hand."""

from collections.abc import Iterator

from miner.backends.base import NONCES
from miner.bitcoin.address import script_from_address
from miner.bitcoin.coinbase import commitment_script, push_height, witness_root
from miner.bitcoin.encoding import display_hex, sha256d
from miner.bitcoin.merkle import merkle_branch, merkle_root, root_from_branch
from miner.bitcoin.tx import Transaction
from miner.gap import hardware
from miner.learn.chain import read
from miner.learn.live import Live, Shown, Si, Span, word
from miner.learn.mining import PAYOUT
from miner.learn.steps import Setting
from miner.protocol.gbt.job import MiningPlan, make_job
from miner.protocol.gbt.template import Template, parse_template
from miner.work.job import Job
from miner.work.roll import Roller
from miner.work.unit import build_unit

TAG = b"/homehash/"
CORE_HS = 35e6  # one core with its vector units, for a comparison
RECORDED = ("template_empty.json", "template_40.json")


def screens(setting: Setting) -> Iterator[Live]:
    """Coinbase in pieces, the tree, one extranonce step, and the commitment."""
    full = parse_template(read("template_40.json")["template"], "regtest")
    plan = MiningPlan(script_from_address(PAYOUT, "regtest"), TAG)
    job = make_job(full, plan, source="lesson", job_id="6", clean=True)
    extranonce = setting.seed.to_bytes(8, "big", signed=True)
    yield _pieces(job, full, extranonce)
    yield _tree(job, full, extranonce)
    yield _extranonce(job, extranonce)
    yield _commitment(full)


def _pieces(job: Job, template: Template, extranonce: bytes) -> Live:
    raw, before = job.coinbase.fill(extranonce), len(job.coinbase.part1)
    tx = Transaction.parse(raw)
    height = len(push_height(template.height))
    script_at = before - height - 1
    end = before + 9 + len(TAG)
    parts = {
        "before": raw[:script_at], "height": raw[script_at : script_at + height],
        "extranonce": raw[script_at + height : before + 8], "tag": raw[before + 8 : end],
        "sequence": raw[end : end + 4], "outputs": raw[end + 4 : -4], "locktime": raw[-4:],
    }  # fmt: skip
    return Live(
        "pieces",
        coinbase=parts,
        height=template.height,
        tag_text=TAG.decode(),
        pays=tx.outputs[0].value == template.coinbase_value and tx.is_coinbase,
        code=make_job,
    )


def _tree(job: Job, template: Template, extranonce: bytes) -> Live:
    coinbase, branch = sha256d(job.coinbase.fill(extranonce)), job.coinbase.branch
    leaves = [coinbase, *(tx.txid for tx in template.transactions)]
    rows: list[tuple[Shown, ...]] = [(word("coinbase"), f"{display_hex(coinbase)[:44]}..")]
    node = coinbase
    for place, other in enumerate(branch, 1):
        node = sha256d(node + other)
        rows.append((word("level", place=place), f"{display_hex(node)[:44]}.."))
    return Live(
        "tree",
        folding=rows,
        hashes=len(branch),
        leaves=len(leaves),
        root=node == merkle_root(leaves) == root_from_branch(coinbase, branch),
        code=merkle_branch,
    )


def nonces_last() -> dict[str, Span]:
    """How long the nonces of one header last, by published rates."""
    rates = {row.name: row.hashrate_hs for row in hardware.load()}
    return {
        "core_last": Span(NONCES / CORE_HS),
        "card_last": Span(NONCES / rates["Radeon HD 7970"]),
        "asic_last": Span(NONCES / rates["Antminer S21"]),
    }


def _extranonce(job: Job, extranonce: bytes) -> Live:
    following = (int.from_bytes(extranonce, "big") + 1).to_bytes(8, "big")
    one, two = (build_unit(job, (job.version,), raw, job.ntime) for raw in (extranonce, following))
    return Live(
        "extranonce",
        core=Si(CORE_HS, "H/s"),
        **nonces_last(),
        roots=[
            (unit.extranonce2.hex(), f"{display_hex(unit.prefix[36:68])[:48]}..")
            for unit in (one, two)
        ],
        only_root=one.prefix[:36] == two.prefix[:36]
        and one.prefix[68:] == two.prefix[68:]
        and one.prefix[36:68] != two.prefix[36:68],
        code=Roller.next,
    )


def _commitment(template: Template) -> Live:
    recorded = [str(read(name)["template"]["default_witness_commitment"]) for name in RECORDED]
    wtxids: tuple[list[bytes], ...] = ([], [tx.wtxid for tx in template.transactions])
    ours = [commitment_script(witness_root(one)).hex() for one in wtxids]
    return Live(
        "commitment",
        empty=ours[0][:56],
        forty=ours[1][:56],
        both=ours == recorded,
        code=commitment_script,
    )
