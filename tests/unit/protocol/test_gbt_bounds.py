"""Every number of a template at its bounds, and what a job, request and block are made of."""

from typing import Any

import pytest

from miner.bitcoin.block import Block
from miner.bitcoin.coinbase import commitment_script, subsidy, witness_root
from miner.bitcoin.tx import MAX_MONEY
from miner.errors import ConfigError, RemoteProtocolError, SourceRefused
from miner.protocol.gbt import job as gbt
from miner.protocol.gbt.job import MiningPlan, make_job, proposal_hex
from miner.protocol.gbt.template import Template, parse_template
from miner.work.job import Job
from tests.faults import fault
from tests.unit.protocol.test_gbt_template import PLAN, job_of, mempool, recorded

UINT32 = 2**32 - 1
NOW: int = recorded("height-17")["curtime"]


def template(**changes: Any) -> Template:
    return parse_template(recorded("height-17") | changes, "regtest")


def refused(**changes: Any) -> str:
    """The words about a template with these fields."""
    with pytest.raises(RemoteProtocolError) as caught:
        template(**changes)
    return str(caught.value)


# -- numbers ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("field", "low", "high", "name"),
    [
        ("version", -(2**31), UINT32, "version"), ("vbrequired", 0, UINT32, "vbrequired"),
        ("height", 1, 2**31 - 1, "height"), ("curtime", 0, UINT32, "curtime"),
        ("mintime", 0, UINT32, "ntime"), ("maxtime", NOW, UINT32, ""),
        ("coinbasevalue", 0, MAX_MONEY, "coinbase_value"),
        ("weightlimit", 4000, 4_000_000, "weight_limit"), ("expires", 1, 2**31, "expires_s"),
    ],
)  # fmt: skip
def test_a_number_is_taken_at_either_bound_and_refused_beyond(
    field: str, low: int, high: int, name: str
) -> None:
    for good in (low, high):
        told = template(**{"mintime": 0, field: good})
        if name and good >= 0:
            assert getattr(told, name) == max(good, told.curtime if name == "ntime" else 0)
    for bad in (low - 1, high + 1):
        said = refused(**{field: bad})
        assert said == f"template field {field} is {bad}: want an integer {low} .. {high}"


def test_a_missing_optional_number_binds_nothing() -> None:
    reply = recorded("height-17")
    for field in ("vbrequired", "mintime", "maxtime", "weightlimit", "expires"):
        reply.pop(field, None)
    told = parse_template(reply, "regtest")
    assert (told.vbrequired, told.weight_limit, told.expires_s) == (0, 4_000_000, None)
    assert (told.ntime, told.ntime_limit) == (told.curtime, 7200)
    assert parse_template(reply | {"curtime": 0}, "regtest").ntime == 0
    assert parse_template(reply | {"curtime": UINT32 - 5}, "regtest").ntime_limit == 5


def test_a_time_that_is_too_late_already_does_not_move() -> None:
    now = recorded("height-17")["curtime"]
    assert template(mintime=now + 7200).ntime_limit == 0
    assert template(mintime=now + 7201).ntime_limit == 0
    assert template(maxtime=now).ntime_limit == 0
    assert template(mintime=now + 7199).ntime_limit == 1


@fault("G44")
def test_the_nonce_range_is_that_of_the_server() -> None:
    assert template(noncerange="00000000ffffffff").nonces == range(2**32)
    assert template(noncerange="00000007fffffffe").nonces == range(7, 2**32 - 1)
    assert template(noncerange="0000000800000008").nonces == range(8, 9)
    assert "above the last" in refused(noncerange="0000000800000007")
    assert "noncerange" in refused(noncerange="00000000fffffff")


@fault("G44")
def test_a_longpollid_above_4_kib_is_not_sent_back() -> None:
    assert template(longpollid="x" * 4096).longpollid == "x" * 4096
    assert template(longpollid="x" * 4097).longpollid is None
    assert template(longpollid="\u20ac" * 2000).longpollid is None


# -- texts ------------------------------------------------------------------------------------
def test_texts_have_up_to_10000_characters_and_the_error_shows_40() -> None:
    assert template(workid="w" * 10_000).workid == "w" * 10_000
    said = refused(workid="w" * 10_001)
    assert said == f"template field workid is {'w' * 37}...: want a text"
    assert refused(coinbaseaux={"n" * 50: 7}) == (f"template field {'n' * 37}... is 7: want a text")
    with pytest.raises(RemoteProtocolError, match=f"not an object but {'x' * 37}[.]{{3}}$"):
        parse_template("x" * 41, "regtest")
    with pytest.raises(SourceRefused, match=f"the rule '!{'r' * 36}[.]{{3}}'"):
        template(rules=["!" + "r" * 41])


@pytest.mark.parametrize(("count", "good"), [(0, True), (20, True), (21, False)])
def test_aux_data_has_up_to_20_entries(count: int, good: bool) -> None:
    aux = {f"n{index}": f"{index:02x}" for index in range(count)}
    if good:
        assert template(coinbaseaux=aux).aux == tuple(bytes([index]) for index in range(count))
    else:
        assert "coinbaseaux" in refused(coinbaseaux=aux)


def test_the_parent_is_shown_as_people_read_it() -> None:
    assert template().prev_hash_hex == recorded("height-17")["previousblockhash"]


# -- target and commitment --------------------------------------------------------------------
def test_a_target_of_zero_is_refused_and_of_one_taken() -> None:
    assert "no hash can meet it" in refused(target="00" * 32)
    told = template(target="00" * 31 + "01")
    assert told.target == 1
    assert len(told.alarms) == 1


def test_without_the_rule_segwit_old_transactions_need_no_commitment() -> None:
    reply = mempool() | {"rules": []}
    del reply["default_witness_commitment"]
    old = [entry for entry in reply["transactions"] if entry["txid"] == entry["hash"]]
    new = [entry for entry in reply["transactions"] if entry["txid"] != entry["hash"]]
    told = parse_template(reply | {"transactions": old}, "regtest")
    assert (told.commitment, told.segwit, len(told.transactions)) == (b"", False, len(old))
    told = parse_template(reply | {"transactions": new}, "regtest")
    root = witness_root([tx.wtxid for tx in told.transactions])
    assert (told.commitment, told.segwit) == (commitment_script(root), True)


@pytest.mark.parametrize(
    ("script", "word"), [("6a24aa21a9ed" + "00" * 32, "differs from ours"), ("6a", "no commitment")]
)
def test_a_useless_commitment_is_called_what_it_is(script: str, word: str) -> None:
    told = parse_template(mempool() | {"default_witness_commitment": script}, "regtest")
    assert word in told.alarms[0]


@pytest.mark.parametrize(
    ("chain", "height", "coins"),
    [
        ("main", 209_999, 50), ("main", 210_000, 25), ("main", 420_000, 12.5),
        ("regtest", 149, 50), ("regtest", 150, 25), ("signet", 210_000, 25),
    ],
)  # fmt: skip
def test_an_empty_block_claims_no_more_than_the_subsidy(
    chain: str, height: int, coins: float
) -> None:
    changes = {"default_witness_commitment": "6a", "height": height, "coinbasevalue": MAX_MONEY}
    told = parse_template(mempool() | changes, chain)
    assert told.coinbase_value == coins * 10**8
    poor = parse_template(mempool() | changes | {"coinbasevalue": 5}, chain)
    assert poor.coinbase_value == 5
    assert subsidy(height, 150 if chain == "regtest" else 210_000) == coins * 10**8


# -- requests ---------------------------------------------------------------------------------
@pytest.mark.parametrize("chain", ["main", "test", "testnet4", "regtest"])
def test_the_rule_signet_is_named_on_signet_alone(chain: str) -> None:
    assert gbt.template_request(chain)["rules"] == ["segwit"]
    assert gbt.template_request("signet")["rules"] == ["segwit", "signet"]


def test_a_long_poll_names_its_id() -> None:
    assert "longpollid" not in gbt.template_request("main")
    asked = gbt.template_request("main", "tip17")
    assert (asked["longpollid"], asked["rules"]) == ("tip17", ["segwit"])
    assert asked["capabilities"] == ["coinbasevalue", "longpoll", "proposal"]
    assert gbt.template_request("main", "")["longpollid"] == ""


def test_a_proposal_names_its_work_where_there_is_one() -> None:
    bare = {"mode": "proposal", "data": "00", "rules": ["segwit"]}
    assert gbt.proposal_request("main", "00") == bare
    assert gbt.proposal_request("main", "00", "w7") == bare | {"workid": "w7"}


# -- job and block ----------------------------------------------------------------------------
def test_a_job_follows_the_clock_where_its_time_may_move() -> None:
    now = recorded("height-17")["curtime"]
    job = job_of(template(maxtime=now + 1))
    assert (job.session, job.ntime_limit, job.ntime_follows_clock) == (0, 1, True)
    assert not job_of(template(maxtime=now)).ntime_follows_clock


def test_a_proposal_has_nonce_0_and_an_extranonce_of_ones() -> None:
    block = Block.parse(bytes.fromhex(proposal_hex(job_of(template()))))
    assert block.header.nonce == 0
    assert b"\x08" + b"\xff" * 8 in block.transactions[0].inputs[0].script


def whole_weight() -> int:
    return Block.parse(bytes.fromhex(proposal_hex(job_of(parse(mempool()))))).weight


def parse(reply: dict[str, Any]) -> Template:
    return parse_template(reply, "regtest")


def kept(job: Job) -> int:
    return len(gbt.template_of(job).transactions)


def test_a_block_of_exactly_the_limit_keeps_the_nodes_commitment() -> None:
    reply = mempool()
    reply["default_witness_commitment"] += "02abcd"  # BIP 141 allows bytes after it
    weight = whole_weight() + 4 * 3
    job = job_of(parse(reply | {"weightlimit": weight}))
    assert gbt.template_of(job).commitment.hex() == reply["default_witness_commitment"]
    assert Block.parse(bytes.fromhex(proposal_hex(job))).weight == weight


def test_a_block_may_weigh_exactly_its_limit() -> None:
    weight, last = whole_weight(), mempool()["transactions"][-1]["weight"]
    assert kept(job_of(parse(mempool() | {"weightlimit": weight}))) == 40
    assert kept(job_of(parse(mempool() | {"weightlimit": weight - 1}))) == 39
    assert kept(job_of(parse(mempool() | {"weightlimit": weight - last}))) == 39
    assert kept(job_of(parse(mempool() | {"weightlimit": weight - last - 1}))) == 38


@pytest.mark.parametrize("count", [251, 252])
def test_the_count_of_transactions_is_weighed_too(count: int) -> None:
    """With the coinbase 252 or 253: the count takes one byte or three."""
    reply = mempool()
    data = reply["transactions"][0]["data"]
    # told apart by their locktime
    reply["transactions"] = [{"data": data[:-8] + f"{n:08x}", "fee": 0} for n in range(count)]
    del reply["default_witness_commitment"]
    told = parse(reply)
    assert len(told.transactions) == count
    weight = Block.parse(bytes.fromhex(proposal_hex(job_of(told)))).weight
    assert kept(job_of(parse(reply | {"weightlimit": weight}))) == count
    assert kept(job_of(parse(reply | {"weightlimit": weight - 1}))) == count - 1


def test_fees_of_dropped_transactions_leave_at_least_nothing() -> None:
    """A template whose value is below its fees lies; at zero it is still a block."""
    reply = mempool()
    fee = reply["transactions"][-1]["fee"]
    reply["weightlimit"] = whole_weight() - 1
    assert gbt.template_of(job_of(parse(reply | {"coinbasevalue": fee}))).coinbase_value == 0
    with pytest.raises(RemoteProtocolError, match="does not fit"):
        job_of(parse(reply | {"coinbasevalue": fee - 1}))


def test_a_coinbase_above_the_limit_is_refused_with_the_limit() -> None:
    big = MiningPlan(b"\x51" * 1500)
    with pytest.raises(RemoteProtocolError, match="does not fit into 4000 units"):
        job_of(template(weightlimit=4000), big)
    assert job_of(template(weightlimit=4000)).height == 17
    reply = mempool() | {"weightlimit": 4000}
    with pytest.raises(RemoteProtocolError, match="does not fit into 4000 units"):
        make_job(parse(reply), big, source="node", job_id="1", clean=True)


def test_without_a_commitment_dropping_transactions_adds_none() -> None:
    reply = mempool() | {"rules": []}
    del reply["default_witness_commitment"]
    reply["transactions"] = [e for e in reply["transactions"] if e["txid"] == e["hash"]]
    whole = parse(reply)
    weight = Block.parse(bytes.fromhex(proposal_hex(job_of(whole)))).weight
    job = job_of(parse(reply | {"weightlimit": weight - 1}))
    assert kept(job) == len(whole.transactions) - 1
    assert len(Block.parse(bytes.fromhex(proposal_hex(job))).transactions[0].outputs) == 1


def test_a_tag_too_long_is_the_users_fault_and_aux_the_nodes() -> None:
    long = MiningPlan(PLAN.payout, b"t" * 95)
    with pytest.raises(ConfigError, match="at most 100: shorten the tag"):
        job_of(template(), long)
    with pytest.raises(RemoteProtocolError, match="coinbaseaux"):
        job_of(template(coinbaseaux={"flags": "ab" * 10}), long)
    with pytest.raises(RemoteProtocolError, match="coinbaseaux"):
        job_of(template(coinbaseaux={"flags": "ab" * 100}), MiningPlan(PLAN.payout))
