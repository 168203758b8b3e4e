"""`miner class`, `miner join` and `miner pool` as people run them, on Bitcoin Core's own rules."""

import json
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from miner.bitcoin.address import script_from_address
from tests.e2e.conftest import Command, Start
from tests.fakes.blocks import parse_block
from tests.fakes.node import FakeNode
from tests.fakes.sink import REGTEST

pytest.importorskip("pbk", reason="no kernel wheel for this Python")

QUICK = ("--backend", "hashlib", "--threads", "1")
CLASS = ("class", "--easy", "--block-hashes", "524288", "--web", "127.0.0.1:0", "--desk", "0")
FOREIGN = ("cpuminer", "minerd", "cpuminer-opt")


def place_of(command: Command) -> str:
    """HOST:PORT for miners, as the command printed it."""
    asked = command.process.args
    assert isinstance(asked, list)
    line = command.until("students: " if "class" in asked else "miners: ")
    match = re.search(r"127\.0\.0\.1:[0-9]+", line)
    assert match, line
    return match[0]


def wait(true: Callable[[], bool], within_s: float = 40.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def heights(teacher: Command, name: str = "") -> list[int]:
    """Of the blocks that the kernel took, by this finder."""
    lines = list(teacher.out)
    found = (
        re.match(rf"block ([0-9]+) by {name}.*: [0-9a-f]{{64}}, accepted", one) for one in lines
    )
    return [int(match[1]) for match in found if match]


def test_two_students_find_blocks_that_the_kernel_accepts(miner: Start) -> None:
    teacher = miner(*CLASS, "--port", "127.0.0.1:0")
    assert "private class chain; its coins exist only here" in teacher.until("private class chain")
    where = place_of(teacher)
    ann = miner("join", where, "--user", "Ann", *QUICK)
    bob = miner("join", where, "-u", "Bob", *QUICK, "--json")
    wait(lambda: bool(heights(teacher, "Ann") and heights(teacher, "Bob")), 60.0)
    all_of_them = heights(teacher)
    assert all_of_them == list(range(1, len(all_of_them) + 1))
    ann.until("pool accepted the share; its hash is a block")
    assert ann.stop(signal.SIGINT) == 0 and bob.stop(signal.SIGINT) == 0
    assert bob.objects("status")[-1]["rejected"] == 0
    teacher.until("Ann left")
    assert teacher.stop(signal.SIGINT) == 0
    again = miner(*CLASS, "--port", "127.0.0.1:0")
    last = heights(teacher)[-1]
    assert f"goes on after block {last}" in again.until("goes on after")
    assert again.stop() == 0


def test_a_killed_class_goes_on_and_its_students_come_back(miner: Start, tmp_path: Path) -> None:
    folder = ("--datadir", str(tmp_path / "room"))
    teacher = miner(*CLASS, *folder, "--port", "127.0.0.1:0")
    where = place_of(teacher)
    ann = miner("join", where, "--user", "Ann", *QUICK)
    wait(lambda: len(heights(teacher)) >= 3)
    teacher.process.send_signal(signal.SIGKILL)
    teacher.process.wait(10)
    reached = max(heights(teacher))
    again = miner(*CLASS, *folder, "--port", where)
    begun = int(re.search(r"goes on after block ([0-9]+)", again.until("goes on after"))[1])  # type: ignore[index]
    assert begun >= reached
    again.until("Ann joined")
    wait(lambda: bool(heights(again, "Ann")))
    assert heights(again)[0] > reached
    assert ann.stop() == 0 and again.stop() == 0


def test_mistakes_are_one_line_each(miner: Start, tmp_path: Path) -> None:
    folder = ("--datadir", str(tmp_path / "room"))
    teacher = miner(*CLASS, *folder, "--port", "127.0.0.1:0")
    where = place_of(teacher)
    for arguments, words, code in (
        ((*CLASS, *folder, "--port", "127.0.0.1:0"), "in use", 1),
        ((*CLASS, "--port", where), "another program listens there", 2),
        ((*CLASS, "--port", "nowhere:x"), "is not [HOST:]PORT", 2),
        (("class", "--block-hashes", "100"), "--block-hashes belongs to --easy", 2),
        (("join", where), "--user NAME", 2),
        (("join", "a b", "--user", "x"), "is not a computer", 2),
        (("join", "h:99999", "--user", "x"), "is not a computer", 2),
        (("join", where, "--user", "x", "--threads", "0"), "--threads", 2),
        (("pool", "--node", "http://127.0.0.1:1"), "--address", 2),
    ):
        wrong = miner(*arguments)
        assert wrong.end() == code, wrong.text
        assert words in wrong.text and wrong.text.count("\n") == 1, wrong.text
    assert teacher.stop() == 0


def test_the_name_is_asked_for_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from miner.cli.join import join
    from miner.cli.mine import mine

    monkeypatch.setenv("MINER_HOME", str(home))
    started: list[list[str]] = []
    monkeypatch.setattr(mine, "main", lambda args, **_: started.append(args))
    for typed, said in (("Ann Lee\n", "Your name in the class"), ("", "you are Ann Lee, as last")):
        done = CliRunner().invoke(join, ["192.168.1.5", "--throttle", "50"], input=typed)
        assert done.exit_code == 0 and said in done.output, done.output
    pool = ["--pool", "stratum+tcp://192.168.1.5:3333", "--user", "Ann Lee", "--throttle", "50"]
    assert started == [pool, pool]
    done = CliRunner().invoke(join, ["[fe80::1]:4000", "-u", "Bo"])
    assert started[-1] == ["--pool", "stratum+tcp://[fe80::1]:4000", "--user", "Bo"]


def test_a_pool_on_a_node_pays_one_address(miner: Start, tmp_path: Path) -> None:
    with FakeNode(tmp_path) as node:
        pool = miner(
            "pool", "--node", node.url, "--address", REGTEST,
            "--cookie", str(node.cookie), "--port", "127.0.0.1:0", "--web", "127.0.0.1:0",
        )  # fmt: skip
        where = place_of(pool)
        assert "ckpool" in pool.until("for more")
        one = miner("mine", "--pool", f"stratum+tcp://{where}", "--user", "desk", *QUICK)
        pool.until("by desk", "accepted", within_s=60.0)
        board = pool.until("board: http://").split()[1].removesuffix(";").removesuffix("/board")
        with urlopen(f"{board}/api/class/board", timeout=10) as answer:
            told = json.load(answer)
        assert told["chain"]["name"] == "regtest" and REGTEST in told["chain"]["words"]
        assert [member["name"] for member in told["members"]] == ["desk"]
        assert one.stop() == 0 and pool.stop() == 0
    taken = [entry.raw for entry in node.ledger if entry.verdict is None]
    assert taken
    for raw in taken:
        outputs = parse_block(bytes.fromhex(raw)).transactions[0].outputs
        assert outputs[0] == (5_000_000_000, script_from_address(REGTEST, "regtest"))
        assert len(outputs) == 2  # and the witness commitment: no name, no second payout


def test_a_pool_without_a_node_starts_its_own(miner: Start) -> None:
    pool = miner("pool", "--port", "127.0.0.1:0")
    pool.until("pool on an own regtest node", "a private chain")
    one = miner("mine", "--pool", f"stratum+tcp://{place_of(pool)}", "--user", "desk", *QUICK)
    pool.until("by desk", "accepted", within_s=60.0)
    assert one.stop() == 0 and pool.stop() == 0


@pytest.mark.parametrize("program", FOREIGN)
def test_a_foreign_cpu_miner_finds_a_block(program: str, miner: Start) -> None:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not on PATH")
    teacher = miner(*CLASS, "--port", "127.0.0.1:0")
    where = place_of(teacher)
    command = [path, "-a", "sha256d", "-o", f"stratum+tcp://{where}", "-u", "foreign", "-p", "x"]
    with subprocess.Popen([*command, "-t", "1"], stdout=subprocess.DEVNULL) as running:
        try:
            wait(lambda: bool(heights(teacher, "foreign")), 60.0)
        finally:
            running.kill()
    assert teacher.stop() == 0


def test_a_class_speaks_to_whoever_connects(miner: Start) -> None:
    teacher = miner(*CLASS, "--port", "127.0.0.1:0")
    host, port = place_of(teacher).split(":")
    with socket.create_connection((host, int(port)), 10) as raw:
        raw.sendall(b'{"id":1,"method":"mining.subscribe","params":["by hand"]}\n')
        raw.sendall(b'{"id":2,"method":"mining.authorize","params":["Eve","x"]}\n')
        with raw.makefile("rb") as stream:
            heard = [json.loads(stream.readline()) for _ in range(5)]
    assert [message.get("method") for message in heard] == [
        None, None, "client.show_message", "mining.set_difficulty", "mining.notify",
    ]  # fmt: skip
    assert heard[2]["params"] == ["welcome, Eve: private class chain; its coins exist only here"]
    teacher.until("Eve joined (by hand)")
    page = teacher.until("phones: http://").split()[1]
    with urlopen(page, timeout=10) as answer:
        assert answer.status == 200 and b"</html>" in answer.read()
    teacher.until("Eve left")
    assert teacher.stop() == 0
