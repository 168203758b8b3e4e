"""Tuning: the search, the check of the winner, what is stored and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from miner.backends import opencl, selftest
from miner.backends.base import Backend, OpenOptions
from miner.backends.gpu_tune import Tuning
from miner.backends.opencl.work import Shape
from miner.cli.main import cli
from miner.errors import BackendFault

DEVICES = [row for row in opencl.PROVIDER.probe() if row.usable]
pytestmark = pytest.mark.skipif(
    not DEVICES, reason="; ".join(f"opencl: {row.why_not}" for row in opencl.PROVIDER.probe())
)


def test_the_command_tunes_and_the_next_open_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no time at all the default shape alone is measured, checked and stored."""
    monkeypatch.setenv("MINER_HOME", str(tmp_path))
    done = CliRunner().invoke(cli, ["tune", "--seconds", "0", "--json", DEVICES[0].name])
    assert done.exit_code == 0, done.output
    won = json.loads(done.stdout)
    assert won["name"] == DEVICES[0].name and won["tried"] == 1
    assert won["rate_hs"] > 1e5 and won["single_rate_hs"] > 1e5
    assert "time is up after 1 shape" in done.stderr

    file = tmp_path / "cache" / "opencl-tuned.json"
    rows = json.loads(file.read_text())
    (row,) = rows.values()
    assert row["shape"].pop("unroll") == 1  # as stored by older versions
    row |= {"rate_hs": 3e6, "single_rate_hs": 2e6}
    row["shape"] = {"group": 2, "nonces": 16, "vector": 4}
    file.write_text(json.dumps(rows))
    backend = opencl.PROVIDER.open(DEVICES[0].name, OpenOptions(tmp_path / "cache"))
    assert backend.info.versions_wanted == 8
    backend.close()


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{", '{"KEY": 1}', '{"KEY": {"shape": {"group": 1}}}',
        '{"KEY": {"shape": {"group": 8, "nonces": 3, "vector": 1}, "rate_hs": 1, '
        '"single_rate_hs": 1, "tried": 1}}',
        '{"KEY": {"shape": {"group": 99999999, "nonces": 4, "vector": 1}, "rate_hs": 1, '
        '"single_rate_hs": 1, "tried": 1}}',
    ],
)  # fmt: skip
def test_a_damaged_or_foreign_store_is_ignored(tmp_path: Path, text: str) -> None:
    from miner.backends.opencl import listing as opencl_listing
    from miner.backends.opencl import tune as opencl_tune

    found = opencl_listing.find(DEVICES[0].name)
    stored = text.replace('"KEY"', json.dumps(opencl_tune.key(found)))
    (tmp_path / opencl_tune.FILE).write_text(stored)
    assert opencl_tune.load(found, tmp_path) is None
    tuning = Tuning(Shape(2, 16, 4), 3e6, 2e6, 7)
    opencl_tune.store(found, tmp_path, tuning)
    assert opencl_tune.load(found, tmp_path) == tuning
    assert tuning.single_cost == 1.5


def test_shapes_that_lie_or_break_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fastest shape answers wrongly, another cannot be built: the third one wins."""
    from miner.backends.opencl import listing as opencl_listing
    from miner.backends.opencl import tune as opencl_tune

    liar, broken, honest = Shape(4, 4, 1), Shape(1 << 30, 4, 1), Shape(2, 16, 4)
    rates = {liar: 9e9, honest: 1e6}
    right = selftest.check

    def check(backend: Backend) -> None:
        if backend.info.versions_wanted == liar.wide:
            raise BackendFault(backend.info.name, "self-test: lies")
        right(backend)

    monkeypatch.setattr(selftest, "check", check)
    monkeypatch.setattr(opencl_tune, "candidates", lambda *_: iter((liar, broken, honest)))
    monkeypatch.setattr(
        opencl_tune, "_measured", lambda found, shape, cache: rates[shape]
        if shape in rates else opencl_tune.open_with(found, shape, cache) and 0.0,
    )  # fmt: skip
    said: list[str] = []
    found = opencl_listing.find(DEVICES[0].name)
    tuning = opencl_tune.tune(found, tmp_path, said.append, 1e9)
    assert tuning.shape == honest
    assert any("passed over" in line and "work-group" in line for line in said)
    assert any("self-test: lies" in line for line in said)
    monkeypatch.setattr(opencl_tune, "candidates", lambda *_: iter((liar,)))
    with pytest.raises(BackendFault, match="no kernel shape works"):
        opencl_tune.tune(found, tmp_path, said.append, 1e9)


def test_the_search_follows_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each dimension is searched around the best of the one before; nothing comes twice."""
    from miner.backends.opencl import listing as opencl_listing
    from miner.backends.opencl import tune as opencl_tune

    device = opencl_listing.find(DEVICES[0].name).device
    rates: dict[Shape, float] = {}
    for shape in opencl_tune.candidates(device, rates):
        assert shape not in rates
        rates[shape] = 1000.0 if shape.nonces == 32 else 1.0
        rates[shape] += shape.group
    assert len(rates) >= 6
    assert max(rates, key=lambda shape: rates[shape]).nonces == 32
    assert any(shape.unroll == 2 for shape in rates)
    later = list(rates)[4:]
    assert all(shape.nonces == 32 for shape in later)


def test_the_faster_kernel_is_used(tmp_path: Path) -> None:
    """Where a version alone is clearly faster than many together, only one is asked for."""
    from miner.backends.opencl import listing as opencl_listing
    from miner.backends.opencl import tune as opencl_tune

    found = opencl_listing.find(DEVICES[0].name)
    shape = Shape(2, 16, 4)
    for single_hs, wanted in ((2e6, shape.wide), (3.1e6, shape.wide), (3.3e6, 1)):
        opencl_tune.store(found, tmp_path, Tuning(shape, 3e6, single_hs, 1))
        backend = opencl.PROVIDER.open(DEVICES[0].name, OpenOptions(tmp_path))
        assert backend.info.versions_wanted == wanted
        backend.close()


def test_the_budget_has_room_for_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shape takes 3 s on this clock: five and the winner's check fit into 20 s."""
    from miner.backends.opencl import listing as opencl_listing
    from miner.backends.opencl import tune as opencl_tune

    now = [0.0]

    def measured(*_: object) -> float:
        now[0] += 3.0
        return 1e6

    monkeypatch.setattr(opencl_tune, "_measured", measured)
    monkeypatch.setattr(opencl_tune, "_checked", lambda *_: (measured(), 9e5))
    found = opencl_listing.find(DEVICES[0].name)
    said: list[str] = []
    tuning = opencl_tune.tune(found, tmp_path, said.append, 20.0, lambda: now[0])
    assert tuning.tried == 5 and now[0] == 18.0


def test_a_device_that_fails_does_not_keep_the_others_from_being_tuned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINER_HOME", str(tmp_path))
    names = ["opencl:nosuch", DEVICES[0].name, "opencl:neither"]
    done = CliRunner().invoke(cli, ["tune", "--seconds", "0", *names])
    assert done.exit_code != 0 and "opencl:neither cannot be used" in str(done.exception)
    assert done.stdout.startswith(f"{DEVICES[0].name}  ")
    assert "opencl:nosuch cannot be used" in done.stderr


def test_what_has_no_shapes_is_not_tuned() -> None:
    done = CliRunner().invoke(cli, ["tune", "native"])
    assert done.exit_code != 0
    assert "has no shapes to tune" in str(done.exception)


def test_a_gpu_is_tuned_once_at_first_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU passes for a GPU here; the second opening finds what the first stored."""
    from miner.backends.opencl import tune as opencl_tune

    shape = Shape(2, 16, 4)
    said: list[str] = []
    monkeypatch.setattr(opencl_tune, "is_cpu", lambda device: False)
    monkeypatch.setattr(opencl_tune, "candidates", lambda *_: iter((shape,)))
    options = OpenOptions(tmp_path, said.append)
    monkeypatch.setenv("MINER_TUNE", "0")
    opencl.PROVIDER.open(DEVICES[0].name, options).close()
    assert said == []
    monkeypatch.delenv("MINER_TUNE")
    for _ in range(2):
        backend: Any = opencl.PROVIDER.open(DEVICES[0].name, options)
        assert backend._session.shape == shape
        backend.close()
    assert len(said) == 2 and "MINER_TUNE=0 skips that" in said[0]
    assert "2 items x 4 lanes x 16 nonces" in said[1]
