"""What ckpool asks a node, byte for byte, and a real one where it is on PATH.

Its header lines end in a bare LF: all of them in ckpool-lhr of 2026-03, one of them in ckpool of
2026-08. It reads an answer line by line, wants "HTTP/1.1 200 OK" first, gives up at an empty line,
and takes the first line that begins with "{" (src/ckpool.c, src/bitcoin.c of both).
"""

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from miner.node.service import Node
from tests.node.kit import Rpc, mine, work_from

ROOT = Path(__file__).parent.parent.parent
LHR = "POST / HTTP/1.1\nAuthorization: Basic %s\nHost: %s:%s\nContent-type: application/json\n"
MIXED = (
    "POST / HTTP/1.1\r\nAuthorization: Basic %s\r\nHost: %s:%s\r\nContent-type: application/json\n"
)
FORMS = {
    "ckpool-lhr": LHR + "Content-Length: %d\n\n",
    "ckpool": MIXED + "Content-Length: %d\r\n\r\n",
}
TEMPLATE = (
    '{"method": "getblocktemplate", "params": [{"capabilities": ["coinbasetxn", "workid", '
    '"coinbase/append"], "rules" : ["segwit"]}]}\n'
)
ADDRESS = "bcrt1qmllkpu3kvll5a3y5urfer86crzsrcagqm36xjk"  # of the recorded session


def asked(method: str, parameter: str, end: str = "\n") -> str:
    return f'{{"method": "{method}", "params": ["{parameter}"]}}{end}'


class Asker:
    """Asks as ckpool does: a connection for each call."""

    def __init__(self, node: Node, form: str) -> None:
        self._port, self._form = node.port, form
        self._auth = base64.b64encode(node.cookie_file.read_bytes()).decode()

    def __call__(self, body: str) -> Any:
        head = self._form % (self._auth, "127.0.0.1", self._port, len(body))
        with socket.create_connection(("127.0.0.1", self._port), timeout=5) as sock:
            sock.sendall((head + body).encode())
            lines = sock.makefile("rb")
            first = lines.readline()
            if not first.startswith(b"HTTP/1.1 200 OK"):
                raise AssertionError(first)
            while not (line := lines.readline()).startswith(b"{"):
                assert len(line) > 1, "ckpool gives up at an empty line"
            assert line.endswith(b"\n"), "it waits for the end of the line"
            return json.loads(line)["result"]


def recorded_coinbase() -> str:
    """A coinbase that ckpool made, from the session recorded with a CPU miner."""
    path = ROOT / "tests" / "vectors" / "stratum" / "ckpool-plain.jsonl"
    messages = [json.loads(json.loads(line)["line"]) for line in path.read_text().splitlines()]
    extranonce1, size = next(m["result"][1:] for m in messages if isinstance(m.get("result"), list))
    first, second = next(m for m in messages if m.get("method") == "mining.notify")["params"][2:4]
    return str(first + extranonce1 + "00" * size + second)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_session_of_ckpool(node: Node, rpc: Rpc, form: str) -> None:
    mine(rpc, 17)
    ask = Asker(node, form)
    template = ask(TEMPLATE)
    assert template["height"] == 18
    checked = ask(asked("validateaddress", ADDRESS))
    assert (checked["isvalid"], checked["isscript"], checked["iswitness"]) == (True, False, True)
    coinbase = recorded_coinbase()
    decoded = ask(asked("decoderawtransaction", coinbase, end=""))
    assert decoded["vin"][0]["coinbase"].startswith("020501"), "height 261"
    assert decoded["vout"][0]["scriptPubKey"]["address"] == ADDRESS
    assert ask('{"method": "getblockcount"}\n') == 17
    best = ask('{"method": "getbestblockhash"}\n')
    assert ask('{"method": "getblockhash", "params": [17]}\n') == best
    block = work_from(template).build().hex()
    assert ask(asked("submitblock", block)) is None
    assert ask('{"method": "getblockcount"}\n') == 18
    with pytest.raises(AssertionError, match="404"):  # it does not care for the answer
        ask(asked("preciousblock", best))


def test_decoderawtransaction_answers_as_bitcoind(rpc: Rpc) -> None:
    """Of the recorded coinbase; Core's getblock with verbosity 2 decodes the same way."""
    told = rpc("decoderawtransaction", recorded_coinbase())
    assert list(told) == [
        "txid", "hash", "version", "size", "vsize", "weight", "locktime", "vin", "vout",
    ]  # fmt: skip
    assert told["txid"] == told["hash"]
    assert (told["version"], told["locktime"], told["weight"]) == (1, 0, 4 * told["size"])
    assert [list(out) for out in told["vout"]] == [["value", "n", "scriptPubKey"]] * 2
    assert told["vout"][1]["scriptPubKey"]["type"] == "nulldata"
    for broken in ("", "00", "zz", recorded_coinbase()[:-2]):
        with pytest.raises(Exception, match="TX decode failed") as caught:
            rpc("decoderawtransaction", broken)
        assert getattr(caught.value, "code", None) == -22


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_four_blocks_from_a_real_ckpool(node: Node, rpc: Rpc, tmp_path: Path) -> None:
    ckpool = shutil.which("ckpool")
    if ckpool is None:
        pytest.skip("no ckpool on PATH")
    mine(rpc, 17)  # below, a coinbase of ckpool's is a byte too short
    user, _, password = node.cookie_file.read_text().partition(":")
    port = free_port()
    settings = {
        "btcd": [{"url": f"127.0.0.1:{node.port}", "auth": user, "pass": password}],
        "btcaddress": ADDRESS, "btcsig": "/test/", "serverurl": [f"127.0.0.1:{port}"],
        "mindiff": 0.001, "startdiff": 0.001, "blockpoll": 100, "logdir": str(tmp_path / "logs"),
    }  # fmt: skip
    (tmp_path / "ckpool.conf").write_text(json.dumps(settings))
    pool = subprocess.Popen(
        [ckpool, "-c", str(tmp_path / "ckpool.conf"), "-s", str(tmp_path / "sockets"), "-q"]
    )
    try:
        wait_for(port)
        command = [sys.executable, "-P", "-m", "miner", "mine", "--user", ADDRESS]
        command += ["--pool", f"stratum+tcp://127.0.0.1:{port}", "--blocks", "4"]
        environment = os.environ | {"MINER_HOME": str(tmp_path / "home")}
        subprocess.run(command, cwd=ROOT, env=environment, timeout=600, check=True)
        assert node.height >= 21
        last = rpc("getblock", rpc("getbestblockhash"), 2)
        assert ADDRESS in json.dumps(last["tx"][0]["vout"])
    finally:
        pool.terminate()
        pool.wait(10)


def wait_for(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("ckpool does not listen")
