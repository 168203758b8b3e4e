"""The node's folder: temporary or kept, ours alone, one process at a time, safe after a crash."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from miner.errors import NodeError
from miner.node import folder as node_folder
from miner.node.service import Node, why_unavailable
from tests.node.kit import ANYONE, BARE, SEGWIT, Rpc, mine, spend, work_from

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.usefixtures("kernel")


def test_temporary_folder_is_gone_after_stop() -> None:
    threads = threading.active_count()
    with Node.start() as node:
        path = node.cookie_file.parent
        assert path.is_relative_to(tempfile.gettempdir())
        assert node.datadir is None
        rpc = Rpc(node)
        mine(rpc, 2)
        rpc.close()
    assert not path.exists()
    assert threading.active_count() == threads
    node.stop()  # again: nothing happens


def test_kept_chain_comes_back_with_its_coins(tmp_path: Path) -> None:
    with Node.start(tmp_path / "chain") as node:
        rpc = Rpc(node)
        first = mine(rpc, 101)[0]
        tx = spend(first.coinbase().txid, 0, [(first.value - 10, ANYONE)])
        rpc("sendrawtransaction", tx.full().hex())
        mine(rpc, 1)
        before = rpc("getblockchaininfo")
        template = rpc("getblocktemplate", SEGWIT)
        assert rpc("submitblock", work_from(template).build().hex()) is None
        side = work_from(template, extra=b"side").build()
        assert rpc("submitblock", side.hex()) == "inconclusive"
        coins = dict(node._state.coins.unspent)
        rpc.close()
    assert not node.cookie_file.exists()
    with Node.start(tmp_path / "chain") as node:
        rpc = Rpc(node)
        assert node.height == 103
        assert node._state.coins.unspent == coins
        assert rpc("getblockhash", 102) == before["bestblockhash"]
        assert rpc("submitblock", side.hex()) == "duplicate"
        judged = rpc("getblocktemplate", {"mode": "proposal", "data": side.hex()})
        assert judged == "duplicate-inconclusive"
        again = spend(tx.txid, 0, [(first.value - 30, BARE)])
        rpc("sendrawtransaction", again.full().hex())
        assert len(mine(rpc)[0].transactions) == 1
        rpc.close()


def test_killed_node_loses_no_block(tmp_path: Path) -> None:
    """The kernel writes its databases when it is closed; without that they are made again from
    the block files."""
    script = (
        "import sys, os, signal\n"
        "from pathlib import Path\n"
        "from miner.node.service import Node\n"
        "from tests.node.kit import Rpc, mine\n"
        "rpc = Rpc(Node.start(Path(sys.argv[1])))\n"
        "mine(rpc, 120)\n"
        "print(rpc('getbestblockhash'), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-P", "-c", script, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=_environment())
    assert done.returncode == -signal.SIGKILL, done.stderr
    for _ in range(2):
        with Node.start(tmp_path) as node:
            rpc = Rpc(node)
            assert rpc("getblockcount") == 120
            assert rpc("getbestblockhash") == done.stdout.strip()
            rpc.close()


def test_a_second_opener_is_told_to_use_node(tmp_path: Path) -> None:
    with Node.start(tmp_path) as node:
        with pytest.raises(NodeError, match=r"in use by another miner.*--node"):
            Node.start(tmp_path)
        assert node.cookie_file.exists(), "the refused one has not touched it"
        rpc = Rpc(node)
        mine(rpc)
        rpc.close()


def test_fresh_starts_over(tmp_path: Path) -> None:
    for height in (3, 2):
        with Node.start(tmp_path, fresh=True) as node:
            assert node.height == 0
            rpc = Rpc(node)
            mine(rpc, height)
            rpc.close()


@pytest.mark.parametrize("fresh", [False, True])
def test_a_folder_of_somebody_else_is_refused_and_left_alone(tmp_path: Path, fresh: bool) -> None:
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "blk00000.dat").write_bytes(b"precious")
    with pytest.raises(NodeError, match="not of a homehash node"):
        Node.start(tmp_path, fresh=fresh)
    assert (tmp_path / "blocks" / "blk00000.dat").read_bytes() == b"precious"
    assert os.listdir(tmp_path) == ["blocks"]


def test_fresh_removes_only_what_is_ours(tmp_path: Path) -> None:
    with Node.start(tmp_path):
        pass
    (tmp_path / "notes.txt").write_text("mine")
    with Node.start(tmp_path, fresh=True):
        pass
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_file_in_place_of_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(NodeError, match="is not a folder"):
        Node.start(path)


def test_spoilt_database_is_one_line_and_fresh_cures_it(tmp_path: Path) -> None:
    with Node.start(tmp_path) as node:
        rpc = Rpc(node)
        mine(rpc, 2)
        rpc.close()
    for file in (tmp_path / "chainstate").iterdir():
        file.write_bytes(b"rubbish")
    with pytest.raises(NodeError, match=r"cannot open the chain: .*--fresh") as caught:
        Node.start(tmp_path)
    assert "\n" not in str(caught.value)
    with Node.start(tmp_path, fresh=True) as node:
        assert node.height == 0


def test_folders_of_killed_temporary_nodes_are_swept(tmp_path: Path) -> None:
    dead = Path(tempfile.mkdtemp(prefix=node_folder.TEMPORARY_PREFIX))
    other = Path(tempfile.mkdtemp(prefix=node_folder.TEMPORARY_PREFIX))
    (dead / node_folder.MARK).write_text(json.dumps({"format": 1}))
    try:
        with Node.start() as alive, Node.start():
            assert not dead.exists()
            assert other.exists(), "not marked as ours"
            assert alive.cookie_file.exists()
    finally:
        shutil.rmtree(other)


def test_without_the_kernel_the_error_names_the_pythons(monkeypatch: pytest.MonkeyPatch) -> None:
    from miner.node import chain

    monkeypatch.setattr(chain._Kernel, "pbk", None)
    monkeypatch.setitem(sys.modules, "pbk", None)
    with pytest.raises(NodeError, match=r"3\.11 to 3\.13.*--node"):
        Node.start()
    assert "3.13" in str(why_unavailable())


def test_importing_the_node_does_not_import_the_kernel() -> None:
    code = "import miner.node.service, sys; sys.exit('pbk' in sys.modules)"
    subprocess.run([sys.executable, "-P", "-c", code], cwd=ROOT, check=True, env=_environment())


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(p for p in (str(ROOT), *sys.path) if p)}


def test_a_damaged_block_is_one_line(tmp_path: Path) -> None:
    """The kernel verifies the last blocks alone; the coins are read from all."""
    with Node.start(tmp_path / "chain") as node:
        rpc = Rpc(node)
        mine(rpc, 10)
        rpc.close()
    stored = tmp_path / "chain" / "blocks" / "blk00000.dat"
    content = bytearray(stored.read_bytes())
    content[8:40] = bytes(byte ^ 0xFF for byte in content[8:40])  # in the genesis block
    stored.write_bytes(content)
    with pytest.raises(NodeError, match=r"a stored block is damaged .*--fresh") as refused:
        Node.start(tmp_path / "chain")
    assert "\n" not in str(refused.value)
    with Node.start(tmp_path / "chain", fresh=True) as node:
        assert node.height == 0


def test_a_folder_of_a_later_program_is_left_alone(tmp_path: Path) -> None:
    with Node.start(tmp_path) as node:
        pass
    mark = tmp_path / node_folder.MARK
    for content in ("", "junk", "[]", '{"format": true}', "[" * 1000):  # a crash, a full disk
        mark.write_text(content)
        with Node.start(tmp_path) as node:
            assert node.height == 0
    mark.write_text('{"format": 2, "chain": "regtest"}')
    with pytest.raises(NodeError, match="is of format 2, this program knows 1"):
        Node.start(tmp_path)


def test_what_stands_in_the_cookies_place_is_named(tmp_path: Path) -> None:
    (tmp_path / node_folder.MARK).write_text("{}")
    (tmp_path / node_folder.COOKIE).mkdir()
    with pytest.raises(NodeError, match=r"cookie .*\.cookie: "):
        Node.start(tmp_path)
    (tmp_path / node_folder.COOKIE).rmdir()
    secret = tmp_path / "secret"
    secret.write_text("mine")
    (tmp_path / node_folder.COOKIE).symlink_to(secret)
    with Node.start(tmp_path) as node:
        assert not node.cookie_file.is_symlink()
    assert secret.read_text() == "mine"
