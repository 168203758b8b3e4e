"""`miner mine --node stratum2+tcp://...`: solo by Template Distribution over real sockets."""

import json
from pathlib import Path

import pytest

from miner.journal import read
from tests.e2e.conftest import Start
from tests.fakes.node import FakeNode
from tests.fakes.sink import REGTEST, until
from tests.fakes.sv2_tp import ProviderServer

OTHER_KEY = "9bXiEd8boQVhq7WddEcERUL5tyyJVFYdU8th3HfbNXK3Yw6GRXh"
MINE = ("mine", "--address", REGTEST, "--backend", "hashlib", "--threads", "1", "--json")


def blocks(lines: list[str]) -> list[dict[str, object]]:
    """What was said of blocks."""
    events = [json.loads(line) for line in lines if line.startswith("{")]
    return [event for event in events if event["type"] == "block"]


def journals(home: Path) -> list[Path]:
    return sorted((home / "state" / "journal").glob("*.journal"))


@pytest.mark.parametrize("transactions", [(), (b"a transaction of 30 bytes or so",)])
def test_blocks_are_found_sent_and_accepted_by_the_next_previous_hash(
    miner: Start, home: Path, transactions: tuple[bytes, ...]
) -> None:
    with ProviderServer() as server:
        server.transactions = transactions
        command = miner(*MINE, "--node", server.url, "--blocks", "3")
        assert command.end() == 0
    assert server.bad == []
    accepted = [one for one in blocks(command.out) if one["answer"] == "accepted"]
    assert [one["height"] for one in accepted] == [501, 502, 503]
    chain = [digest[::-1].hex() for digest in server.chain.hashes[1:4]]
    assert [one["hash"] for one in accepted] == chain
    assert journals(home) == [], "each is settled"
    assert server.providers[0].reserved > 0


def test_a_connection_that_is_cut_loses_no_block(miner: Start, home: Path) -> None:
    with ProviderServer() as server:
        server.deaf = True
        command = miner(*MINE, "--node", server.url, "--blocks", "2")
        command.until('"type": "found"')
        until(lambda: server.good)
        server.deaf = False
        server.cut()
        assert command.end() == 0
    assert server.bad == [] and len(server.providers) >= 2
    accepted = [one["hash"] for one in blocks(command.out) if one["answer"] == "accepted"]
    chain = [digest[::-1].hex() for digest in server.chain.hashes[1:]]
    assert len(accepted) == 2 and accepted == chain[:2]
    assert journals(home) == []


def test_a_block_in_the_journal_is_sent_by_the_next_run(miner: Start, home: Path) -> None:
    with ProviderServer() as server:
        killed = miner(*MINE, "--node", server.url, MINER_CRASH_AT="send")
        assert killed.process.wait(60) == -9
        (file,) = journals(home)
        (waiting,) = read(file.read_bytes()).waiting.values()
        assert waiting.kind == "template" and server.good == []
        again = miner(*MINE, "--node", server.url, "--blocks", "2")
        assert again.end() == 0
    assert server.good[0][::-1].hex() == waiting.hash_hex
    assert waiting.hash_hex in [one["hash"] for one in blocks(again.out)]
    assert journals(home) == [] and not file.exists()


def test_a_block_in_the_journal_reaches_a_node_by_json_rpc(
    miner: Start, home: Path, tmp_path: Path
) -> None:
    """The provider is gone, its Bitcoin Core is not: the whole block was written down."""
    with FakeNode(tmp_path) as node:
        tip = bytes.fromhex(node.mine(20).hash)[::-1]
        with ProviderServer() as server:
            server.chain.hashes, server.chain.height = [tip], node.tip.height
            killed = miner(*MINE, "--node", server.url, MINER_CRASH_AT="send")
            assert killed.process.wait(60) == -9
        (file,) = journals(home)
        (waiting,) = read(file.read_bytes()).waiting.values()
        login = ("--user", "__cookie__", "--password", node.password)
        again = miner(*MINE, "--node", node.url, *login, "--block-interval", "900")
        again.until(f'"hash": "{waiting.hash_hex}"')
        assert again.stop() == 0
        assert node.sent(waiting.hash_hex) == 1
        raw = next(one.raw for one in node.ledger if one.hash == waiting.hash_hex)
        assert bytes.fromhex(raw)[:80] == waiting.header
    assert not file.exists()


def test_a_node_beside_gets_the_block_that_the_provider_loses(
    miner: Start, home: Path, tmp_path: Path
) -> None:
    """As sv2-tp 1.1.1 does on Bitcoin Core 32: it looks healthy and submits nothing."""
    with FakeNode(tmp_path) as node, ProviderServer() as server:
        server.deaf, server.ahead_s = True, 60  # the node's last blocks are ahead of its clock
        tip = bytes.fromhex(node.mine(20).hash)[::-1]
        server.chain.hashes, server.chain.height = [tip], node.tip.height
        word = f"http://__cookie__:{node.password}@"
        check = node.url.replace("http://", word)
        command = miner(*MINE, "--node", server.url, "--check-node", check, "--blocks", "1")
        assert command.end() == 0
        (accepted,) = [one for one in blocks(command.out) if one["answer"] == "accepted"]
        assert accepted["hash"] == node.tip.hash
        assert accepted["explanation"] == f"{node.url} has it in its best chain"
        assert node.password not in command.text
    assert journals(home) == []


def test_a_second_provider_takes_over(miner: Start) -> None:
    with ProviderServer() as server:
        dead = f"stratum2+tcp://127.0.0.1:9/{server.key}"
        command = miner(*MINE, "--node", dead, "--node", server.url, "--blocks", "1")
        assert command.end() == 0
    assert "127.0.0.1:9" in command.text and len(server.good) >= 1


@pytest.mark.parametrize(
    ("key", "code", "words"),
    [
        (OTHER_KEY, 5, "not signed by that key"),
        ("", 2, "--sv2-insecure"),
        ("9auqWEzQ", 2, "checksum"),
    ],
)
def test_a_wrong_key_is_one_line(miner: Start, key: str, code: int, words: str) -> None:
    with ProviderServer() as server:
        url = f"stratum2+tcp://127.0.0.1:{server.port}/{key}"
        command = miner(*MINE, "--node", url, "--retries", "0")
        assert command.end() == code
    assert words in command.text and command.err[-1].count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--node", f"stratum2+tcp://h:1/{OTHER_KEY}"), "--node needs --address"),
        (
            ("--node", f"stratum2+tcp://h:1/{OTHER_KEY}?channel=standard", "--address", REGTEST),
            "channels belong to pools",
        ),
        (
            ("--node", f"stratum2+tcp://h:1/{OTHER_KEY}", "--node", "http://h:1"),
            "the first goes to --check-node",
        ),
        (("--node", f"stratum2+tcp://h/{OTHER_KEY}", "--address", REGTEST), "port is missing"),
        (("--check-node", "http://127.0.0.1:18443"), "--check-node belongs to --pool"),
    ],
)
def test_mistakes_are_one_line(miner: Start, flags: tuple[str, ...], words: str) -> None:
    command = miner("mine", *flags)
    assert command.end() == 2
    assert words in command.err[-1] and len(command.err) == 1


def test_doctor_looks_at_a_provider(miner: Start) -> None:
    with ProviderServer() as server:
        command = miner("doctor", "--node", server.url, "--address", REGTEST)
        command.end()
    text = " ".join(command.text.split())
    assert "signed by the key given" in text and "days" in text
    assert "the provider speaks version 2, flags 0x0" in text
    assert "pass templates" in text and "work after" in text
