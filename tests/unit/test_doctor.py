"""The doctor names what is wrong with a node or pool, one remedy a line, and never falls over."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from miner import doctor
from miner.bitcoin.address import decode
from miner.doctor import Finding, NodeDoctor, Outcome, check_devices, check_disk, check_install
from miner.run import config
from miner.sources.node.setup import NodeSetup
from miner.transport.endpoint import Endpoint
from tests.fakes import exchange as faults
from tests.fakes.node import FakeNode
from tests.fakes.sink import MAINNET, REGTEST, TESTNET, setup
from tests.faults import fault

SIGNED = "512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be43051ae"


def examine(node: FakeNode, address: str | None = REGTEST, **other: Any) -> list[Finding]:
    chosen: NodeSetup = replace(setup(node), **other)
    decoded = decode(address) if address is not None else None
    findings = list(NodeDoctor(chosen, decoded, timeout_s=2.0).findings())
    for finding in findings:
        assert finding.text.isprintable()
        assert bool(finding.remedy) == (finding.outcome is not Outcome.PASS), finding
    return findings


def the(findings: list[Finding], check: str) -> Finding:
    found = [finding for finding in findings if finding.check == check]
    assert len(found) == 1, findings
    return found[0]


def test_a_healthy_node_passes_every_check(tmp_path: Path) -> None:
    with FakeNode(tmp_path) as node:
        findings = examine(node)
    assert [finding.check for finding in findings] == [
        "reach", "login", "chain", "sync", "peers", "address", "template", "dry run"
    ]  # fmt: skip
    assert {finding.outcome for finding in findings} == {Outcome.PASS}


def answers(method: str, *row: faults.Fault) -> Callable[[FakeNode], None]:
    return lambda node: node.fault(method, *row)


def template_with(**fields: Any) -> Callable[[FakeNode], None]:
    return lambda node: node.template_patch.update(fields)


def dead_with_cookie(node: FakeNode) -> None:
    node.stop()
    node.rotate_cookie()


HTML = faults.fixed(faults.http(200, b"<html>", "text/html"))
FORBIDDEN = faults.fixed(faults.http(403, b"", "text/html"))
ILLS: dict[str, tuple[str, str, Callable[[FakeNode], object], str, Outcome, str]] = {
    "no node": ("regtest", REGTEST, lambda node: node.stop(), "reach", Outcome.FAIL, "cookie"),
    "refused": (
        "regtest", REGTEST, dead_with_cookie, "reach",
        Outcome.FAIL, "refused",
    ),
    "web server": (
        "regtest", REGTEST, answers("getblockchaininfo", HTML), "reach", Outcome.FAIL, "RPC port",
    ),
    "not bitcoin": (
        "regtest", REGTEST, answers("getblockchaininfo", faults.result(7)), "reach",
        Outcome.FAIL, "does not answer like",
    ),
    "password": (
        "regtest", REGTEST, lambda node: node.cookie.write_text("a:b"), "login", Outcome.FAIL,
        "refused the credentials",
    ),
    "forbidden": (
        "regtest", REGTEST, answers("getblockchaininfo", FORBIDDEN), "login", Outcome.FAIL,
        "rpcallowip",
    ),
    "warming up": (
        "regtest", REGTEST, answers("getblockchaininfo", faults.failure(-28, "Verifying")),
        "ready", Outcome.WARN, "Verifying",
    ),
    "other chain": ("regtest", MAINNET, lambda node: None, "address", Outcome.FAIL, "regtest"),
    "shared prefix": ("testnet4", TESTNET, lambda node: None, "address", Outcome.WARN, "test and"),
    "invalid there": (
        "regtest", REGTEST, answers("validateaddress", faults.result({"isvalid": False})),
        "address", Outcome.FAIL, "invalid",
    ),
    "another script": (
        "regtest", REGTEST,
        answers("validateaddress", faults.result({"isvalid": True, "scriptPubKey": "00"})),
        "address", Outcome.FAIL, "another script",
    ),
    "syncing": (
        "testnet4", TESTNET, lambda node: setattr(node, "ibd", True), "sync", Outcome.WARN,
        "initial block download",
    ),
    "junk": (
        "regtest", REGTEST, answers("getnetworkinfo", faults.result(7), faults.result([])), "peers",
        Outcome.FAIL, "gave no object",
    ),
    "alone": (
        "testnet4", TESTNET, lambda node: setattr(node, "peers", 0), "peers", Outcome.FAIL,
        "no peers",
    ),
    "signed signet": (
        "signet", TESTNET, lambda node: setattr(node, "challenge", SIGNED), "chain",
        Outcome.FAIL, "grind",
    ),
    "no templates": (
        "regtest", REGTEST, answers("getblocktemplate", faults.failure(-32601, "Method not found")),
        "template", Outcome.FAIL, "Method not found",
    ),
    "not connected": (
        "main", MAINNET, answers("getblocktemplate", faults.failure(-9, "is not connected!")),
        "template", Outcome.FAIL, "not connected",
    ),
    "rule": (
        "regtest", REGTEST, template_with(rules=["!new"]), "template", Outcome.FAIL, "'!new'",
    ),
    "field": ("regtest", REGTEST, template_with(bits=7), "template", Outcome.FAIL, "field bits"),
    "alarm": (
        "regtest", REGTEST, template_with(default_witness_commitment="6a"), "template",
        Outcome.WARN, "empty block",
    ),
    "clock": (
        "regtest", REGTEST, lambda node: template_with(curtime=1_600_000_000)(node), "clock",
        Outcome.WARN, "behind",
    ),
}  # fmt: skip


@pytest.mark.parametrize("ill", ILLS)
def test_each_ill_is_named(tmp_path: Path, ill: str) -> None:
    chain, address, spoil, check, outcome, words = ILLS[ill]
    bits = {"regtest": "207fffff", "signet": "1e0377ae"}.get(chain, "1d00ffff")
    challenge = "51" if chain == "signet" else None
    with FakeNode(tmp_path, chain=chain, bits=bits, challenge=challenge) as node:
        spoil(node)
        findings = examine(node, address)
    found = [f for f in findings if f.check == check and f.outcome is outcome]
    assert len(found) == 1, findings
    assert words in found[0].text


def test_a_refused_dry_run_is_explained(tmp_path: Path) -> None:
    with FakeNode(tmp_path) as node:
        node.validate = lambda *_: "bad-cb-height"
        finding = the(examine(node), "dry run")
    assert finding.outcome is Outcome.FAIL
    assert "BIP 34" in finding.text


def test_no_secret_is_shown(tmp_path: Path) -> None:
    with FakeNode(tmp_path) as node:
        texts = [f"{finding}" for finding in examine(node)]
        assert not [text for text in texts if node.password in text]


def test_an_unreachable_name_is_a_finding(tmp_path: Path) -> None:
    with FakeNode(tmp_path) as node:
        findings = examine(node, endpoint=Endpoint("http", "no-such-host.invalid", 1))
    assert the(findings, "reach").outcome is Outcome.FAIL


def test_the_machine_is_looked_at(tmp_path: Path) -> None:
    assert the(list(check_install()), "python").outcome is Outcome.PASS
    assert any(f.check == "devices" and f.outcome is Outcome.PASS for f in check_devices())
    assert the(list(check_disk(tmp_path / "new")), "disk").outcome in (Outcome.PASS, Outcome.WARN)


def test_a_folder_that_cannot_be_written_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    finding = the(list(check_disk(tmp_path / "file")), "disk")
    assert finding.outcome is Outcome.FAIL
    assert "MINER_HOME" in finding.remedy


@pytest.mark.parametrize("flags", [{}, {"tls_insecure": True}], ids=["verified", "not verified"])
@fault("S35")
def test_unverified_tls_is_warned_of(
    flags: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check was there, and nobody called it."""
    monkeypatch.setenv("MINER_HOME", str(tmp_path))
    for name in ("check_install", "check_devices", "check_disk", "check_source"):
        monkeypatch.setattr(doctor, name, lambda *_: iter(()))
    settings = config.load({"pool": ("127.0.0.1:1",), "user": ("u",), **flags}, {})
    found = [(one.check, one.outcome) for one in doctor.examine(settings)]
    assert found == ([("tls", Outcome.WARN)] if flags else [])
