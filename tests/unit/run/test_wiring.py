import subprocess
import sys

import pytest

from miner import signals
from miner.engine.goal import Goal
from miner.run import config, wiring
from miner.run.config import MineConfig
from tests.faults import fault


def load(**flags: object) -> MineConfig:
    return config.load(flags, {"MINER_CONFIG": ""})


def test_nothing_heavy_is_imported_before_it_is_used() -> None:
    """Each costs several MB of a miner that may run for months: see the memory limits."""
    heavy = ("numpy", "pyopencl", "rich", "pbk", "psutil", "asyncio")
    modules = "sys, miner.run.run, miner.cli.session"
    program = f"import {modules}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("MINER_HOME", str(tmp_path))


def test_the_own_node_is_paced_and_pays_everybody() -> None:
    own = load()
    assert wiring.engine_options(own).block_interval_s == 1.0
    assert wiring.payout_of(own) is not None
    assert "anyone can spend" in wiring.payout_text(own, wiring.payout_of(own))


def test_other_sources_are_not_paced() -> None:
    pool = load(pool="a:1", user="alice")
    assert wiring.engine_options(pool).block_interval_s == 0.0
    assert wiring.payout_text(pool, wiring.payout_of(pool)) == "mining for alice"
    assert wiring.engine_options(load(block_interval="2.5")).block_interval_s == 2.5


def test_blocks_and_stop_after_are_goals_together() -> None:
    got = wiring.engine_options(load(blocks="20", stop_after=("60s", "5shares")))
    assert set(got.goals) == {Goal(20, "blocks"), Goal(60, "s"), Goal(5, "shares")}


@fault("P01")
def test_a_signal_is_not_lost_in_a_callback_of_the_kernel() -> None:
    """Raised in a frame of the library it would be printed and swallowed by ctypes."""
    inside: dict[str, object] = {"__name__": "pbk.log", "sys": sys}
    exec("def callback(then): return then()", inside)
    here = inside["callback"]
    assert callable(here)
    assert here(lambda: signals.swallows_errors(sys._getframe()))
    assert not signals.swallows_errors(sys._getframe())


@pytest.mark.parametrize(("user", "root"), [(0, True), (1000, False)])
def test_root_and_unverified_tls_are_warned_of(
    monkeypatch: pytest.MonkeyPatch, user: int, root: bool
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user, raising=False)
    assert [text.split(":")[0] for text in wiring.cautions(load())] == ["running as root"] * root
    shout, *rest = wiring.cautions(load(tls_insecure=True))
    assert shout.startswith("TLS IS NOT VERIFIED (--tls-insecure): ")
    assert len(rest) == root
