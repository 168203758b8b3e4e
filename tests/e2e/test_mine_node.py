"""`miner mine --node` as people run it: a restart in between, and mistakes with exit codes."""

import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from miner.transport.credentials import CookieFile
from miner.transport.endpoint import Endpoint, parse_node_url
from miner.transport.rpc import Rpc
from tests.e2e.conftest import Command, Start
from tests.fakes.node import FakeNode
from tests.fakes.sink import MAINNET, REGTEST
from tests.faults import fault

TESTNET = "tb1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqaqh7jw"
QUICK = ("--block-interval", "0", "--backend", "hashlib", "--threads", "1")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def mined(command: Command) -> list[int]:
    """Heights of the accepted blocks, from --json."""
    blocks = []
    for line in list(command.out):
        said = json.loads(line)
        if said["type"] == "block" and "accepted" in line:
            blocks.append(said["height"])
    return blocks


@fault("G21")
def test_a_restart_of_the_node_in_between_loses_nothing(miner: Start, tmp_path: Path) -> None:
    pytest.importorskip("pbk", reason="no kernel wheel for this Python")
    port, folder = free_port(), tmp_path / "chain"
    wanted = ("--datadir", str(folder), "--port", str(port), "--block-interval", "0")
    node = miner("node", *wanted)
    node.until("regtest node at")
    mine = miner(
        "mine", "--node", f"http://127.0.0.1:{port}", "--cookie", str(folder / ".cookie"),
        "--address", REGTEST, "--blocks", "60", "--json", *QUICK,
    )  # fmt: skip
    wait(lambda: len(mined(mine)) >= 10)
    assert node.stop() == 0
    again = miner("node", *wanted)
    assert mine.end() == 0
    assert mine.objects("status")[-1]["blocks_accepted"] == 60
    assert mine.objects("status")[-1]["rejected"] == 0
    rpc = Rpc(
        parse_node_url(f"http://127.0.0.1:{port}", 1).endpoint, CookieFile(folder / ".cookie")
    )
    assert rpc.call("getblockcount") >= 60
    rpc.close()
    assert again.stop() == 0


def test_a_private_chain_is_mined_at_difficulty_1(miner: Start, tmp_path: Path) -> None:
    """Everything but a block, which takes 4.29e9 hashes."""
    pytest.importorskip("pbk", reason="no kernel wheel for this Python")
    port, folder = free_port(), tmp_path / "chain"
    node = miner("node", "--chain", "testnet4", "--datadir", str(folder), "--port", str(port))
    node.until("testnet4 node at")
    url, cookie = f"http://127.0.0.1:{port}", str(folder / ".cookie")
    mine = miner(
        "mine", "--node", url, "--cookie", cookie, "--address", TESTNET, "--json", *QUICK
    )  # fmt: skip
    said = mine.until('"state"', "mining on testnet4")
    assert "the node says: private class chain; its coins exist only here; difficulty stays" in said
    assert '"nbits": "1d00ffff"' in mine.until('"type": "job"')
    mine.until('"network_difficulty": 1.0')
    assert mine.stop() == 0
    wrong = miner("mine", "--node", url, "--cookie", cookie, "--address", REGTEST, *QUICK)
    assert wrong.end() == 5
    assert "is on testnet4, but bcrt1" in wrong.text
    assert node.stop() == 0


@pytest.fixture
def bitcoind(tmp_path: Path) -> Iterator[Callable[..., Endpoint]]:
    """Starts a real Bitcoin Core on regtest, again after it was stopped."""
    program = shutil.which("bitcoind")
    if program is None:
        pytest.skip("no bitcoind on PATH: recordings and the own node stand in for it")
    folder, port = tmp_path / "core", free_port()
    folder.mkdir()
    running: list[subprocess.Popen[bytes]] = []

    def start(*more: str) -> Endpoint:
        for process in running:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        arguments = ["-regtest", f"-datadir={folder}", f"-rpcport={port}", "-listen=0", "-server=1"]
        arguments += more
        running.append(subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL))
        return Endpoint("http", "127.0.0.1", port)

    yield start
    for process in running:
        process.terminate()
        process.wait(60)


def test_bitcoin_core_accepts_200_blocks_and_survives_a_restart(
    miner: Start, bitcoind: Callable[[], Endpoint], tmp_path: Path
) -> None:
    endpoint, cookie = bitcoind(), tmp_path / "core" / "regtest" / ".cookie"
    mine = miner(
        "mine", "--node", str(endpoint), "--cookie", str(cookie), "--address", REGTEST,
        "--blocks", "200", "--json", *QUICK,
    )  # fmt: skip
    wait(lambda: len(mined(mine)) >= 50)
    bitcoind()
    assert mine.end(180) == 0
    assert mine.objects("status")[-1]["blocks_accepted"] == 200
    assert mine.objects("status")[-1]["rejected"] == 0
    rpc = Rpc(endpoint, CookieFile(cookie))
    assert rpc.call("getblockcount") == 200
    rpc.close()


@pytest.mark.parametrize(("threads", "miners"), [(1, 1), (4, 4)])
@fault("G38")
def test_bitcoin_core_with_few_rpc_threads_gets_every_block(
    miner: Start, bitcoind: Callable[..., Endpoint], tmp_path: Path, threads: int, miners: int
) -> None:
    """The long poll kept a thread for ever: with one, no block came in 75 s."""
    endpoint = bitcoind(f"-rpcthreads={threads}")
    cookie = tmp_path / "core" / "regtest" / ".cookie"
    flags = ["--cookie", str(cookie), "--address", REGTEST, "--blocks", "3", "--json", *QUICK]
    running = [miner("mine", "--node", str(endpoint), *flags) for _ in range(miners)]
    began = time.monotonic()
    wait(lambda: all(mined(one) for one in running), 30.0)
    assert time.monotonic() - began < 10.0 + 5.0  # to start
    for one in running:
        assert one.end(60) == 0
        assert one.objects("status")[-1]["blocks_accepted"] == 3


@fault("G40")
def test_bitcoin_core_that_falls_back_behind_our_block_is_mined_on(
    miner: Start, bitcoind: Callable[..., Endpoint], tmp_path: Path
) -> None:
    endpoint, cookie = bitcoind(), tmp_path / "core" / "regtest" / ".cookie"
    mine = miner(
        "mine", "--node", str(endpoint), "--cookie", str(cookie), "--address", REGTEST,
        "--block-interval", "1", "--backend", "hashlib", "--threads", "1", "--json",
    )  # fmt: skip
    wait(lambda: len(mined(mine)) >= 3)
    rpc = Rpc(endpoint, CookieFile(cookie))
    rpc.call("invalidateblock", rpc.call("getbestblockhash"))
    before = len(mined(mine))
    mine.until("its parent is mined again", within_s=10)
    wait(lambda: len(mined(mine)) >= before + 3)
    rpc.close()
    assert mine.stop() == 0


def wait(test: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < deadline
        time.sleep(0.02)


MISTAKES: dict[str, tuple[list[str], int, str]] = {
    "malformed address": (["--address", "bcrt1qnonsense"], 2, "address"),
    "other chain": (["--address", MAINNET], 5, "use an address of regtest"),
    "password": (["--address", REGTEST, "--user", "a", "--password", "canary"], 5, "credentials"),
    "no cookie": (
        ["--address", REGTEST, "--cookie", "/no/such/file", "--retries", "0"],
        6,
        "cookie",
    ),
    "no address": ([], 2, "--address"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_with_its_exit_code(
    miner: Start, tmp_path: Path, mistake: str
) -> None:
    flags, code, words = MISTAKES[mistake]
    with FakeNode(tmp_path) as node:
        cookie = [] if {"--cookie", "--user"} & set(flags) else ["--cookie", str(node.cookie)]
        command = miner("mine", "--node", node.url, *cookie, *flags, *QUICK)
        assert command.end() == code, command.text
    last = command.err[-1]
    assert last.startswith("miner: ")
    assert words in last
    assert "canary" not in command.text.replace("--password canary", "")


def test_an_unreachable_node_ends_with_6_after_the_retries(miner: Start, tmp_path: Path) -> None:
    (tmp_path / "cookie").write_text("__cookie__:x")
    command = miner(
        "mine", "--node", f"http://127.0.0.1:{free_port()}", "--cookie", str(tmp_path / "cookie"),
        "--address", REGTEST, "--retries", "1", *QUICK,
    )  # fmt: skip
    started = time.monotonic()
    command.until("connection refused", within_s=20)
    assert command.end() == 6
    assert time.monotonic() - started < 30
    assert "start the node" in command.err[-1]
