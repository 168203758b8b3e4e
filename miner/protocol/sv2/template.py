"""A template of the Template Distribution Protocol as a Job, and a share of it as a solution.

The provider (sv2-tp beside Bitcoin Core) chooses everything but our outputs, our extranonce and our
tag. Its own outputs, the witness commitment among them, stand behind ours. Source: Stratum v2
specification, chapter 7.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from miner.bitcoin.coinbase import (
    CoinbaseTemplate,
    Surroundings,
    coinbase_with_hole,
    push,
    with_witness,
)
from miner.bitcoin.encoding import Reader, compact_size
from miner.bitcoin.target import target_from_nbits
from miner.bitcoin.tx import TxOut
from miner.bitcoin.versions import BIP320_MASK, effective_mask
from miner.errors import ConfigError, RemoteProtocolError
from miner.protocol.decode import height_of
from miner.protocol.gbt.job import KIND as GBT_KIND
from miner.protocol.gbt.job import check_payload as check_whole_block
from miner.protocol.sv2.messages import NewTemplate, SubmitSolution, TemplatePrevHash
from miner.work.found import FoundBlock, Share
from miner.work.job import Coinbase, Job

EXTRANONCE_BYTES = 8  # its start is random, so several miners of one provider do not collide
NTIME_LIMIT_S = 600
UINT32_MAX = 2**32 - 1
MAX_MONEY = 21_000_000 * 100_000_000
KIND = "template"  # of a FoundBlock
MAINNET_TARGET = (0xFFFF << 208) // 10**12  # no other chain is near; mainnet passed it in 2018
OP_DUP, LEGACY_COST = b"\x76", 4


@dataclass(frozen=True, slots=True)
class Payout:
    """What the user decided; the same for every template."""

    script: bytes  # output script that gets the reward
    tag: bytes = b""  # pushed into the coinbase, for people to read
    roll_versions: bool = True
    chains: tuple[str, ...] = ()  # that the address belongs to; empty: not known

    @property
    def output_bytes(self) -> int:
        """Serialized size of our one output: what CoinbaseOutputConstraints reserves."""
        return len(TxOut(0, self.script).serialize())

    @property
    def output_sigops(self) -> int:
        """Signature operations of the output, as blocks count them (BIP 141: legacy ones cost 4).
        Of all kinds of address only pay-to-public-key-hash has one in its output."""
        return LEGACY_COST if self.script[:1] == OP_DUP else 0


@dataclass(frozen=True, slots=True)
class TemplateId:
    """The source's own part of a Job."""

    template_id: int


def make_job(
    template: NewTemplate, tip: TemplatePrevHash, payout: Payout, *, source: str, session: int
) -> Job:
    """The job of a template upon a previous hash.

    Raises RemoteProtocolError for a template that makes no block, ConfigError when our tag does
    not fit behind the provider's part of the script.
    """
    name = f"template {template.template_id}"
    coinbase = build(template, payout, name)
    mask = BIP320_MASK if payout.roll_versions else 0
    try:
        return Job(
            source=source,
            session=session,
            job_id=str(template.template_id),
            clean=True,
            version=template.version,
            version_mask=effective_mask(mask, mask, template.version),
            prev_hash=tip.prev_hash,
            merkle=Coinbase(
                coinbase.part1, b"", EXTRANONCE_BYTES, coinbase.part2, template.merkle_path
            ),
            nbits=tip.n_bits,
            ntime=tip.header_timestamp,
            ntime_limit=min(NTIME_LIMIT_S, UINT32_MAX - tip.header_timestamp),
            ntime_follows_clock=False,
            share_target=target_from_nbits(tip.n_bits),
            network_target=target_from_nbits(tip.n_bits),
            height=height_of(coinbase.part1),
            one_block_per_parent=True,
            context=TemplateId(template.template_id),
        )
    except ValueError as error:
        raise RemoteProtocolError(f"{name}: {error}") from None


def why_not(job: Job, payout: Payout) -> str:
    """Why the job is not to be mined; empty when it may. A provider does not name its chain."""
    if not payout.chains or "main" in payout.chains or job.network_target > MAINNET_TARGET:
        return ""
    return (
        "only mainnet has templates as difficult as this, but --address is one of "
        f"{' or '.join(payout.chains)}: use an address of mainnet"
    )


def build(template: NewTemplate, payout: Payout, name: str) -> CoinbaseTemplate:
    """The coinbase: our output, then the provider's. Raises as `make_job` does."""
    if template.coinbase_tx_value_remaining > MAX_MONEY:
        raise RemoteProtocolError(f"{name} pays {template.coinbase_tx_value_remaining} satoshi")
    outputs = [TxOut(template.coinbase_tx_value_remaining, payout.script)]
    outputs += parse_outputs(template, name)
    around = Surroundings(
        template.coinbase_prefix + bytes([EXTRANONCE_BYTES]),  # the push of our extranonce
        push(payout.tag),
        template.coinbase_tx_locktime,
        template.coinbase_tx_version,
        template.coinbase_tx_input_sequence,
    )
    try:
        return coinbase_with_hole(around, outputs, EXTRANONCE_BYTES)
    except ValueError as error:
        raise ConfigError(f"{name}: {error}") from None


def parse_outputs(template: NewTemplate, name: str) -> Sequence[TxOut]:
    """The provider's outputs. Raises RemoteProtocolError unless they are so many, and whole."""
    reader = Reader(template.coinbase_tx_outputs)
    outputs = []
    try:
        for _ in range(min(template.coinbase_tx_outputs_count, len(template.coinbase_tx_outputs))):
            value = int.from_bytes(reader.take(8), "little", signed=True)
            outputs.append(TxOut(value, reader.sized()))
        reader.end()
    except ValueError as error:
        raise RemoteProtocolError(f"{name}: outputs of the coinbase: {error}") from None
    if len(outputs) != template.coinbase_tx_outputs_count:
        raise RemoteProtocolError(
            f"{name}: {template.coinbase_tx_outputs_count} outputs announced, {len(outputs)} given"
        )
    return outputs


def coinbase_of(share: Share) -> bytes:
    """The coinbase of a share, with its witness."""
    return with_witness(share.unit.job.coinbase.fill(share.unit.extranonce2))


def pack(share: Share, transactions: Sequence[bytes] | None, found_at: int) -> FoundBlock:
    """What the journal keeps: the solution, and the whole block where its transactions are known,
    so that any node can take it should the provider be gone."""
    job, coinbase = share.unit.job, coinbase_of(share)
    assert isinstance(job.context, TemplateId)
    solution = {
        "template_id": job.context.template_id,
        "version": share.version,
        "header_timestamp": share.unit.ntime,
        "header_nonce": share.nonce,
        "coinbase_tx": coinbase.hex(),
    }
    block = ""
    if transactions is not None:
        body = compact_size(1 + len(transactions)) + coinbase + b"".join(transactions)
        block = (share.header + body).hex()
    payload = json.dumps({"solution": solution, "block": block})
    return FoundBlock(
        job.source, share.hash_hex, job.height, share.header, KIND, payload, found_at=found_at
    )


def whole_block(block: FoundBlock) -> FoundBlock | None:
    """A packed block as any node takes it; None when its transactions were not known."""
    payload = json.loads(block.payload)["block"]
    return replace(block, kind=GBT_KIND, payload=payload, context="") if payload else None


def check_payload(block: FoundBlock) -> None:
    """Raise ValueError, TypeError or KeyError unless a journalled block can be sent."""
    solution_of(block)
    whole = whole_block(block)
    if whole is not None:
        check_whole_block(whole)


def solution_of(block: FoundBlock) -> SubmitSolution:
    """The message that sends a packed block."""
    solution = json.loads(block.payload)["solution"]
    return SubmitSolution(
        solution["template_id"],
        solution["version"],
        solution["header_timestamp"],
        solution["header_nonce"],
        bytes.fromhex(solution["coinbase_tx"]),
    )
