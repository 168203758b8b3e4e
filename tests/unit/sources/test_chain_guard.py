"""What a user hears of a node's chain, and which chains are kept apart."""

import pytest

from miner.bitcoin.address import decode
from miner.errors import SourceRefused
from miner.sources.node.chain_guard import ChainGuard

TESTNET = "tb1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqaqh7jw"
NODE, OTHER = "http://one:48332", "http://two:48332"


def test_chains_are_never_mixed() -> None:
    guard = ChainGuard(decode(TESTNET), new=False)
    guard.check(NODE, "testnet4")
    with pytest.raises(SourceRefused, match="mining is on testnet4: chains are never mixed"):
        guard.check(OTHER, "signet")
    with pytest.raises(SourceRefused, match="is on regtest, but tb1"):
        guard.check(OTHER, "regtest")


@pytest.mark.parametrize(
    ("warnings", "told"),
    [
        (None, ""), ([], ""), ("", ""), ([""], ""), (7, ""), ([7, {"a": 1}], ""),
        ("unknown new rules activated", "; the node says: unknown new rules activated"),
        (["one", "two"], "; the node says: one; two"),
        (["a", "b", "c", "d"], "; the node says: a; b; c"),
        (["\x1b[2Jno\nescape\u202e"], "; the node says: no escape?"),
        (["x" * 500], f"; the node says: {'x' * 97}..."),
    ],
)  # fmt: skip
def test_what_a_node_warns_of_is_passed_on(warnings: object, told: str) -> None:
    guard = ChainGuard(None, new=False)
    guard.warned(NODE, warnings)
    assert guard.note("main", NODE) == told
    assert guard.note("main", OTHER) == "", "of another node"


def test_an_address_of_several_chains_is_said_to_be() -> None:
    guard = ChainGuard(decode(TESTNET), new=False)
    guard.warned(NODE, ["private class chain; its coins exist only here"])
    assert guard.note("testnet4", NODE) == (
        " (the address is valid on test and signet too); the node says: private class chain; its "
        "coins exist only here"
    )
    assert guard.note("main", OTHER) == ""
