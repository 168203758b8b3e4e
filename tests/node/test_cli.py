"""`miner node` as a person runs it: what it prints, how it ends; bitcoin-cli where there is one."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.node.kit import SEGWIT, internal, work_from

ROOT = Path(__file__).resolve().parent.parent.parent
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")


class Command:
    """The running command and what its first three lines say."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "miner", "node", *arguments],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.lines = [self.process.stdout.readline().rstrip("\n") for _ in range(3)]

    def more(self, count: int) -> list[str]:
        """Further lines of its standard output."""
        assert self.process.stdout is not None
        return [self.process.stdout.readline().rstrip("\n") for _ in range(count)]

    @property
    def port(self) -> int:
        found = re.match(
            r"(?:regtest|testnet4) node at http://127\.0\.0\.1:(\d+), height", self.lines[0]
        )
        assert found, self.lines
        return int(found[1])

    @property
    def cli(self) -> list[str]:
        """The bitcoin-cli line without its method."""
        words = self.lines[2].split(" ")
        assert words[0] == "bitcoin-cli"
        return words[:-1]

    def end(self, number: int) -> tuple[int, str, float]:
        """Exit code, stderr and seconds after a signal."""
        started = time.monotonic()
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors, time.monotonic() - started


def environment() -> dict[str, str]:
    path = os.pathsep.join(part for part in (str(ROOT), *sys.path) if part)
    return os.environ | {"PYTHONPATH": path}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    whole = [sys.executable, "-P", "-m", "miner", "node", *arguments]
    return subprocess.run(whole, cwd=ROOT, env=environment(), capture_output=True, text=True)


@contextmanager
def command(*arguments: str) -> Iterator[Command]:
    running = Command(*arguments)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.communicate()


@posix_only
@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_at_once_with_0_and_leaves_nothing(number: int) -> None:
    with command() as node:
        cookie = Path(next(w for w in node.cli if w.startswith("-rpccookiefile=")).split("=")[1])
        assert cookie.read_text().startswith("__cookie__:")
        assert f"-rpcport={node.port}" in node.cli
        assert node.lines[1].startswith(f"miner mine --node http://127.0.0.1:{node.port} --cookie")
        code, errors, seconds = node.end(number)
    assert (code, errors) == (0, "node stopped at height 0\n")
    assert seconds < 5, "within a second; generous for a busy machine"
    assert not cookie.parent.exists()


@posix_only
@pytest.mark.usefixtures("kernel")
def test_next_free_port_and_a_taken_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("--port", port)
    assert done.returncode == 1
    assert re.fullmatch(rf"miner: port {port} cannot be used: .*\n", done.stderr)
    with command() as one, command() as two:
        assert one.port != two.port
        assert 18443 <= min(one.port, two.port)


@posix_only
@pytest.mark.usefixtures("kernel")
def test_private_testnet4_says_what_it_is(tmp_path: Path) -> None:
    with command("--chain", "testnet4", "--datadir", str(tmp_path / "chain")) as node:
        assert node.lines[0].startswith("testnet4 node at http://127.0.0.1:")
        assert " --address tb1q" in node.lines[1]
        assert node.lines[2].startswith("bitcoin-cli -testnet4 ")
        assert node.more(2) == [
            "private class chain; its coins exist only here",
            "difficulty stays at 1 for the first 4,031 blocks: 4.29e9 hashes each",
        ]
        assert 48332 <= node.port
        assert node.end(signal.SIGTERM)[:2] == (0, "node stopped at height 0\n")
    done = run("--datadir", str(tmp_path / "chain"))
    assert done.returncode == 1
    assert re.fullmatch(
        r"miner: node folder .* holds a testnet4 chain, not regtest: .*\n", done.stderr
    )


@pytest.mark.usefixtures("kernel")
def test_usage_errors() -> None:
    for arguments in (
        ["--fresh"], ["--port", "0"], ["--port", "x"], ["--block-interval", "99"],
        ["--chain", "main"],
    ):  # fmt: skip
        done = run(*arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


@posix_only
@pytest.mark.usefixtures("kernel")
def test_bitcoin_cli_talks_to_it(tmp_path: Path) -> None:
    client = shutil.which("bitcoin-cli")
    if client is None:
        pytest.skip("no bitcoin-cli on PATH")
    with command("--datadir", str(tmp_path / "it's"), "--block-interval", "0") as node:

        def cli(*arguments: str) -> Any:
            line = f'{" ".join(node.cli)} "$@"'  # as printed, quotes included
            command = ["/bin/sh", "-c", line, "sh", *arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            text = done.stdout.strip()
            try:
                return json.loads(text)
            except ValueError:
                return text

        assert cli("getblockchaininfo")["chain"] == "regtest"
        template = cli("getblocktemplate", json.dumps(SEGWIT))
        block = work_from(template).build()
        assert cli("submitblock", block.hex()) == ""
        assert cli("submitblock", block.hex()) == "duplicate"
        assert internal(cli("getblock", cli("getbestblockhash"))["tx"][0])
        assert cli("-named", "getblockhash", "height=0") == template["previousblockhash"]
        assert cli("stop") == "homehash node stopping"
        assert node.process.wait(10) == 0
