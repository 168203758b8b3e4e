"""A pool's coinbase in words."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miner.bitcoin.coinbase import push_height
from miner.protocol.decode import SCRIPT_LENGTH_AT, decode_coinbase, height_of, user_address
from miner.work.values import Job
from tests.unit.protocol.stratum_lines import call, jobs, notify, subscribed

VECTORS = Path(__file__).parents[2] / "vectors" / "stratum"
USER = "bcrt1q3dne9hcm3kmv6hkrd4pwq6e4txc92wfx88ssz7.w1"


def recorded_job() -> Job:
    """The job a real ckpool gave to USER."""
    for line in (VECTORS / "ckpool-version-rolling.jsonl").read_text().splitlines():
        message: Any = json.loads(json.loads(line)["line"])
        if message.get("method") == "mining.notify":
            session = subscribed(extranonce1="6ddd026b", size=8)
            (job,) = jobs(session.receive_data(call("mining.notify", *message["params"]), 0.0))
            return job
    raise AssertionError("no notify in the transcript")


def test_a_real_coinbase_that_pays_the_user() -> None:
    decoded = decode_coinbase(recorded_job(), user_address(USER), "regtest")
    assert decoded.height == 261
    assert "ckpool-lhr" in decoded.tag
    assert "/test/" in decoded.tag
    assert decoded.own == USER.split(".")[0]
    assert [output.text for output in decoded.outputs] == [
        USER.split(".")[0],
        "witness commitment",
    ]
    assert decoded.paid_to_user == decoded.total == 2500000000
    assert decoded.lines()[-1].endswith("is paid 25.00000000 of 25.00000000 BTC")


def test_a_coinbase_that_pays_somebody_else_says_so() -> None:
    other = "bcrt1qmllkpu3kvll5a3y5urfer86crzsrcagqm36xjk"
    decoded = decode_coinbase(recorded_job(), user_address(f"{other}.rig"), "regtest")
    assert decoded.paid_to_user == 0
    assert "NOT paid" in decoded.lines()[-1]


def test_a_user_name_without_an_address() -> None:
    decoded = decode_coinbase(recorded_job(), user_address("alice.rig1"), "regtest")
    assert decoded.paid_to_user is None
    assert "no address of yours" in decoded.lines()[-1]


@pytest.mark.parametrize("separator", [".", "_", "+", "/"])
def test_the_address_inside_a_user_name(separator: str) -> None:
    address = user_address(f"1BoatSLRHtKNngkdXEeobR76b53LETtpyT{separator}rig")
    assert address is not None
    assert address.kind == "p2pkh"


@pytest.mark.parametrize(
    "coinb2", ["", "00", "ffffffff01ffffffffffffffff0000000000", "ffffffff0100000000000000000100"]
)
def test_a_coinbase_that_cannot_be_read_is_an_error_for_people_only(coinb2: str) -> None:
    (job,) = jobs(subscribed().receive_data(notify(coinb2=coinb2), 0.0))
    with pytest.raises(ValueError, match=r"."):
        decode_coinbase(job, None, "main")


@given(st.integers(1, 2**31 - 1))
def test_every_height_is_read_back(height: int) -> None:
    front = bytes(SCRIPT_LENGTH_AT) + b"\x20" + push_height(height) + b"\x00"
    assert height_of(front) == height


@given(st.binary(max_size=60))
def test_a_height_that_is_not_there(front: bytes) -> None:
    height = height_of(front)
    assert height is None or 0 <= height < 2**31
