"""`miner mine` on Stratum v2 pools over real sockets: shares, failover, refusals."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.pool import FakePool
from tests.fakes.sink import REGTEST
from tests.fakes.sv2_pool import FakeSv2Pool
from tests.fakes.sv2_server import Sv2Server

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
SHARE_TARGET = 2**256 // 300_000  # a thread of hashlib finds some a second


def hard_enough() -> FakeSv2Pool:
    return FakeSv2Pool(by_group=True, target=SHARE_TARGET, nbits=0x1D00FFFF)


def mine(home: Path, *arguments: str, user: str = ADDRESS) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "miner", "mine", "--user", user, "--json",
               "--backend", "hashlib", "--threads", "1", *arguments]  # fmt: skip
    return subprocess.run(
        command, capture_output=True, text=True, timeout=90,
        env={"MINER_HOME": str(home), "PATH": "/usr/bin:/bin", "HOME": str(home)}, check=False,
    )  # fmt: skip


def last(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("channel", ["", "?channel=standard"])
def test_shares_are_accepted(tmp_path: Path, channel: str) -> None:
    with Sv2Server(hard_enough) as server:
        done = mine(tmp_path, "--pool", server.url + channel, "--stop-after", "5shares")
    assert done.returncode == 0, done.stderr
    judged = [share.verdict for pool in server.pools for share in pool.shares]
    assert judged.count("ok") >= 5 and set(judged) == {"ok"}
    assert server.pools[0].user == ADDRESS and server.pools[0].standard is bool(channel)


def test_a_broken_connection_is_made_again(tmp_path: Path) -> None:
    with Sv2Server(hard_enough) as server:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "miner", "mine", "--user", ADDRESS, "--pool", server.url,
             "--backend", "hashlib", "--threads", "1", "--stop-after", "12shares", "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={"MINER_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["type"] == "share":
                server.cut()
                break
        _, errors = process.communicate(timeout=90)
    assert process.returncode == 0, errors
    assert len(server.pools) >= 2
    assert all(share.verdict == "ok" for pool in server.pools for share in pool.shares)


def test_from_v2_to_v2_to_v1(tmp_path: Path) -> None:
    """One list for both protocols: the first has another key, the second refuses the user."""
    refusing = Sv2Server(lambda: FakeSv2Pool(refuse_open="unknown-user"))
    with Sv2Server(hard_enough) as wrong_key, refusing, FakePool(difficulty="0.00001") as v1:
        other = wrong_key.url.rpartition("/")[0]
        key = "9bXiEd8boQVhq7WddEcERUL5tyyJVFYdU8th3HfbNXK3Yw6GRXh"
        done = mine(
            tmp_path, "--pool", f"{other}/{key}", "--pool", refusing.url, "--pool", v1.url,
            "--stop-after", "3shares",
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "not signed by that key" in done.stdout and "unknown-user" in done.stdout
    assert sum(one.error is None for one in v1.ledger) >= 3
    assert not any(pool.shares for pool in wrong_key.pools + refusing.pools)


@pytest.mark.parametrize(
    ("user", "words"),
    [
        (f"sri/solo/{REGTEST}/desk", f"pays 0 % to {REGTEST}, though the user name asks for solo"),
        ("somebody", "names no address"),
        ("sri/donate/100", "names no address"),
    ],
)
def test_a_payout_that_gives_all_away_is_an_alarm(tmp_path: Path, user: str, words: str) -> None:
    with Sv2Server(hard_enough) as server:
        done = mine(tmp_path, "--pool", server.url, "--stop-after", "2shares", user=user)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    (alarm,) = [event for event in events if event["type"] == "alarm"]
    assert words in alarm["text"] and "127.0.0.1" in alarm["text"]
    assert last(done)["alarms"] == [alarm["text"]]


@pytest.mark.parametrize("user", [f"{ADDRESS}.desk", f"sri/solo/{ADDRESS}/desk"])
def test_who_is_paid_is_shown_in_per_cent(tmp_path: Path, user: str) -> None:
    with Sv2Server(hard_enough) as server:
        flags = ("--pool", server.url, "--stop-after", "1shares", "--decode")
        done = mine(tmp_path, *flags, user=user)
    assert f"{ADDRESS} is paid 25.00000000 of 25.00000000 BTC, 100.00 %" in done.stdout
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert not any(event["type"] == "alarm" for event in events)
    assert server.pools[0].shares[0].worker == "desk"


def test_no_key_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    done = mine(tmp_path, "--pool", "stratum2+tcp://127.0.0.1:9")
    assert done.returncode == 2 and "no key" in done.stderr and "--sv2-insecure" in done.stderr


def test_without_a_key_it_shouts(tmp_path: Path) -> None:
    with Sv2Server(hard_enough) as server:
        bare = server.url.rpartition("/")[0]
        done = mine(tmp_path, "--pool", bare, "--sv2-insecure", "--stop-after", "1shares")
    assert done.returncode == 0, done.stderr
    assert "STRATUM V2 WITHOUT A KEY" in done.stdout + done.stderr


def test_doctor_shows_the_handshake_and_the_certificate(tmp_path: Path) -> None:
    with Sv2Server(hard_enough) as server:
        command = [sys.executable, "-P", "-m", "miner", "doctor"]
        done = subprocess.run(
            [*command, "--pool", server.url, "--user", ADDRESS],
            capture_output=True, text=True, timeout=60,
            env={"MINER_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        )  # fmt: skip
    text = " ".join(done.stdout.split())
    assert "signed by the key given" in text and "certificate began 60 s ago" in text
    assert "version 2, flags 0x0" in text and f"pay 100.00 % to {ADDRESS}" in text
    assert "logged in, work after" in text


def test_what_a_pool_batches_is_unknown_at_the_end(tmp_path: Path) -> None:
    def patient() -> FakeSv2Pool:
        return FakeSv2Pool(by_group=True, target=SHARE_TARGET, nbits=0x1D00FFFF, batch=10**6)

    with Sv2Server(patient) as server:
        done = mine(tmp_path, "--pool", server.url, "--stop-after", "3s")
    end = last(done)
    assert (end["accepted"], end["pending"], end["unknown"]) == (0, 0, end["shares_found"])
    assert end["shares_found"] == len(server.pools[0].shares) > 0
