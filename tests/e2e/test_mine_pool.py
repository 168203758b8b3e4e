"""`miner mine --pool` through the real command line, judged by the fake pool's own code."""

import re

from miner.bitcoin.address import p2wsh_address
from tests.e2e.conftest import Start
from tests.fakes.pool import FakePool

LOGIN = ("--user", "alice.w1", "--backend", "hashlib")


def test_shares_are_accepted_with_rolled_versions(miner: Start) -> None:
    with FakePool(difficulty="1e-6") as pool:
        command = miner("mine", "-o", pool.url, *LOGIN, "--stop-after", "8shares", "--json")
        assert command.end() == 0
        assert pool.shares(accepted=False) == []
        assert len(pool.ledger) >= 8
    last = command.objects("status")[-1]
    assert last["accepted"] >= 8
    assert (last["rejected"], last["stale"], last["blocks_found"]) == (0, 0, 0)
    assert last["best_difficulty_session"] >= 1e-6
    assert command.objects("state")[-1]["source"].startswith("127.0.0.1:")


def test_decode_shows_what_the_pool_pays(miner: Start) -> None:
    address = p2wsh_address(b"\x51", "regtest")
    with FakePool(difficulty="1e-6") as pool:
        command = miner("mine", "--pool", pool.url, *LOGIN, "--address", address, "--decode")
        command.until("coinbase: height")
        command.until("is NOT paid by this coinbase")
        assert command.stop() == 0
    assert re.search(r"total \d+\.\d{8} BTC", command.text)


def test_the_next_pool_takes_over_when_the_first_refuses(miner: Start) -> None:
    with FakePool(users={"nobody"}) as first, FakePool(difficulty="1e-6") as second:
        command = miner(
            "mine", "-o", first.url, "-o", second.url, *LOGIN, "--stop-after", "3shares"
        )
        assert command.end() == 0
        assert not first.ledger
        assert second.shares(accepted=False) == []


def test_a_pool_that_refuses_the_user_is_exit_5_when_it_is_the_only_one(miner: Start) -> None:
    with FakePool(users={"nobody"}) as pool:
        command = miner("mine", "-o", pool.url, *LOGIN, "-p", "canary-word", "--retries", "0")
        assert command.end() == 5
    assert "canary" not in command.text


def test_a_pool_that_is_not_there_is_exit_6_after_its_retries(miner: Start) -> None:
    command = miner("mine", "-o", "127.0.0.1:1", *LOGIN, "--retries", "0")
    assert command.end() == 6
    assert "127.0.0.1:1" in command.err[-1]
