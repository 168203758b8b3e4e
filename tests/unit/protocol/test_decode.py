"""A pool's coinbase in words."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miner.bitcoin.address import encode_segwit
from miner.bitcoin.coinbase import push_height
from miner.bitcoin.tx import MAX_MONEY, Transaction, TxIn, TxOut
from miner.protocol.decode import SCRIPT_LENGTH_AT, decode_coinbase, height_of, user_address
from miner.work.job import Job
from tests.fakes.jobs import changed
from tests.unit.protocol.stratum_lines import call, jobs, notify, subscribed

VECTORS = Path(__file__).parents[2] / "vectors" / "stratum"
USER = "bcrt1q3dne9hcm3kmv6hkrd4pwq6e4txc92wfx88ssz7.w1"


def recorded_job() -> Job:
    """The job a real ckpool gave to USER."""
    for line in (VECTORS / "ckpool-version-rolling.jsonl").read_text().splitlines():
        message: Any = json.loads(json.loads(line)["line"])
        if message.get("method") == "mining.notify":
            session = subscribed(extranonce1="6ddd026b", size=8)
            (job,) = jobs(session.receive(call("mining.notify", *message["params"]), 0.0))
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
    assert decoded.lines()[-1].endswith("is paid 25.00000000 of 25.00000000 BTC, 100.00 %")


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
    (job,) = jobs(subscribed().receive(notify(coinb2=coinb2), 0.0))
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


# -- made-up coinbases ------------------------------------------------------------------------
PKH = "0014" + "aa" * 20


def made(
    before: bytes = b"\x02\x05\x01",
    after: bytes = b"",
    extranonce1: bytes = b"\x01\x02",
    outputs: list[tuple[int, str]] | None = None,
    size: int = 2,
) -> Job:
    """A job whose coinbase has this script around the extranonce."""
    outs = [TxOut(value, bytes.fromhex(script)) for value, script in outputs or [(5, PKH)]]
    script = before + extranonce1 + bytes(size) + after
    whole = Transaction((TxIn(bytes(32), 0xFFFFFFFF, script),), tuple(outs)).serialize()
    hole = SCRIPT_LENGTH_AT + 1 + len(before)
    return changed(
        recorded_job(),
        part1=whole[:hole],
        part2=whole[hole + len(extranonce1) + size :],
        extranonce1=extranonce1,
        extranonce2_size=size,
    )


@pytest.mark.parametrize(
    ("script", "height"),
    [
        ("", None), ("00", None), ("50", None), ("51", 1), ("52", 2), ("60", 16), ("61", None),
        ("01", None), ("0111", 17), ("017f", 127), ("0180", None), ("01ff", None),
        ("02", None), ("0200", None), ("028000", 128), ("020080", None),
        ("03ffff7f", 8388607), ("0400008000", 8388608), ("04000080", None), ("0400000080", None),
        ("05000000000000", None), ("4b" + "00" * 75, None), ("0111ffff", 17),
    ],
)  # fmt: skip
def test_a_height_is_a_number_of_up_to_four_bytes_in_front(script: str, height: int | None) -> None:
    front = bytes(SCRIPT_LENGTH_AT) + b"\x20" + bytes.fromhex(script)
    assert height_of(front) == height


@pytest.mark.parametrize("size", [0, SCRIPT_LENGTH_AT, SCRIPT_LENGTH_AT + 1])
def test_a_coinbase_without_a_script_has_no_height(size: int) -> None:
    assert height_of(b"\x51" * size) is None


@pytest.mark.parametrize("size", [0, 4])
def test_the_tag_is_what_the_pool_wrote_around_our_extranonce(size: int) -> None:
    job = made(b"\x02\x05\x01/one/", b"/two/\x00abc\x00four", b"zzzz", size=size)
    assert decode_coinbase(job, None, "main").tag == "/one/ /two/ four"
    assert decode_coinbase(made(b"tags", b"", b"zzzz", size=size), None, "main").tag == "tags"


def test_a_script_that_ends_before_the_extranonce_has_its_tag_too() -> None:
    whole = Transaction(
        (TxIn(bytes(32), 0xFFFFFFFF, b"\x01\x05/pool/"),), (TxOut(1, b"\x6a\x04nnnn"),)
    ).serialize()
    at = whole.index(b"nnnn")
    job = changed(
        recorded_job(), part1=whole[:at], part2=whole[at + 4 :], extranonce1=b"nnnn",
        extranonce2_size=0,
    )  # fmt: skip
    assert decode_coinbase(job, None, "main").tag.startswith("/pool/")


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("6a24aa21a9ed" + "00" * 32, "witness commitment"), ("6a02abcd", "data 02abcd"),
        ("6a" + "ab" * 40, "data " + "ab" * 40), ("6a" + "ab" * 41, "data " + "ab" * 40),
        ("51", "51"), ("", ""), ("51" * 45, "51" * 45), ("51" * 46, "51" * 43 + "5..."),
    ],
)  # fmt: skip
def test_an_output_without_an_address_is_shown_as_what_it_is(script: str, text: str) -> None:
    decoded = decode_coinbase(made(outputs=[(0, script)]), None, "main")
    assert decoded.outputs[0].text == text


@pytest.mark.parametrize("value", [0, 1, MAX_MONEY])
def test_an_output_is_up_to_21_million_coins(value: int) -> None:
    assert decode_coinbase(made(outputs=[(value, PKH)]), None, "main").total == value


@pytest.mark.parametrize("value", [-1, MAX_MONEY + 1])
def test_an_output_beyond_that_is_an_error(value: int) -> None:
    with pytest.raises(ValueError, match="negative or above 21 million"):
        decode_coinbase(made(outputs=[(0, PKH), (value, PKH)]), None, "main")


def test_the_lines_say_it_all() -> None:
    text = encode_segwit("bc", 0, bytes.fromhex("aa" * 20))
    other = encode_segwit("bc", 0, bytes.fromhex("bb" * 20))
    job = made(b"\x02\x05\x01", b"/pool/", outputs=[(150_000_000, PKH), (1, "0014" + "bb" * 20)])
    assert decode_coinbase(job, user_address(text), "main").lines() == [
        "coinbase: height 261, tag /pool/, total 1.50000001 BTC",
        f"         1.50000000  {text}   <- your address",
        f"         0.00000001  {other}",
        f"  {text} is paid 1.50000000 of 1.50000001 BTC, 99.99 %",
    ]
    bare = decode_coinbase(made(b"\x00"), None, "main").lines()
    assert bare[0] == "coinbase: height unknown, tag (none), total 0.00000005 BTC"
