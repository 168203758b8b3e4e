"""--web and --cgminer-api with a place, alone, and before other options."""

import pytest

from miner.cli.mine import mine
from miner.run import config
from miner.transport.listening import ListenAddress


@pytest.mark.parametrize(
    ("arguments", "web", "cgminer"),
    [
        (["--web"], ListenAddress("127.0.0.1", 8080), None),
        (["--web", "--json"], ListenAddress("127.0.0.1", 8080), None),
        (["--web", "0.0.0.0:80"], ListenAddress("0.0.0.0", 80), None),
        (["--web", "8081", "--cgminer-api"], ListenAddress("127.0.0.1", 8081),
         ListenAddress("127.0.0.1", 4028)),
        (["--cgminer-api", "[::1]:4029"], None, ListenAddress("::1", 4029)),
        ([], None, None),
    ],
)  # fmt: skip
def test_places(
    arguments: list[str], web: ListenAddress | None, cgminer: ListenAddress | None
) -> None:
    flags = dict(mine.make_context("mine", arguments).params)
    for name in ("config", "algo", "ask_password"):
        del flags[name]
    made = config.load(flags, {})
    assert (made.web, made.cgminer_api) == (web, cgminer)


def test_the_environment_and_names() -> None:
    made = config.load({"web_name": ("desk.lan", "b")}, {"MINER_WEB": "9000"})
    assert made.web == ListenAddress("127.0.0.1", 9000)
    assert made.web_name == ("desk.lan", "b")
    assert not made.web_full_address
