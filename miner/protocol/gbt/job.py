"""Solo mining without input or output: request bodies, template to job, share to block.

Coinbase: BIP 34 height, our extranonce, the node's aux data, the user's tag; outputs: the payout,
then the witness commitment (the last matching output counts, BIP 141).
"""

from dataclasses import dataclass, replace
from typing import Any

from miner.bitcoin.coinbase import (
    CoinbaseTemplate,
    build_coinbase,
    commitment_script,
    push,
    with_witness,
    witness_root,
)
from miner.bitcoin.encoding import compact_size
from miner.bitcoin.header import HEADER_BYTES
from miner.bitcoin.merkle import merkle_branch
from miner.bitcoin.tx import TxOut
from miner.bitcoin.versions import BIP320_MASK, effective_mask
from miner.errors import ConfigError, RemoteProtocolError, SourceRefused
from miner.protocol.gbt.template import Template
from miner.work.found import FoundBlock, Share
from miner.work.job import Coinbase, Job
from miner.work.unit import build_unit

EXTRANONCE_BYTES = 8  # 2**64 work units a template; their start is random, so miners do not collide
HEADER_WEIGHT = 4 * 80
OP_RETURN = b"\x6a"
KIND = "gbt"  # of the blocks that are journalled here
CAPABILITIES = ["coinbasevalue", "longpoll", "proposal"]


@dataclass(frozen=True, slots=True)
class MiningPlan:
    """What the user decided; the same for every template."""

    payout: bytes  # output script
    tag: bytes = b""  # bytes pushed into the coinbase, for people to read
    roll_versions: bool = True
    notes: tuple[bytes, ...] = ()  # texts in outputs that nobody can spend, worth nothing


def rules_for(chain: str) -> list[str]:
    return ["segwit", "signet"] if chain == "signet" else ["segwit"]


def template_request(chain: str, longpollid: str | None = None) -> dict[str, Any]:
    """The argument of getblocktemplate."""
    request: dict[str, Any] = {"rules": rules_for(chain), "capabilities": CAPABILITIES}
    return request | ({} if longpollid is None else {"longpollid": longpollid})


def proposal_request(chain: str, block_hex: str, workid: str = "") -> dict[str, Any]:
    """The argument of getblocktemplate that has a block checked, all but its work (BIP 23)."""
    request = {"mode": "proposal", "data": block_hex, "rules": rules_for(chain)}
    return request | ({"workid": workid} if workid else {})


def make_job(template: Template, plan: MiningPlan, *, source: str, job_id: str, clean: bool) -> Job:
    """The job of a template. Its context is the template it must be completed with.

    Raises ConfigError when the tag is too long, RemoteProtocolError when the node's own parts
    leave no room.
    """
    template, coinbase = _fit(template, plan)
    mask = effective_mask(BIP320_MASK, BIP320_MASK, template.version) & ~template.vbrequired
    return Job(
        source=source,
        session=0,  # a node takes a block over any connection
        job_id=job_id,
        clean=clean,
        version=template.version,
        version_mask=mask if plan.roll_versions else 0,
        prev_hash=template.prev_hash,
        merkle=Coinbase(
            coinbase.part1,
            b"",
            coinbase.extranonce_size,
            coinbase.part2,
            merkle_branch([tx.txid for tx in template.transactions]),
        ),
        nbits=template.nbits,
        ntime=template.ntime,
        ntime_limit=template.ntime_limit,
        ntime_follows_clock=template.ntime_limit > 0,
        share_target=template.target,
        network_target=template.target,
        height=template.height,
        nonces=template.nonces,
        one_block_per_parent=True,
        transactions=len(template.transactions) + 1,
        context=template,
    )


def _fit(template: Template, plan: MiningPlan) -> tuple[Template, CoinbaseTemplate]:
    """The template without the trailing transactions for which our coinbase leaves no room.

    A parent stands before its children (consensus), so the last transaction has none.
    """
    coinbase = _coinbase(template, plan)
    count = compact_size(len(template.transactions) + 1)
    weight = HEADER_WEIGHT + 4 * len(count) + _weight(coinbase, template.segwit)
    weight += sum(tx.weight for tx in template.transactions)
    if weight <= template.weight_limit:
        return template, coinbase
    kept, value = list(template.transactions), template.coinbase_value
    while kept and weight > template.weight_limit:
        dropped = kept.pop()
        if dropped.fee is None:
            raise RemoteProtocolError("template field transactions[].fee is missing: cannot drop")
        weight, value = weight - dropped.weight, value - dropped.fee
    if weight > template.weight_limit or value < 0:
        raise RemoteProtocolError(f"the coinbase does not fit into {template.weight_limit} units")
    commitment = template.commitment
    if commitment:
        commitment = commitment_script(witness_root([tx.wtxid for tx in kept]))
    smaller = replace(
        template, transactions=tuple(kept), coinbase_value=value, commitment=commitment
    )
    return smaller, _coinbase(smaller, plan)


def _coinbase(template: Template, plan: MiningPlan) -> CoinbaseTemplate:
    outputs = [TxOut(template.coinbase_value, plan.payout)]
    outputs += (TxOut(0, OP_RETURN + push(note)) for note in plan.notes)
    if template.commitment:
        outputs.append(TxOut(0, template.commitment))
    try:
        return build_coinbase(template.height, outputs, EXTRANONCE_BYTES, plan.tag, template.aux)
    except ValueError as error:
        if plan.tag and not template.aux:
            raise ConfigError(str(error)) from None
        raise RemoteProtocolError(f"template field coinbaseaux: {error}") from None


def _weight(coinbase: CoinbaseTemplate, segwit: bool) -> int:
    bare = coinbase.fill(bytes(coinbase.extranonce_size))
    return 3 * len(bare) + len(with_witness(bare) if segwit else bare)


def block_hex(share: Share) -> str:
    """The whole block of a share from a job of `make_job`, ready for submitblock."""
    return _assemble(share.unit.job, share.header, share.unit.extranonce2)


def check_payload(block: FoundBlock) -> None:
    """Raise ValueError unless the payload of a journalled block is that block."""
    if bytes.fromhex(block.payload)[:HEADER_BYTES] != block.header:
        raise ValueError("its payload does not begin with its header")


def proposal_hex(job: Job) -> str:
    """A block of this job without work, for the proposal check."""
    unit = build_unit(job, (job.version,), b"\xff" * job.merkle.extranonce2_size, job.ntime)
    return _assemble(job, unit.header(job.version, 0), unit.extranonce2)


def template_of(job: Job) -> Template:
    """The template a job of `make_job` was made from."""
    assert isinstance(job.context, Template)
    return job.context


def _assemble(job: Job, header: bytes, extranonce2: bytes) -> str:
    template = template_of(job)
    bare = job.coinbase.fill(extranonce2)
    coinbase = with_witness(bare) if template.segwit else bare
    head = header + compact_size(len(template.transactions) + 1) + coinbase
    return head.hex() + "".join(tx.data_hex for tx in template.transactions)


def refuse_signed_signet(challenge: object) -> None:
    """Raise SourceRefused unless blocks of this signet need no signature (BIP 325).

    Core accepts a block without a solution when the challenge, run on an empty stack, leaves true:
    only pushes and no-ops can.
    """
    if isinstance(challenge, str) and _leaves_true(challenge):
        return
    raise SourceRefused(
        "this signet's blocks must be signed by its operators; a miner alone cannot: let Bitcoin "
        'Core\'s contrib/signet/miner sign, with --grind-cmd="miner grind"'
    )


def _leaves_true(challenge_hex: str) -> bool:
    """Does a script of pushes and no-ops end with a true value? False when unsure."""
    try:
        script = bytes.fromhex(challenge_hex)
    except ValueError:
        return False
    is_program = len(script) in range(4, 43) and script[1] == len(script) - 2
    if is_program and (script[0] == 0 or 0x51 <= script[0] <= 0x60):
        return False  # a witness program wants a witness
    at, top = 0, b""
    while at < len(script):
        opcode, at = script[at], at + 1
        if opcode <= 75:
            top, at = script[at : at + opcode], at + opcode
        elif opcode == 0x4F or 0x51 <= opcode <= 0x60:  # OP_1NEGATE, OP_1 .. OP_16
            top = b"\x01"
        elif opcode != 0x61:  # OP_NOP
            return False
    minus_zero = top[-1:] == b"\x80" and not any(top[:-1])
    return at == len(script) and any(top) and not minus_zero
