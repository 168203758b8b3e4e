"""P02: killed at each step of a found block; from the fsync on the node has it once, settled."""

import json
import signal
import socket
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from miner.bitcoin.address import p2wsh_address
from miner.journal import read
from tests.e2e.conftest import Start
from tests.faults import fault

pytest.importorskip("pbk", reason="no kernel wheel for this Python")
from miner.node.service import Node

ADDRESS = p2wsh_address(b"\x51", "regtest")
POINTS = ["found", "write", "fsync", "send", "reply", "settle"]
DURABLE = POINTS[2:]


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with Node.start() as running:
        yield running


def ask(node: Node, method: str, *params: object) -> object:
    """JSON-RPC without the product's client."""
    body = json.dumps({"id": 1, "method": method, "params": params}).encode()
    token = b64encode(node.cookie_file.read_bytes().strip()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(node.url, body, headers)
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.loads(reply.read())["result"]


def in_chain(node: Node) -> list[str]:
    height = ask(node, "getblockcount")
    assert isinstance(height, int)
    return [str(ask(node, "getblockhash", number)) for number in range(1, height + 1)]


def journals(home: Path) -> list[Path]:
    return sorted((home / "state" / "journal").glob("*.journal"))


@pytest.mark.parametrize(
    ("point", "visit"), [*((point, 1) for point in POINTS), ("fsync", 3), ("settle", 3)]
)
@fault("P02")
def test_killed_at(miner: Start, home: Path, node: Node, point: str, visit: int) -> None:
    where = ("--node", node.url, "--cookie", str(node.cookie_file), "--address", ADDRESS)
    flags = ("mine", *where, "--backend", "hashlib", "--block-interval", "0")
    before = set(in_chain(node))
    killed = miner(*flags, MINER_CRASH_AT=f"{point}:{visit}")
    assert killed.process.wait(60) == -9
    left = [read(path.read_bytes()) for path in journals(home)]
    waiting = {name for contents in left for name in contents.waiting}
    if point in DURABLE:
        assert waiting
    # A block on the next parent is found only once the node has taken the one before: whatever
    # the disk had no time to settle is in the chain, all but the newest.
    assert len(waiting - set(in_chain(node))) <= 1
    again = miner(*flags, "--blocks", "1")
    assert again.end() == 0
    chain = in_chain(node)
    assert waiting <= set(chain)  # every durable block reached the node
    assert len(set(chain)) == len(chain)
    assert len(set(chain) - before) >= len(waiting) + 1
    assert journals(home) == []  # each settled, nothing is tried again


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@fault("G21")
def test_a_node_that_dies_is_waited_for_and_nothing_is_lost(
    miner: Start, home: Path, tmp_path: Path, how: signal.Signals
) -> None:
    folder, port = tmp_path / "chain", str(free_port())
    serve = ("node", "--port", port, "--datadir", str(folder), "--block-interval", "0")
    first = miner(*serve)
    first.until("regtest node at")
    where = ("--node", f"http://127.0.0.1:{port}", "--cookie", str(folder / ".cookie"))
    flags = ("--address", ADDRESS, "--backend", "hashlib", "--block-interval", "0.1", "--json")
    command = miner("mine", *where, *flags, "--blocks", "12")
    command.until('"height": 4')
    first.process.send_signal(how)
    first.process.wait(20)
    command.until('"health": "down"')
    second = miner(*serve)
    second.until("regtest node at")
    assert command.end(90) == 0
    last = command.objects("status")[-1]
    assert (last["blocks_accepted"], last["blocks_rejected"], last["blocks_waiting"]) == (12, 0, 0)
    assert journals(home) == []
    assert second.stop() == 0
