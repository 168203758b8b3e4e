"""`miner mine --web` and `--cgminer-api` as people run them: on a pool, in a process of its own."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.e2e.conftest import Command, Start
from tests.fakes.engine import until
from tests.fakes.pool import FakePool
from tests.faults import fault

ADDRESS = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def pool() -> Iterator[FakePool]:
    with FakePool(difficulty="1e-6") as made:
        yield made


def flags(pool: FakePool, *more: str) -> list[str]:
    login = ["--pool", pool.url, "--user", f"{ADDRESS}.desk", "--password", "hunter22"]
    return ["mine", *login, "--backend", "hashlib", "--threads", "1", *more]


def url_of(command: Command) -> str:
    found = re.search(r"http://\S+/", command.until("http://"))
    assert found
    return found[0].rstrip("/")


def fetch(url: str) -> str:
    with urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def test_a_page_while_mining(miner: Start, pool: FakePool) -> None:
    command = miner(*flags(pool, "--web", "127.0.0.1:0"))
    url = url_of(command)
    until(lambda: json.loads(fetch(f"{url}/api/v1/status"))["shares"]["accepted"] >= 3)
    until(lambda: json.loads(fetch(f"{url}/healthz"))["ok"])
    block = json.loads(fetch(f"{url}/api/v1/block"))
    assert len(block["header"]["hex"]) == 160
    page = fetch(f"{url}/")
    assert "shares accepted" in page and "H/s" in page
    everything = "".join(fetch(f"{url}/api/v1/{name}") for name in ("status", "shares", "block"))
    for secret in ("hunter22", ADDRESS):
        assert secret not in everything + page
    with urlopen(f"{url}/api/v1/events", timeout=10) as stream:
        lines = [stream.readline() for _ in range(6)]
    assert any(line.startswith(b"data: {") for line in lines)
    with pytest.raises(HTTPError, match="405"):
        urlopen(Request(f"{url}/api/v1/status", method="POST"), timeout=10)
    assert command.stop() == 0


def test_cgminers_port_without_the_web(miner: Start, pool: FakePool) -> None:
    command = miner(*flags(pool, "--cgminer-api", "127.0.0.1:0"))
    port = int(command.until("cgminer's API is at").rpartition(":")[2])

    def pools() -> list[dict[str, object]]:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
            link.sendall(b'{"command":"pools"}')
            told = b"".join(iter(lambda: link.recv(65536), b""))
        found: list[dict[str, object]] = json.loads(told[:-1]).get("POOLS", [])
        return found

    until(pools)  # from the run's first snapshot on
    assert pools()[0]["URL"] == pool.url
    assert command.stop() == 0


@fault("A01")
def test_beyond_loopback_one_line_warns_with_the_url(miner: Start, pool: FakePool) -> None:
    command = miner(*flags(pool, "--web", "0.0.0.0:0", "--web-name", "miner.example"))
    url = url_of(command)
    warnings = [line for line in command.err if "whoever reaches this computer" in line]
    assert len(warnings) == 1 and "WARNING" in warnings[0]
    assert "0.0.0.0" not in url
    asked = Request(f"{url}/api/v1/status", headers={"Host": "miner.example"})
    with urlopen(asked, timeout=10) as answer:
        assert answer.status == 200
    assert command.stop() == 0


@fault("A14")
@pytest.mark.parametrize("option", ["--web", "--cgminer-api"])
def test_a_taken_port_is_one_line_before_mining(miner: Start, pool: FakePool, option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        command = miner(*flags(pool, option, place))
        assert command.end() == 2
    (line,) = [one for one in command.err if place in one]
    assert line == f"miner: {option} {place}: another program listens there; " \
        "choose another port, or stop that program\n"  # fmt: skip
    assert not pool.connections and command.out == []


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("x", "is not [HOST:]PORT"),
        ("127.0.0.1", "is not [HOST:]PORT"),
        ("70000", "is not [HOST:]PORT"),
        ("no-such-host.invalid:8080", "use an address of this computer"),
        ("192.0.2.7:8080", "no address of this computer"),
    ],
)
def test_a_place_that_cannot_be(miner: Start, pool: FakePool, place: str, words: str) -> None:
    command = miner(*flags(pool, "--web", place))
    assert command.end() == 2
    assert words in command.text and len(command.err) <= 2, command.err


def test_a_missing_extra_is_one_line_with_the_command(tmp_path: Path, pool: FakePool) -> None:
    """Its packages are there, so the test hides one from the search for it."""
    code = (
        "import importlib.util as u, sys\nreal = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'uvicorn' else real(name, *a)\n"
        "from miner.__main__ import main\nmain()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *flags(pool, "--web", "127.0.0.1:0")],
        capture_output=True, text=True, timeout=60, env={"MINER_HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 2
    (line,) = [one for one in done.stderr.splitlines() if "uvicorn" in one]
    assert "pip install starlette uvicorn prometheus-client" in line


def test_without_a_view_nothing_of_it_is_imported(tmp_path: Path, pool: FakePool) -> None:
    """So it costs no memory."""
    code = (
        "import sys\nfrom miner.cli.main import cli\n"
        "cli.main(sys.argv[1:], standalone_mode=False)\n"
        "heavy = {'asyncio', 'starlette', 'uvicorn', 'prometheus_client', 'h11', 'anyio'}\n"
        "print('IMPORTED', sorted(heavy & set(sys.modules)),"
        " [m for m in sys.modules if m.startswith(('miner.views.web', 'miner.views.cgminer'))])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *flags(pool, "--stop-after", "2shares")],
        capture_output=True, text=True, timeout=60, env={"MINER_HOME": str(tmp_path)},
    )  # fmt: skip
    assert "IMPORTED [] []" in done.stdout, done.stdout + done.stderr


def test_a_command_for_events(miner: Start, tmp_path: Path) -> None:
    """On the built-in node: blocks found and accepted, the last of them at the end of the run."""
    pytest.importorskip("pbk", reason="no kernel wheel for this Python")
    file = tmp_path / "told"
    quick = ("--block-interval", "0.2", "--backend", "hashlib", "--threads", "1")
    command = miner("mine", "--blocks", "2", *quick, "--on-event", f"cat >> '{file}'")
    assert command.end() == 0
    told = [json.loads(line) for line in file.read_text().splitlines()]
    kinds = [(one["type"], one["height"]) for one in told if one["type"] in ("found", "block")]
    assert kinds == [("found", 1), ("block", 1), ("found", 2), ("block", 2)]
