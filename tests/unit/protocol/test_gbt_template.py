"""Templates: recorded ones of Bitcoin Core, and every field wrong in every way."""

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from miner.bitcoin.block import Block
from miner.bitcoin.coinbase import commitment_script, witness_root
from miner.bitcoin.tx import Transaction
from miner.errors import RemoteProtocolError, SourceRefused
from miner.protocol.gbt.job import MiningPlan, block_hex, make_job, proposal_hex
from miner.protocol.gbt.template import Template, parse_template
from miner.work.found import Share
from miner.work.job import Job
from miner.work.roll import Roller
from tests.faults import fault

VECTORS = Path(__file__).parents[2] / "vectors" / "rpc"
EMPTY = commitment_script(witness_root([])).hex()
PLAN = MiningPlan(bytes.fromhex("0014fa07334319fda5ee5ab2748be258ce6f7d95c015"), b"/test/")
CHAINS = {"chain-testnet": "test", "chain-testnet4": "testnet4", "chain-signet": "signet"}


@functools.cache
def text_of(name: str) -> str:
    return (VECTORS / f"{name}.json").read_text()


def recorded(name: str) -> dict[str, Any]:
    """The last template in a recording."""
    exchanges = json.loads(text_of(name))["exchanges"]
    found = [e["response"] for e in exchanges if e["request"]["method"] == "getblocktemplate"]
    result: dict[str, Any] = found[-1]["result"]
    return result


def job_of(template: Template, plan: MiningPlan = PLAN) -> Job:
    return make_job(template, plan, source="node", job_id="1", clean=True)


def mempool() -> dict[str, Any]:
    return recorded("mempool-40")


NAMES = [
    "height-1-empty", "height-16", "height-17", "height-127", "height-128", "longpoll-new-block",
    "mempool-40", *CHAINS,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_recorded_templates_become_whole_blocks(name: str) -> None:
    """The block is rebuilt and parsed again by other code: roots, commitment, height, value."""
    reply = recorded(name)
    template = parse_template(reply, CHAINS.get(name, "regtest"))
    assert template.alarms == ()
    job = job_of(template)
    block = Block.parse(bytes.fromhex(proposal_hex(job)))
    assert block.merkle_root == block.header.merkle_root
    assert block.header.hash_hex
    assert block.header.prev_hash[::-1].hex() == reply["previousblockhash"]
    assert f"{block.header.nbits:08x}" == reply["bits"]
    assert block.header.time == reply["curtime"]
    coinbase = block.transactions[0]
    assert coinbase.is_coinbase
    assert sum(out.value for out in coinbase.outputs) == reply["coinbasevalue"]
    assert coinbase.outputs[0].script == PLAN.payout
    assert coinbase.outputs[-1].script.hex() == reply["default_witness_commitment"]
    root = witness_root([tx.wtxid for tx in block.transactions[1:]])
    assert commitment_script(root) == coinbase.outputs[-1].script
    segwit = "!segwit" in reply["rules"]
    assert coinbase.inputs[0].witness == ((bytes(32),) if segwit else ())
    assert [tx.serialize().hex() for tx in block.transactions[1:]] == [
        entry["data"] for entry in reply["transactions"]
    ]
    assert block.weight <= 4_000_000
    assert coinbase.locktime == reply["height"] - 1


def test_the_recorded_weights_are_ours() -> None:
    template = parse_template(mempool(), "regtest")
    assert [tx.weight for tx in template.transactions] == [
        entry["weight"] for entry in mempool()["transactions"]
    ]
    assert len(template.transactions) == 40
    assert len({tx.txid != tx.wtxid for tx in template.transactions}) == 2  # mixed


def test_a_share_becomes_its_block() -> None:
    job = job_of(parse_template(mempool(), "regtest"))
    unit = Roller(job, 5).next(4, 0.0)
    assert unit is not None
    share = next(
        found
        for nonce in range(1000)
        for version in unit.versions
        if (found := Share.from_hit(unit, version, nonce))
    )
    block = Block.parse(bytes.fromhex(block_hex(share)))
    assert block.header.pack() == share.header
    assert block.merkle_root == block.header.merkle_root
    assert block.header.meets(job.network_target)


WRONG_TYPES: list[Any] = [None, True, 1.5, -1, "", "zz", [], {}, [1], 2**70, "0" * 63]
REQUIRED = ["version", "previousblockhash", "transactions", "coinbasevalue", "curtime", "bits",
            "height"]  # fmt: skip
GOOD: dict[str, Any] = {
    "version": [-1], "mintime": [], "curtime": [], "coinbaseaux": [{}], "rules": [[]],
    "mutable": [[]], "transactions": [[]], "longpollid": WRONG_TYPES,
    "workid": ["", "zz", "0" * 63],
}  # fmt: skip
FIELDS = [*REQUIRED, "mintime", "maxtime", "target", "mutable", "noncerange", "rules", "vbrequired",
          "coinbaseaux", "weightlimit", "longpollid", "workid", "expires",
          "default_witness_commitment"]  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", WRONG_TYPES, ids=repr)
@fault("G12")
def test_a_wrong_field_is_refused_by_name(field: str, value: object) -> None:
    reply = recorded("height-17") | {field: value}
    if any(value == good and type(value) is type(good) for good in GOOD.get(field, [])):
        parse_template(reply, "regtest")
    elif field == "default_witness_commitment" and value == "":
        assert not parse_template(reply, "regtest").commitment
    else:
        with pytest.raises(RemoteProtocolError, match=f"template field {field}"):
            parse_template(reply, "regtest")


@pytest.mark.parametrize("field", REQUIRED)
@fault("G12")
def test_a_missing_field_is_refused_by_name(field: str) -> None:
    reply = recorded("height-17")
    del reply[field]
    with pytest.raises(RemoteProtocolError, match=f"template field {field}"):
        parse_template(reply, "regtest")


@pytest.mark.parametrize("reply", [None, [], "x", 7, True, {}])
@fault("G12")
def test_what_is_no_template_is_refused(reply: object) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_template(reply, "regtest")


# -- commitment and transactions --------------------------------------------------------------
@fault("G13")
def test_a_missing_commitment_is_computed() -> None:
    reply = mempool()
    told = reply.pop("default_witness_commitment")
    template = parse_template(reply, "regtest")
    assert template.commitment.hex() == told
    assert len(template.transactions) == 40


@fault("G13")
def test_without_segwit_transactions_none_is_needed() -> None:
    reply = recorded("height-17")
    del reply["default_witness_commitment"]
    template = parse_template(reply, "regtest")
    assert template.commitment == b""
    assert not template.segwit
    assert len(Block.parse(bytes.fromhex(proposal_hex(job_of(template)))).transactions) == 1


def empty_block_of(reply: dict[str, Any]) -> Template:
    template = parse_template(reply, "regtest")
    assert template.transactions == ()
    assert template.commitment.hex() == EMPTY
    assert template.coinbase_value == 25_0000_0000  # height 258 on regtest, no fees
    assert "mining an empty block" in template.alarms[0]
    assert all(alarm.isprintable() for alarm in template.alarms)
    block = Block.parse(bytes.fromhex(proposal_hex(job_of(template))))
    assert block.merkle_root == block.header.merkle_root
    return template


@fault("G14")
def test_a_differing_commitment_costs_the_transactions_only() -> None:
    empty_block_of(mempool() | {"default_witness_commitment": EMPTY[:-2] + "00"})
    empty_block_of(mempool() | {"default_witness_commitment": "6a"})


@fault("G14")
def test_bytes_after_the_commitment_are_kept() -> None:
    reply = mempool()
    reply["default_witness_commitment"] += "02abcd"
    template = parse_template(reply, "regtest")
    assert template.commitment.hex() == reply["default_witness_commitment"]


def _swap(entry: dict[str, Any]) -> None:
    entry["txid"], entry["hash"] = entry["hash"], entry["txid"]


def _set(name: str, value: object) -> Any:
    return lambda entry: entry.update({name: value})


def _cut(entry: dict[str, Any]) -> None:
    entry["data"] = entry["data"][:-2]


@pytest.mark.parametrize(
    "spoil",
    [
        _swap, _cut, _set("txid", "00" * 32), _set("hash", "00" * 32), _set("hash", 7),
        _set("data", "0"), _set("data", ""), _set("data", "zz" * 80),
        _set("data", "02000000 0001" + "00" * 80), _set("data", "02000000" + "0001" + "ff" * 80),
    ],
    ids=lambda spoil: getattr(spoil, "__qualname__", "?"),
)  # fmt: skip
@fault("G32")
def test_a_wrong_transaction_costs_the_transactions_only(spoil: Any) -> None:
    reply = mempool()
    entry = next(e for e in reply["transactions"] if e["txid"] != e["hash"])
    spoil(entry)
    empty_block_of(reply)


@fault("G32")
def test_missing_ids_are_computed() -> None:
    reply = mempool()
    whole = parse_template(mempool(), "regtest")
    for entry in reply["transactions"]:
        del entry["txid"], entry["hash"]
    assert parse_template(reply, "regtest").transactions == whole.transactions


@fault("G32")
def test_a_repeated_transaction_costs_the_transactions_only() -> None:
    reply = mempool()
    reply["transactions"].append(reply["transactions"][0])
    empty_block_of(reply)


@pytest.mark.parametrize("value", [None, 7, "x", {}, {"data": None}, {"data": 7}])
@fault("G12")
def test_a_mistyped_transaction_is_refused_by_name(value: object) -> None:
    reply = mempool()
    reply["transactions"][3] = value
    with pytest.raises(RemoteProtocolError, match=r"transactions\[3\]\.data"):
        parse_template(reply, "regtest")


def test_an_earlier_template_saves_work_but_is_not_believed() -> None:
    before = parse_template(mempool(), "regtest")
    after = parse_template(mempool(), "regtest", before)
    assert after == before
    assert all(a is b for a, b in zip(after.transactions, before.transactions, strict=True))
    reply = mempool()
    reply["transactions"][0]["txid"] = "00" * 32
    assert parse_template(reply, "regtest", before).transactions == ()


def test_ids_agree_with_a_full_parse() -> None:
    for tx in parse_template(mempool(), "regtest").transactions:
        parsed = Transaction.parse(bytes.fromhex(tx.data_hex))
        assert (parsed.txid, parsed.wtxid, parsed.weight) == (tx.txid, tx.wtxid, tx.weight)


# -- values -----------------------------------------------------------------------------------
@pytest.mark.parametrize("value", [0, 21_000_000 * 10**8])
@fault("G16")
def test_zero_and_the_whole_supply_are_amounts(value: int) -> None:
    template = parse_template(recorded("height-17") | {"coinbasevalue": value}, "regtest")
    assert template.coinbase_value == value


@fault("G16")
def test_a_ready_made_coinbase_is_refused() -> None:
    reply = recorded("height-17") | {"coinbasetxn": {"data": "00"}}
    del reply["coinbasevalue"]
    with pytest.raises(RemoteProtocolError, match="coinbasetxn"):
        parse_template(reply, "regtest")


@fault("G17")
def test_rules() -> None:
    parse_template(recorded("height-17") | {"rules": ["!segwit", "!signet", "new"]}, "regtest")
    with pytest.raises(SourceRefused, match="'!new'") as caught:
        parse_template(recorded("height-17") | {"rules": ["!new"]}, "regtest")
    assert caught.value.exit_code == 5


@fault("G18")
def test_required_version_bits_are_left_alone() -> None:
    reply = recorded("height-17") | {"version": 0x20002000, "vbrequired": 0x2000 | 0x4000}
    job = job_of(parse_template(reply, "regtest"))
    assert job.version_mask == 0x1FFFE000 & ~0x6000
    assert job.version == 0x20002000
    still = job_of(parse_template(reply, "regtest"), MiningPlan(b"\x51", roll_versions=False))
    assert still.version_mask == 0


@fault("G18")
def test_a_signed_version_is_taken_as_its_bits() -> None:
    reply = recorded("height-17") | {"version": -0x80000000}
    assert parse_template(reply, "regtest").version == 0x80000000


@fault("G18")
def test_time_moves_only_where_it_may() -> None:
    reply = recorded("height-17")
    free = job_of(parse_template(reply, "regtest"))
    assert (free.ntime_limit, free.ntime_follows_clock) == (7200, True)
    fixed = job_of(parse_template(reply | {"mutable": ["transactions"]}, "regtest"))
    assert (fixed.ntime_limit, fixed.ntime_follows_clock) == (0, False)


@fault("G27")
def test_time_is_the_nodes() -> None:
    reply = recorded("height-17")
    now = reply["curtime"]
    late = parse_template(reply | {"mintime": now + 5000}, "regtest")
    assert (late.ntime, late.ntime_limit) == (now + 5000, 2200)
    capped = parse_template(reply | {"maxtime": now + 10}, "regtest")
    assert (capped.ntime, capped.ntime_limit) == (now, 10)


@pytest.mark.parametrize("chain", ["test", "testnet4", "signet"])
@fault("G28")
def test_time_stands_still_on_test_networks(chain: str) -> None:
    template = parse_template(recorded("height-17"), chain)
    assert (template.ntime, template.ntime_limit) == (template.curtime, 0)


@fault("G34")
def test_the_harder_of_bits_and_target_counts() -> None:
    reply = recorded("height-17")
    harder = parse_template(reply | {"target": "00" + "ff" * 31}, "regtest")
    assert harder.target == 2**248 - 1
    assert "disagree" in harder.alarms[0]
    easier = parse_template(reply | {"target": "ff" * 32}, "regtest")
    assert easier.target == 0x7FFFFF << 232
    assert easier.alarms


@pytest.mark.parametrize(
    ("height", "push"),
    [
        (1, "51"), (16, "60"), (17, "0111"), (127, "017f"), (128, "028000"), (255, "02ff00"),
        (256, "020001"), (32767, "02ff7f"), (32768, "03008000"), (8388607, "03ffff7f"),
        (8388608, "0400008000"), (961672, "0388ac0e"),
    ],
)  # fmt: skip
@fault("G15")
def test_every_height_is_pushed_as_consensus_wants(height: int, push: str) -> None:
    job = job_of(parse_template(recorded("height-17") | {"height": height}, "regtest"))
    script = Block.parse(bytes.fromhex(proposal_hex(job))).transactions[0].inputs[0].script
    assert script.hex().startswith(push + "08")  # then the extranonce
    assert 2 <= len(script) <= 100
