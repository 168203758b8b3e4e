"""P14: a canary for a password, given in every way there is, shows up nowhere but on the wire."""

import base64
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Command, Start
from tests.fakes.node import FakeNode
from tests.fakes.pool import COINB2, FakePool
from tests.fakes.sink import REGTEST
from tests.faults import fault

CANARY = "canary-7Kq2-word"
FORMS = [  # as it stands, percent-encoded, in a Basic header, in hex
    CANARY,
    CANARY.replace("-", "%2D"),
    base64.b64encode(f"u:{CANARY}".encode()).decode().rstrip("="),
    base64.b64encode(f"__cookie__:{CANARY}".encode()).decode().rstrip("="),
    CANARY.encode().hex(),
]
WAYS = ("file", "variable", "url", "argument", "pair", "config")


def given(way: str, url: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """Flags and environment that carry user `u` and the canary to this URL."""
    kind = "--node" if url.startswith("http") else "--pool"
    secret_file = folder / "secret"
    secret_file.write_text(CANARY + "\n")
    secret_file.chmod(0o600)
    if way == "config":
        config = folder / "own.toml"
        config.write_text(f'user = "u"\npassword = "{CANARY}"\n')
        config.chmod(0o600)
        return [kind, url, "--config", str(config)], {}
    if way == "url":
        scheme, _, place = url.partition("://")
        return [kind, f"{scheme}://u:{CANARY.replace('-', '%2D')}@{place}"], {}
    flags = {
        "file": ["--user", "u", "--pass-file", str(secret_file)],
        "variable": ["--user", "u"],
        "argument": ["--user", "u", "--password", CANARY],
        "pair": ["--userpass", f"u:{CANARY}"],
    }[way]
    return [kind, url, *flags], {"MINER_PASSWORD": CANARY} if way == "variable" else {}


def assert_nowhere(text: str, what: str) -> None:
    for form in FORMS:
        assert form not in text, f"{what} shows {form}"


def assert_kept_nowhere(home: Path) -> None:
    for file in home.rglob("*"):
        if file.is_file():
            assert_nowhere(file.read_bytes().decode("latin-1"), str(file))


def assert_not_listed(command: Command) -> None:
    """Other users see the arguments, not the environment."""
    listed = Path(f"/proc/{command.process.pid}/cmdline")
    if listed.exists():
        assert_nowhere(listed.read_bytes().decode(), "the process list")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "secrets"
    made.mkdir()
    return made


@pytest.mark.parametrize("way", WAYS)
@fault("P14")
def test_a_pools_password(miner: Start, home: Path, folder: Path, way: str) -> None:
    with FakePool(nbits="207fffff", difficulty="1e-8") as pool:
        flags, environment = given(way, pool.url, folder)
        command = miner("mine", *flags, "--backend", "hashlib", "--json", **environment)
        command.until('"answer": "share accepted"')
        assert_not_listed(command)
        sent = [message["params"] for message in pool.connections[0].received]
        assert ["u", CANARY] in sent, "the pool does get it"
        pool.on["mining.authorize"] = lambda connection, message: connection.reply(
            message, False, [24, f"wrong password {message['params'][1]}", None]
        )
        pool.drop_all(reset=True)
        command.until("wrong password")  # a pool that repeats what it was told
        assert command.stop() == 0
        refused = miner("mine", *flags, "--backend", "hashlib", "--json", **environment)
        assert refused.end() == 5  # a login that never worked: the words end the run
    assert "wrong password" in refused.err[-1]
    assert_nowhere(command.text + refused.text, "the output")
    assert_kept_nowhere(home)


@pytest.mark.parametrize("way", WAYS)
@fault("P14")
def test_a_nodes_password(miner: Start, home: Path, folder: Path, way: str) -> None:
    with FakeNode(folder) as node:
        node.password = CANARY  # but the user is another: 401
        flags, environment = given(way, node.url, folder)
        common = ("--address", REGTEST, "--backend", "hashlib", "--retries", "0")
        command = miner("mine", *flags, *common, **environment)
        command.until("refused the credentials")
        assert_not_listed(command)
        assert command.end() == 5
        checked = miner("doctor", *flags, "--address", REGTEST, **environment)
        assert checked.end() == 1
    assert_nowhere(command.text + checked.text, "the output")
    assert_kept_nowhere(home)


@pytest.fixture
def canary_node(folder: Path) -> Iterator[FakeNode]:
    with FakeNode(folder) as node:
        node.password = CANARY
        node.cookie.write_text(f"__cookie__:{CANARY}")
        yield node


@fault("P14")
def test_a_cookie(miner: Start, home: Path, canary_node: FakeNode) -> None:
    flags = ("--node", canary_node.url, "--cookie", str(canary_node.cookie))
    run = ("--address", REGTEST, "--backend", "hashlib", "--block-interval", "0")
    command = miner("mine", *flags, *run, "--blocks", "3", "--json")
    assert command.end() == 0
    checked = miner("doctor", *flags, "--address", REGTEST, "--json")
    checked.end()
    for line in (*command.out, *checked.out):
        assert_nowhere(json.dumps(json.loads(line)), "--json")
    assert_nowhere(command.text + checked.text, "the output")
    assert_kept_nowhere(home)


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
@fault("P15")
def test_what_a_run_writes_is_the_users_alone(miner: Start, home: Path, tmp_path: Path) -> None:
    """Journal and the own node's cookie, under a careless umask."""
    before = os.umask(0)
    try:
        command = miner("mine", "--datadir", str(tmp_path / "chain"), "--backend", "hashlib")
        command.until("block 1 accepted")
        files = [*home.rglob("*"), *(tmp_path / "chain").rglob("*cookie*")]
        private = [file for file in files if file.is_file() and "cache" not in file.parts]
        assert any("journal" in file.parts for file in private)
        assert any("cookie" in file.name for file in private)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in private}
        assert command.stop() == 0
    finally:
        os.umask(before)
    wide = {name: oct(mode) for name, mode in modes.items() if mode & 0o077}
    assert wide == {}


TEXTS = (
    "client.show_message",
    "client.reconnect",
    "mining.set_version_mask",
    "mining.notify",
    "mining.set_difficulty",
    "mining.set_extranonce",
)


def repeat_everywhere(pool: FakePool) -> None:
    """A pool that puts the password wherever it may put text."""
    connection = pool.live[-1]
    connection.call("client.reconnect", CANARY, 3333, 0)
    for method in (*TEXTS, CANARY):
        for params in (CANARY, [CANARY] * 9, {CANARY: CANARY}, ["y" * 75 + CANARY]):
            connection.send({"id": None, "method": method, "params": params})
            connection.call("mining.ping")  # a good one between them
    connection.send(b"%s\n" % CANARY.encode(), b'{"%s' % CANARY.encode() + b'"}\n')


@pytest.mark.parametrize("style", ["--json", "--decode"])
@fault("P14")
def test_a_pool_that_repeats_the_password_everywhere(miner: Start, home: Path, style: str) -> None:
    with FakePool(nbits="207fffff", difficulty="1e-8") as pool:
        coinb2 = CANARY.encode().hex().ljust(2 * 32, "0") + COINB2
        pool.new_job(job_id=f"{CANARY}-1", coinb2=coinb2)
        pool.on["mining.submit"] = lambda connection, message: None  # the journal keeps the block
        flags = ("--pool", pool.url, "--user", "u")
        command = miner("mine", *flags, "--backend", "hashlib", style, MINER_PASSWORD=CANARY)
        command.until("block found")
        repeat_everywhere(pool)
        command.until("refused to go to ***")
        command.until("the pool says")
        assert command.stop() == 0
        sent = [message["params"][1] for message in pool.connections[0].received
                if message.get("method") == "mining.submit"]  # fmt: skip
        assert sent[0] == f"{CANARY}-1"
        pool.on["mining.submit"] = lambda connection, message: connection.reply(
            message, None, [20, CANARY, {CANARY: CANARY}]
        )
        pool.on["mining.authorize"] = lambda connection, message: connection.reply(
            message, False, [24, CANARY, None]
        )
        refused = miner("mine", *flags, "--backend", "hashlib", style, MINER_PASSWORD=CANARY)
        assert refused.end() == 5
        checked = miner("doctor", *flags, MINER_PASSWORD=CANARY)
        assert checked.end() == 1
    for run in (command, refused, checked):
        assert_nowhere(run.text, "the output")
    assert any(home.rglob("*journal*"))
    assert_kept_nowhere(home)
