"""Choosing and opening backends."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from miner.backends import registry
from miner.backends.base import Backend, Candidate, Provider
from miner.backends.python import PythonBackend
from miner.errors import BackendFault, BackendUnavailable


class OtherProvider:
    """What a third party might bring."""

    family = "other"

    def probe(self) -> list[Candidate]:
        return [Candidate("other", True, detail="a stranger", parallel=True)]

    def open(self, name: str, cache: Path) -> Backend:
        return PythonBackend()


PROVIDER = OtherProvider()


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, registry.ENTRY_POINTS)


@pytest.fixture
def externals(monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
    found: list[EntryPoint] = []
    monkeypatch.setattr(registry, "_external", lambda: found)
    registry.provider.cache_clear()
    return found


def test_an_unknown_name_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match="choose one of auto, opencl, native, hashlib"):
        registry.open_named("asic", tmp_path)


def test_a_strange_provider_shows_as_external(externals: list[EntryPoint]) -> None:
    externals.append(entry("other", "numbers:Number"))
    row = registry.probe_all()[-1]
    assert (row.name, row.usable) == ("other", False) and "other" not in registry.FAMILIES


def test_a_broken_provider_is_a_row_with_a_reason(externals: list[EntryPoint]) -> None:
    externals.append(entry("broken", "no_such_module_at_all:PROVIDER"))
    row = registry.probe_all()[-1]
    assert not row.usable and "no_such_module_at_all" in row.why_not


def test_no_name_is_taken_twice(externals: list[EntryPoint]) -> None:
    externals.append(entry("numpy", "no_such_module_at_all:PROVIDER"))
    row = registry.probe_all()[-1]
    assert row.name == "numpy" and "taken" in row.why_not


def test_a_named_backend_is_opened_once_per_thread_if_parallel(tmp_path: Path) -> None:
    said: list[str] = []
    opened = registry.open_choice(["numpy", "hashlib"], 3, tmp_path, said.append)
    assert [backend.info.name for backend in opened] == ["numpy"] * 3 + ["hashlib"]
    assert any("numpy" in line and "3 worker" in line for line in said)


def test_auto_without_native_takes_the_faster_of_two_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        Candidate("native", False, why_not="not built: no compiler"),
        Candidate("hashlib", True), Candidate("numpy", True, parallel=True),
        Candidate("python", True, auto=False),
    ]  # fmt: skip
    monkeypatch.setattr(registry, "probe_all", lambda: rows)
    monkeypatch.setattr(registry, "trial_rate", lambda backend: len(backend.info.name))
    said: list[str] = []
    opened = registry.open_choice([], 1, tmp_path, said.append)
    assert [backend.info.name for backend in opened] == ["hashlib"]
    assert any("no compiler" in line for line in said)


def test_auto_goes_on_without_a_device_that_cannot_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for by name it is an error, and so it is when nothing else is left."""
    card = Candidate("opencl:amd:0", True)
    rows = [card, Candidate("native:portable", True, parallel=True)]
    monkeypatch.setattr(registry, "probe_all", lambda: rows)
    monkeypatch.setattr(registry, "_probe_named", lambda names: rows)

    def opened(name: str, cache: Path) -> Backend:
        if name.startswith("opencl"):
            raise BackendFault(name, "kernel build failed: no registers")
        return PythonBackend()

    monkeypatch.setattr(registry, "open_named", opened)
    said: list[str] = []
    assert len(registry.open_choice([], 1, tmp_path, said.append)) == 1
    assert any("no registers" in line and "going on without it" in line for line in said)
    for asked in (["opencl:amd:0"], ["auto", "opencl:amd:0"]):
        with pytest.raises(BackendFault, match="no registers"):
            registry.open_choice(asked, 1, tmp_path, said.append)
    rows.remove(rows[1])
    rows.append(Candidate("native:portable", False, "not built"))
    monkeypatch.setattr(registry, "_auto", lambda *_: ["opencl:amd:0"])
    with pytest.raises(BackendFault, match="no registers"):
        registry.open_choice([], 1, tmp_path, said.append)


def test_auto_tells_of_what_is_broken_not_of_other_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        Candidate("opencl", False, "platform 1 fails"),
        Candidate("native:portable", True, parallel=True),
        Candidate("native:neon", False, "not built"),
    ]
    monkeypatch.setattr(registry, "probe_all", lambda: rows)
    opened: list[str] = []

    def noted(name: str, cache: Path) -> Backend:
        opened.append(name)
        return PythonBackend()

    monkeypatch.setattr(registry, "open_named", noted)
    said: list[str] = []
    registry.open_choice([], 1, tmp_path, said.append)
    assert opened == ["native"]
    assert "opencl not used: platform 1 fails" in said
    assert not any("neon" in line for line in said)


def test_auto_with_nothing_usable_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "probe_all", lambda: [Candidate("native", False, "gone")])
    with pytest.raises(BackendUnavailable, match="nothing on this machine"):
        registry.open_choice([], 1, tmp_path, lambda line: None)


def test_a_named_choice_does_not_probe_other_families(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenCL's probe alone may take seconds."""
    asked: list[str] = []
    real = registry.provider

    def noted(family: str) -> Provider:
        asked.append(family)
        return real(family)

    monkeypatch.setattr(registry, "provider", noted)
    for backend in registry.open_choice(["hashlib"], 1, tmp_path, lambda line: None):
        backend.close()
    assert set(asked) == {"hashlib"}
