"""`miner mine --pool` against the fake pool: goals, decode, exit codes, secrets."""

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.stratum_kit import CANARY
from tests.fakes.pool import FakePool
from tests.faults import fault

HASHLIB = ("--backend", "hashlib")
ADDRESS = "mzgedZJgT6Yo1iwMpLN8X3HwQy2V4MggzD"  # the fake pool's coinbase pays it


def test_shares_until_a_goal_with_the_customary_aliases(miner: Start) -> None:
    with FakePool(difficulty="1e-5") as pool:
        place = pool.url.partition("://")[2]
        command = miner("mine", "-o", place, "-u", "alice.w1", "-p", "x",
                        "--stop-after", "5shares", *HASHLIB)  # fmt: skip
        assert command.end() == 0
        assert len(pool.shares()) >= 5
        assert pool.shares(accepted=False) == []
    assert "goal reached: 5 shares" in command.text
    assert "0 rejected" in command.out[-1]


@pytest.mark.parametrize(
    ("user", "words"),
    [
        (f"{ADDRESS}.w1", f"{ADDRESS} is paid 50.00000000 of 50.00000000 BTC, 100.00 %"),
        ("1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "is NOT paid by this coinbase"),
        ("alice.w1", "no address of yours is known"),
    ],
)
def test_decode_shows_what_the_pools_coinbase_pays(miner: Start, user: str, words: str) -> None:
    with FakePool(difficulty="1e-3") as pool:  # few shares: the lines are what is looked for
        command = miner("mine", "--pool", pool.url, "--user", user, "--decode", *HASHLIB)
        command.until("coinbase: height 1000, tag /fake/, total 50.00000000 BTC")
        command.until(words)
        assert command.stop() == 0


def test_blocks_found_for_a_pool_are_journalled_and_settled(miner: Start, home: Path) -> None:
    with FakePool(nbits="207fffff", difficulty="1e-8") as pool:
        command = miner("mine", "--pool", pool.url, "--user", "a", "--json",
                        "--stop-after", "5shares", *HASHLIB)  # fmt: skip
        assert command.end() == 0
        accepted = {entry.value for entry in pool.shares()}
    last = command.objects("status")[-1]
    assert last["blocks_found"] >= 5
    assert last["blocks_waiting"] == 0
    assert (last["rejected"], last["stale"]) == (0, 0)
    assert len(accepted) >= 5


@fault("P14")
def test_the_password_is_nowhere(miner: Start, home: Path) -> None:
    with FakePool(users={"bob"}) as pool:
        command = miner("mine", "--pool", pool.url, "--user", "eve", *HASHLIB,
                        MINER_PASSWORD=CANARY)  # fmt: skip
        assert command.end() == 5
        sent = [json.dumps(message) for message in pool.connections[0].received]
        assert sum(CANARY in text for text in sent) == 1
    assert "unknown user" in command.text
    assert CANARY not in command.text
    files = [path for path in home.rglob("*") if path.is_file()]
    assert not any(CANARY.encode() in path.read_bytes() for path in files)


def test_a_pool_that_is_not_there_ends_after_the_retries(miner: Start) -> None:
    with FakePool() as pool:
        url = pool.url
    command = miner("mine", "--pool", url, "--user", "a", "--retries", "1", *HASHLIB)
    assert command.end() == 6
    assert "Connection refused" in command.text


def test_a_bad_url_is_one_line(miner: Start) -> None:
    command = miner("mine", "--pool", "stratum2+tcp://p:3333/key", "--user", "a")
    assert command.end() == 2
    assert "does not match its checksum" in command.text


@pytest.mark.parametrize("way", ["flag", "variable", "file"])
@fault("S35")
def test_unverified_tls_shouts_however_it_was_asked_for(
    miner: Start, tmp_path: Path, way: str
) -> None:
    config = tmp_path / "own.toml"
    config.write_text("tls-insecure = true\n" if way == "file" else "")
    flags = ["--tls-insecure"] if way == "flag" else []
    variables = {"MINER_TLS_INSECURE": "1"} if way == "variable" else {}
    with FakePool(difficulty="1e-5") as pool:
        command = miner("mine", "--pool", pool.url, "--user", "a", "--config", str(config), *flags,
                        "--stop-after", "1shares", "--json", *HASHLIB, **variables)  # fmt: skip
        assert command.end() == 0
    (shout,) = [item for item in command.objects("caution") if "TLS" in item["text"]]
    assert shout["text"].startswith("TLS IS NOT VERIFIED")
    assert all(status["tls_insecure"] is True for status in command.objects("status"))


def test_a_pool_s_yes_to_a_block_is_no_accepted_block(miner: Start) -> None:
    """Seen: the pool said yes, and its node had refused the block."""
    with FakePool(nbits="1f00ffff", difficulty="1e-5") as pool:  # a dozen blocks a second
        command = miner("mine", "--pool", pool.url, "--user", "a", "--json",
                        "--stop-after", "1blocks", *HASHLIB)  # fmt: skip
        line = json.loads(command.until("pool accepted the share; its hash is a block: 1000 "))
        assert (line["type"], line["answer"]) == ("block", "share accepted")
        for height in (1001, 1002):
            pool.notify(tip=True)
            command.until(f"new job from {pool.url.partition('://')[2]}, height {height}")
        lost = json.loads(command.until("the chain went on without it"))
        assert (lost["type"], lost["answer"], lost["height"]) == ("block", "stale", 1000)
        line = json.loads(command.until('"height": 1002, "answer": "share accepted"'))
        found = bytes.fromhex(line["hash"])[::-1]
        pool.prevhash = b"".join(found[at : at + 4][::-1] for at in range(0, 32, 4)).hex()
        pool.height += 1
        pool.notify(clean=True)
        assert command.end() == 0
    good = [row for row in command.objects("block") if row["answer"] == "accepted"]
    assert [row["hash"] for row in good] == [line["hash"]]
    last = command.objects("status")[-1]
    assert (last["blocks_accepted"], last["rejected"]) == (1, 0)
    assert last["accepted"] > 1
