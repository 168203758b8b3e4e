"""`miner doctor` as a command: exit codes, JSON, and no secret in what it prints."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from miner.cli.doctor import doctor
from tests.fakes.node import FakeNode
from tests.fakes.sink import REGTEST


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINER_HOME", str(tmp_path / "home"))


def test_a_healthy_node_exits_0(tmp_path: Path) -> None:
    with FakeNode(tmp_path) as node:
        arguments = ["--node", node.url, "--cookie", str(node.cookie), "--address", REGTEST]
        result = CliRunner().invoke(doctor, arguments)
        assert result.exit_code == 0, result.output
        assert "pass dry run" in result.output
        told = CliRunner().invoke(doctor, [*arguments, "--json"])
    rows = [json.loads(line) for line in told.stdout.splitlines()]
    assert {"check", "outcome", "text", "remedy"} == set(rows[0])
    assert next(row for row in rows if row["check"] == "dry run")["outcome"] == "pass"


def test_a_failed_check_exits_1_and_names_a_remedy(tmp_path: Path) -> None:
    with FakeNode(tmp_path) as node:
        arguments = ["--node", node.url, "--user", "a", "--password", "canary"]
        result = CliRunner().invoke(doctor, [*arguments, "--address", REGTEST])
    assert result.exit_code == 1
    line = next(line for line in result.output.splitlines() if line.startswith("fail login"))
    assert "-> give --cookie FILE" in line
    assert "canary" not in result.output


def test_without_a_source_the_own_node_is_examined() -> None:
    pytest.importorskip("pbk", reason="no kernel wheel for this Python")
    result = CliRunner().invoke(doctor, [])
    assert result.exit_code == 0, result.output
    assert "regtest at height 0" in result.output
    assert "pass dry run" in result.output


def test_a_dead_pool_is_named() -> None:
    result = CliRunner().invoke(doctor, ["--pool", "127.0.0.1:1", "--user", "me"])
    assert result.exit_code == 1
    assert "fail pool" in result.output
