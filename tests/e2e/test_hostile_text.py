"""P12: a pool and a node that put escape sequences into every text; what the terminal gets."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Command, Start
from tests.fakes import exchange
from tests.fakes.node import FakeNode
from tests.fakes.pool import COINB2, Connection, FakePool
from tests.fakes.sink import REGTEST
from tests.faults import fault

COLOUR = "\x1b[66m"  # no program of ours uses it: it can only be the peer's
EVIL = (
    f"{COLOUR}\x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b2J\x9d0;t\x9c\r\nforged"
    "\x00\x08\x7f\u202egnp\u2066\u200b"
)
TAG = b"\x1b[66m\x07"  # as long as the pool's usual tag


def assert_clean(text: str, what: str) -> None:
    """Line feeds alone control anything."""
    bad = {char for char in text if not char.isprintable() and char != "\n"}
    assert not bad, f"{what} holds {bad!r}: {text!r}"
    assert not any(line.startswith("forged") for line in text.splitlines()), what


def assert_clean_output(command: Command) -> None:
    assert_clean("".join(command.err), "stderr")
    assert_clean("".join(command.out), "stdout")
    for line in command.out:
        if line.startswith("{"):
            for text in strings(json.loads(line)):
                assert_clean(text, "a text inside --json")


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, str | dict | list):
            yield from strings(inner) if inner != value else ()


def spoil(pool: FakePool) -> None:
    """Every answer and every message of the pool carries the text, wherever text may stand."""

    def replies(error: Any) -> Callable[[Connection, Any], None]:
        return lambda connection, message: connection.reply(message, None, error)

    pool.on["mining.submit"] = replies([EVIL, EVIL, EVIL])
    pool.on["mining.suggest_difficulty"] = replies({"code": EVIL, "message": EVIL, "data": EVIL})
    pool.on["mining.extranonce.subscribe"] = replies(EVIL)
    pool.new_job(job_id=f"{COLOUR}job", coinb2=TAG.hex() + COINB2)


def say_everything(connection: Connection) -> None:
    for method in ("client.show_message", "client.reconnect", "client.get_version", EVIL):
        connection.call(method, EVIL)
    connection.call("client.reconnect", EVIL, 3333, 0)
    connection.call("client.reconnect", "evil.example\x1b[66m", 3333, 0)
    connection.call("mining.set_difficulty", EVIL)
    connection.call("mining.set_version_mask", EVIL)
    connection.call("mining.set_extranonce", EVIL, EVIL)
    connection.call("mining.notify", *[EVIL] * 9)
    connection.send({"id": EVIL, "result": EVIL, "error": EVIL})
    connection.send(EVIL.encode() + b"\n", {"id": 7, "method": [EVIL], "params": {EVIL: EVIL}})


@pytest.mark.parametrize("style", ["--json", "--decode"])
@fault("P12")
def test_a_hostile_pool(miner: Start, style: str) -> None:
    with FakePool(difficulty="1e-5") as pool:
        spoil(pool)
        command = miner("mine", "--pool", pool.url, "--user", "u", "--backend", "hashlib", style)
        command.until("rejected")
        say_everything(pool.live[0])
        command.until("the pool says")
        time.sleep(0.3)
        pool.on["mining.authorize"] = lambda connection, message: connection.reply(
            message, False, [24, EVIL, EVIL]
        )
        pool.drop_all(reset=True)
        command.until("refuses user")  # it took us before: asked again
        assert command.stop() == 0
        refused = miner("mine", "--pool", pool.url, "--user", "u", "--backend", "hashlib", style)
        assert refused.end() == 5  # its words are in the last line, too
    assert_clean_output(command)
    assert_clean_output(refused)
    assert "gnp" in refused.err[-1], refused.text


NODE_FAULTS = [
    exchange.failure(-1, EVIL),
    exchange.failure(-28, EVIL),
    exchange.failure(-8, EVIL, status=200),
    exchange.result(EVIL),
    exchange.result({EVIL: EVIL}),
    exchange.fixed(exchange.http(500, EVIL.encode(), "text/html")),
    exchange.fixed(exchange.http(403, EVIL.encode(), EVIL.split("\r")[0])),
    exchange.fixed(f"HTTP/1.1 {EVIL}\r\n\r\n".encode()),
    exchange.fixed(exchange.http(200, EVIL.encode(), "application/json")),
]


@pytest.mark.parametrize("method", ["getblockchaininfo", "getblocktemplate"])
@pytest.mark.parametrize("number", range(len(NODE_FAULTS)))
@fault("P12")
def test_a_hostile_node(miner: Start, tmp_path: Path, method: str, number: int) -> None:
    with FakeNode(tmp_path) as node:
        node.fault(method, NODE_FAULTS[number], times=4)
        flags = ("--node", node.url, "--cookie", str(node.cookie), "--address", REGTEST)
        command = miner("mine", *flags, "--backend", "hashlib", "--retries", "0")
        assert command.end() in (1, 5, 6)
    assert_clean_output(command)


@pytest.mark.parametrize(
    "patch",
    [
        {"rules": [f"!{EVIL}"]},
        {"bits": EVIL},
        {"previousblockhash": EVIL},
        {"coinbaseaux": {EVIL: EVIL}},
        {"workid": EVIL},
        {"transactions": [{"data": EVIL, "txid": EVIL, "hash": EVIL}]},
        {"default_witness_commitment": EVIL},
    ],
    ids=lambda patch: next(iter(patch)),
)
@fault("P12")
def test_a_hostile_template(miner: Start, tmp_path: Path, patch: dict[str, Any]) -> None:
    with FakeNode(tmp_path) as node:
        node.template_patch = patch
        node.validate = lambda raw, template: EVIL  # the verdict on blocks and dry runs
        flags = ("--node", node.url, "--cookie", str(node.cookie), "--address", REGTEST)
        run = ("--backend", "hashlib", "--retries", "0", "--block-interval", "0.2")
        command = miner("mine", *flags, *run, "--stop-after", "1s", "--json")
        command.end()
        checked = miner("doctor", *flags)
        checked.end()
    assert_clean_output(command)
    assert_clean_output(checked)


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of POSIX")
@fault("P12")
def test_the_live_screen_of_a_terminal(tmp_path: Path) -> None:
    """There escape sequences are our own: none of the peer's, no operating-system command."""
    master, slave = pty.openpty()
    environment = {**os.environ, "MINER_HOME": str(tmp_path), "TERM": "xterm", "COLUMNS": "100"}
    with FakePool(difficulty="1e-5") as pool:
        spoil(pool)
        command = [
            *(sys.executable, "-P", "-m", "miner", "mine", "--pool", pool.url, "--user", "u")
        ]
        process = subprocess.Popen(
            [*command, "--backend", "hashlib", "--decode", "--stop-after", "4s"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
        )
        os.close(slave)
        pool.wait(lambda: pool.connections and pool.connections[0].user, 30.0)
        say_everything(pool.live[0])
        shown = read_all(master, process)
    assert process.wait(20) == 0
    assert "the pool says" in shown
    for forbidden in (COLOUR, "\x1b]", "\x9b", "\x9d", "\x07", "\x00", "\x08", "\u202e", "\u2066"):
        assert forbidden not in shown, repr(forbidden)


def read_all(master: int, process: subprocess.Popen[bytes]) -> str:
    data, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([master], [], [], 0.2)[0]:
            try:
                data += os.read(master, 65536)
            except OSError:  # Linux says so when the other side has closed
                break
        elif process.poll() is not None:
            break
    os.close(master)
    return data.decode("utf-8", "replace")
