"""What a Stratum v2 pool is told of this computer."""

import pytest

from miner.run import config
from miner.run.wiring import pool_options
from miner.sources.pool.options import PoolOptions
from miner.sources.pool.wish import Wish
from miner.sources.sv2.pools import stratum_v2, worker_of
from miner.transport.urls import pool_login

URL = "stratum2+tcp://127.0.0.1:1/9bXiEd8boQVhq7WddEcERUL5tyyJVFYdU8th3HfbNXK3Yw6GRXh"


@pytest.mark.parametrize(
    ("user", "worker"),
    [
        ("bc1qaddress.desk", "desk"),
        ("bc1qaddress", ""),
        ("name.desk.left", "desk.left"),
        ("sri/solo/bc1qaddress/desk", "desk"),
        ("sri/donate/1/bc1qaddress/desk", "desk"),
        ("sri/solo/bc1qaddress", ""),
        ("", ""),
    ],
)
def test_the_worker_in_a_user_name(user: str, worker: str) -> None:
    assert worker_of(user) == worker


@pytest.mark.parametrize(("named", "told"), [("", ("desk", "")), ("garage", ("garage", "garage"))])
def test_the_name_is_the_worker_unless_another_is_given(named: str, told: tuple[str, str]) -> None:
    login = pool_login(URL, "bc1qaddress.desk")
    session = stratum_v2(Wish("p", login, PoolOptions(device_name=named)), None)
    settings = session.settings  # type: ignore[attr-defined]
    assert (settings.device, settings.device_id) == told


def test_the_setting_reaches_the_pool() -> None:
    flags = {"pool": (URL,), "user": ("u",), "device_name": "garage"}
    loaded = config.load(flags, {"MINER_CONFIG": ""})
    assert pool_options(loaded, lambda: None).device_name == "garage"
