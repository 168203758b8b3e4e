"""`miner mine` as people run it: the own node, goals, signals, secrets."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from miner.bitcoin.address import p2wsh_address
from tests.e2e.conftest import Start
from tests.faults import fault

pytest.importorskip("pbk", reason="no kernel wheel for this Python")

QUICK = ("--block-interval", "0", "--backend", "hashlib")
REGTEST = p2wsh_address(b"\x51", "regtest")


def test_blocks_of_the_own_node_come_in_order_each_with_hash_and_verdict(miner: Start) -> None:
    command = miner("mine", "--blocks", "6", *QUICK)
    assert command.end() == 0
    blocks = [line.split()[1:5] for line in command.out if " block " in line][:6]
    assert [words[:3] for words in blocks] == [["block", str(n), "accepted"] for n in range(1, 7)]
    assert len({words[3] for words in blocks}) == 6
    assert all(len(words[3]) == 64 for words in blocks)
    assert "6 accepted, 0 rejected" in command.out[-1]
    assert "goal reached: 6 blocks" in command.text
    assert "an address that anyone can spend from" in command.text  # what is paid, shown before
    assert "kept" not in command.text  # nothing waits here


def test_json_is_one_valid_object_a_line(miner: Start) -> None:
    command = miner("mine", "--blocks", "2", "--json", *QUICK)
    assert command.end() == 0
    assert [block["height"] for block in command.objects("block")] == [1, 2]
    last = command.objects("status")[-1]
    assert (last["schema"], last["blocks_accepted"], last["rejected"]) == (1, 2, 0)
    assert command.objects()[0]["type"] == "start"


def test_a_kept_chain_goes_on_and_fresh_starts_over(miner: Start, tmp_path: Path) -> None:
    folder = str(tmp_path / "chain")
    assert miner("mine", "--blocks", "3", "--datadir", folder, *QUICK).end() == 0
    again = miner("mine", "--blocks", "2", "--datadir", folder, *QUICK)
    assert again.end() == 0
    assert "block 4 accepted" in again.text
    fresh = miner("mine", "--blocks", "1", "--datadir", folder, "--fresh", *QUICK)
    assert fresh.end() == 0
    assert "block 1 accepted" in fresh.text


def test_progress_is_visible_soon_and_a_time_goal_ends_it(miner: Start) -> None:
    command = miner("mine", "--stop-after", "1s", "--backend", "hashlib")
    command.until("homehash", within_s=10)
    assert command.end() == 0
    assert "goal reached: 1 s" in command.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@fault("P01")
def test_a_signal_ends_it_at_once_with_exit_0(miner: Start, number: signal.Signals) -> None:
    command = miner("mine", "--block-interval", "0.05", "--backend", "hashlib")
    command.until("block 2 accepted")
    began = time.monotonic()
    assert command.stop(number) == 0
    assert time.monotonic() - began < 5  # the goal is 1 s; the machine may be busy
    assert "stopped by a signal" in command.text
    assert "kept 0.05 s apart (--block-interval)" in command.text  # why the rate is low


@pytest.mark.parametrize("delay_s", [0.05, 0.4, 0.9, 1.5])
@fault("P01")
def test_a_signal_while_starting_leaves_no_traceback(miner: Start, delay_s: float) -> None:
    command = miner("mine", "--backend", "hashlib")
    time.sleep(delay_s)
    code = command.stop(signal.SIGTERM)
    assert code in (0, -signal.SIGTERM)  # before Python runs our code the system decides


@fault("P01")
def test_a_second_signal_ends_it_at_once(miner: Start) -> None:
    command = miner("mine", "--block-interval", "0.05", "--backend", "hashlib")
    command.until("block 1 accepted")
    command.process.send_signal(signal.SIGINT)
    command.process.send_signal(signal.SIGINT)
    assert command.end(5.0) == 0


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell")
def test_a_reader_that_leaves_ends_it_in_one_line(home: Path) -> None:
    line = (
        f"{sys.executable} -P -m miner mine --json --block-interval 0 --backend hashlib | head -n 1"
    )
    environment = {**os.environ, "MINER_HOME": str(home)}
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )
    assert done.returncode == 1, "so that a supervisor starts it again"
    assert len(done.stderr.splitlines()) == 1 and "has left" in done.stderr


@fault("P06")
def test_one_journal_serves_one_run(miner: Start, tmp_path: Path) -> None:
    file = str(tmp_path / "blocks")
    first = miner("mine", "--journal", file, "--backend", "hashlib")
    first.until("block 1 accepted")
    second = miner("mine", "--journal", file, "--backend", "hashlib")
    assert second.end() == 1
    assert "in use by another miner" in second.err[-1]
    assert first.stop() == 0


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc")
@fault("P14")
def test_a_password_given_as_argument_leaves_the_process_list(miner: Start) -> None:
    flags = ("--node", "http://127.0.0.1:1", "--user", "bob", "--address", REGTEST)
    command = miner("mine", *flags, "--password", "canary-word", "--backend", "hashlib")
    command.until("127.0.0.1:1")
    shown = Path(f"/proc/{command.process.pid}/cmdline").read_bytes()
    assert b"bob" in shown
    assert b"canary" not in shown
    assert command.stop() == 0
    assert "canary" not in command.text
    assert "--pass-file" in command.text


def test_what_waiting_can_cure_is_said_soon_and_waited_for(miner: Start) -> None:
    flags = ("--node", "http://127.0.0.1:1", "--address", REGTEST, "--backend", "hashlib")
    command = miner("mine", *flags, MINER_RPC_USER="u", MINER_RPC_PASSWORD="p")
    command.until("refused", within_s=15)
    assert command.process.poll() is None
    assert command.stop() == 0
