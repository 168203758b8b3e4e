"""Templates that must be cut to fit, and any value in any field."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miner.bitcoin.block import Block
from miner.bitcoin.coinbase import commitment_script, witness_root
from miner.errors import MinerError, RemoteProtocolError
from miner.protocol.gbt.job import proposal_hex
from miner.protocol.gbt.template import parse_template
from tests.faults import fault
from tests.unit.protocol.test_gbt_template import FIELDS, job_of, mempool, recorded


# -- fitting ----------------------------------------------------------------------------------
@fault("G31")
def test_trailing_transactions_make_room_and_keep_the_block_consistent() -> None:
    whole = parse_template(mempool(), "regtest")
    weight = Block.parse(bytes.fromhex(proposal_hex(job_of(whole)))).weight
    fees = [entry["fee"] for entry in mempool()["transactions"]]
    for spare in (0, -1, -3000, -20_000):
        template = parse_template(mempool() | {"weightlimit": weight + spare}, "regtest")
        job = job_of(template)
        block = Block.parse(bytes.fromhex(proposal_hex(job)))
        kept = len(block.transactions) - 1
        assert block.weight <= weight + spare
        assert (kept == 40) == (spare == 0)
        assert block.merkle_root == block.header.merkle_root
        paid = sum(out.value for out in block.transactions[0].outputs)
        assert paid == whole.coinbase_value - sum(fees[kept:])
        root = witness_root([tx.wtxid for tx in block.transactions[1:]])
        assert block.transactions[0].outputs[-1].script == commitment_script(root)


@fault("G31")
def test_an_unknown_fee_cannot_be_dropped() -> None:
    reply = mempool() | {"weightlimit": 20_000}
    del reply["transactions"][-1]["fee"]
    with pytest.raises(RemoteProtocolError, match="fee"):
        job_of(parse_template(reply, "regtest"))


@fault("G31")
def test_the_nodes_data_must_fit_the_coinbase_script() -> None:
    reply = recorded("height-17") | {"coinbaseaux": {"flags": "ab" * 90}}
    with pytest.raises(RemoteProtocolError, match="coinbaseaux"):
        job_of(parse_template(reply, "regtest"))
    reply["coinbaseaux"] = {"flags": "abcd"}
    job = job_of(parse_template(reply, "regtest"))
    assert bytes.fromhex("02abcd") + b"\x06/test/" in job.coinbase.part2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FIELDS), JSON)
def test_any_value_in_any_field_is_taken_or_refused(field: str, value: object) -> None:
    with contextlib.suppress(MinerError):
        job_of(parse_template(recorded("height-17") | {field: value}, "regtest"))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 39), st.binary(max_size=200))
def test_any_transaction_bytes_are_taken_or_cost_the_transactions(at: int, data: bytes) -> None:
    reply = mempool()
    reply["transactions"][at] = {"data": data.hex()}
    assert len(parse_template(reply, "regtest").transactions) in (0, 40)
