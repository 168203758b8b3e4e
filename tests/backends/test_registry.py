"""Choosing and opening backends."""

import json
from collections.abc import Iterator
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from click.testing import CliRunner

from miner.backends import registry
from miner.backends.base import Backend, Candidate, Kind, OpenOptions, Provider
from miner.backends.choice import choose
from miner.backends.python import PythonBackend
from miner.cli.devices import devices
from miner.devices import cards
from miner.errors import BackendFault, BackendUnavailable
from miner.learn.catalogue import find
from miner.learn.steps import Setting, Table
from miner.measure import cases
from tests.fakes import toy
from tests.fakes.backend import FakeBackend

CPU, GPU = Kind.CPU, Kind.GPU


class OtherProvider:
    """What a third party might bring: it opens one backend whatever it is asked for."""

    family = "other"

    def probe(self) -> list[Candidate]:
        return [Candidate("other", CPU, True, rank=-5, detail="a stranger", parallel=True)]

    def open(self, name: str, options: OpenOptions) -> Backend:
        if name == "other:raises":
            raise RuntimeError("no such thing")
        return FakeBackend("other")


PROVIDER = OtherProvider()


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, registry.ENTRY_POINTS)


@pytest.fixture
def externals(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    found: list[EntryPoint] = []
    monkeypatch.setattr(registry, "_external", lambda: found)
    registry.provider.cache_clear()
    yield found
    registry.provider.cache_clear()


@pytest.fixture
def options(tmp_path: Path) -> tuple[OpenOptions, list[str]]:
    said: list[str] = []
    return OpenOptions(tmp_path, said.append), said


@pytest.fixture
def with_toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[toy.Provider]:
    """The toy family's line in the registry's tuple, and nothing else."""
    monkeypatch.setattr(registry, "MODULES", (*registry.MODULES, toy.MODULE))
    monkeypatch.setattr(toy, "PROVIDER", toy.Provider())
    registry.provider.cache_clear()
    yield toy.PROVIDER
    registry.provider.cache_clear()


def test_a_family_is_one_line(
    with_toy: toy.Provider, options: tuple[OpenOptions, list[str]], tmp_path: Path
) -> None:
    """Chosen by auto, shown by devices, benched, listed by the lessons' ladder."""
    asked = OpenOptions(tmp_path, options[1].append, intensity=3, workers=2)
    backends = registry.open_choice([], 2, asked)
    for backend in backends:
        backend.close()
    names = [backend.info.name for backend in backends]
    assert "toy:0" in names
    assert with_toy.opened == [("toy:0", asked)]  # once, with what the user asked for
    cpus = [backend for backend in backends if backend.info.kind is CPU]
    assert len(cpus) == 1  # one fewer beside a GPU
    assert "toy:1 not used: it fell off the table" in options[1]
    shown = CliRunner().invoke(devices, ["--json"])
    rows = {row["name"]: row for row in map(json.loads, shown.stdout.splitlines())}
    assert rows["toy:0"]["auto"] and rows["toy:0"]["kind"] == "gpu"
    assert rows["toy:1"]["why_not"] == "it fell off the table"
    assert "toy:0" in cases.choose_names(["all"], tmp_path, lambda line: None)
    assert "toy:0" in cases.choose_names([], tmp_path, lambda line: None)
    (opened,) = cases.open_case(cases.Case("toy:0", 1, True), tmp_path)
    assert cases.gate(opened, 1).passed
    tables = [
        item for screen in find("ladder").screens(Setting(quick=True)) for item in screen.items
        if isinstance(item, Table)
    ]  # fmt: skip
    assert any(row[0] == "toy:0" for table in tables for row in table.rows)


def test_what_was_opened_for_another_name_is_refused(
    with_toy: toy.Provider, options: tuple[OpenOptions, list[str]]
) -> None:
    for right in ("toy", "toy:0", "toy:", "toy:card"):
        registry.open_named(right, options[0]).close()
    for wrong in ("toy:1", "toy:0:1", "toy:hare"):
        with pytest.raises(BackendUnavailable, match=rf"{wrong} .*toy opened toy:0 instead"):
            registry.open_named(wrong, options[0])


def test_a_stranger_is_used_by_name_only(
    externals: list[EntryPoint], options: tuple[OpenOptions, list[str]]
) -> None:
    externals.append(entry("other", f"{__name__}:PROVIDER"))
    row = registry.probe_all()[-1]
    assert (row.name, row.external, row.rank) == ("other", True, None)
    opened = registry.open_choice([], 1, options[0])
    assert "other" not in [backend.info.name for backend in opened]
    assert any(line.startswith("python, other not used: it is") or
               line.endswith("other not used: it is used by name only")
               for line in options[1])  # fmt: skip
    assert registry.open_named("other", options[0]).info.name == "other"
    with pytest.raises(BackendUnavailable, match=r"other:wrong .*opened other instead"):
        registry.open_named("other:wrong", options[0])
    with pytest.raises(BackendUnavailable, match="RuntimeError: no such thing"):
        registry.open_named("other:raises", options[0])


def test_an_unknown_name_says_what_there_is(options: tuple[OpenOptions, list[str]]) -> None:
    with pytest.raises(BackendUnavailable, match="one of auto, opencl, wgpu, native, hash"):
        registry.open_named("asic", options[0])


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("other", "numbers:Number", "cannot be loaded"),
        ("broken", "no_such_module_at_all:PROVIDER", "no_such_module_at_all"),
        ("numpy", "no_such_module_at_all:PROVIDER", "taken"),
        ("stranger", f"{__name__}:PROVIDER", "other is not named stranger or stranger:DETAIL"),
    ],
)
def test_a_broken_stranger_is_a_row_with_a_reason(
    externals: list[EntryPoint], name: str, value: str, why: str
) -> None:
    externals.append(entry(name, value))
    row = registry.probe_all()[-1]
    assert row.name == name and not row.usable and why in row.why_not


def test_a_named_backend_is_opened_once_per_thread_if_parallel(
    options: tuple[OpenOptions, list[str]],
) -> None:
    opened = registry.open_choice(["numpy", "python"], 3, options[0])
    assert [backend.info.name for backend in opened] == ["numpy"] * 3 + ["python"]
    assert any("numpy" in line and "3 worker" in line for line in options[1])


NATIVE = Candidate("native:portable", CPU, True, rank=0, parallel=True)


def test_auto_asks_no_driver_where_there_is_no_card(
    options: tuple[OpenOptions, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever names a driver, or lists all, has it asked."""
    asked: list[str] = []

    def ask(family: str) -> list[Candidate]:
        asked.append(family)
        return [Candidate(family, GPU, False, "nothing")]

    families = ["opencl", "wgpu"]
    for family in families:
        monkeypatch.setattr(registry.provider(family), "probe", partial(ask, family))
    monkeypatch.setattr(cards, "none_here", lambda: "no card")
    for backend in registry.open_choice([], 1, options[0]):
        backend.close()
    assert asked == [] and "opencl, wgpu not used: no card" in options[1]
    registry.probe_all()
    assert asked == families
    monkeypatch.setattr(cards, "none_here", lambda: "")
    registry.probe_all(for_auto=True)
    assert asked == families * 2


HASHLIB, NUMPY = Candidate("hashlib", CPU, True, rank=1), Candidate("numpy", CPU, True, rank=1)


def test_auto_without_the_best_family_times_two_of_equal_rank(
    options: tuple[OpenOptions, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        Candidate("native", CPU, False, "not built: no compiler", rank=0), HASHLIB, NUMPY,
        Candidate("python", CPU, True),
    ]  # fmt: skip
    monkeypatch.setattr(registry, "probe_all", lambda **_: rows)
    monkeypatch.setattr(registry, "trial_rate", lambda backend: 1e6 * len(backend.info.name))
    opened = registry.open_choice([], 1, options[0])
    assert [backend.info.name for backend in opened] == ["hashlib"]
    assert options[1][:4] == [
        "native not used: not built: no compiler",
        "python not used: it is used by name only",
        "without native hashing will be many times slower than it could be",
        "numpy not used: hashlib is faster here, 7 against 5 MH/s",
    ]


def test_two_ways_to_one_card_are_one_device(
    options: tuple[OpenOptions, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The faster of the two is taken and the other one said."""
    rows = [
        Candidate("one:a", GPU, True, rank=0, card="A", bus="0000:03:00.0"),
        Candidate("two:0", GPU, True, rank=1, card="B", bus="0000:03:00.0"),
        Candidate("two:1", GPU, True, rank=1, card="A", bus="0000:04:00.0"),
    ]
    monkeypatch.setattr(registry, "open_named", lambda name, options: FakeBackend(name))
    monkeypatch.setattr(registry, "trial_rate", lambda backend: 1e6 + ("two" in backend.info.name))
    assert registry.auto(rows, options[0]) == ["two:0", "two:1"]
    assert options[1] == ["one:a not used: two:0 is faster here, 1 against 1 MH/s"]


def test_cards_are_matched_by_model_where_no_address_is_known() -> None:
    """Two equal cards and a third one, by two interfaces."""
    radeon = "AMD Radeon RX 6800"
    rows = [
        Candidate("one:0", GPU, True, rank=0, card=radeon, bus="0000:03:00.0"),
        Candidate("one:1", GPU, True, rank=0, card=radeon, bus="0000:04:00.0"),
        Candidate("two:0", GPU, True, rank=1, card=f"{radeon} (RADV NAVI21)"),
        Candidate("two:1", GPU, True, rank=1, card=f"{radeon} (RADV NAVI21)"),
        Candidate("two:2", GPU, True, rank=1, card="Intel(R) UHD Graphics 770"),
        Candidate("three", GPU, True, rank=2),
    ]
    want = (("one:0", "two:0"), ("one:1", "two:1"), ("two:2",), ("three",))
    assert choose(rows).cards == want


def test_auto_goes_on_without_a_device_that_cannot_be_opened(
    options: tuple[OpenOptions, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for by name it is an error, and so it is when nothing else is left."""
    rows = [Candidate("opencl:amd:0", GPU, True, rank=0), NATIVE]
    monkeypatch.setattr(registry, "probe_all", lambda **_: rows)
    monkeypatch.setattr(registry, "_probe_named", lambda names: rows)

    def opened(name: str, options: OpenOptions) -> Backend:
        if name.startswith("opencl"):
            raise BackendFault(name, "kernel build failed: no registers")
        return PythonBackend()

    monkeypatch.setattr(registry, "open_named", opened)
    assert len(registry.open_choice([], 1, options[0])) == 1
    assert any("no registers" in line and "going on without it" in line for line in options[1])
    for asked in (["opencl:amd:0"], ["auto", "opencl:amd:0"]):
        with pytest.raises(BackendFault, match="no registers"):
            registry.open_choice(asked, 1, options[0])
    rows[1] = Candidate("native:portable", CPU, False, "not built")
    with pytest.raises(BackendFault, match="no registers"):
        registry.open_choice([], 1, options[0])


def test_auto_tells_of_every_row_passed_over(
    options: tuple[OpenOptions, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line a reason, not one a row."""
    rows = [
        Candidate("opencl", GPU, False, "platform 1 fails"), NATIVE,
        Candidate("native:sse2", CPU, True, parallel=True),
        Candidate("native:neon", CPU, False, "not built"),
        Candidate("native:armv8", CPU, False, "not built"), HASHLIB, NUMPY,
    ]  # fmt: skip
    monkeypatch.setattr(registry, "probe_all", lambda **_: rows)
    asked: list[str] = []

    def noted(name: str, options: OpenOptions) -> Backend:
        asked.append(name)
        return PythonBackend()

    monkeypatch.setattr(registry, "open_named", noted)
    registry.open_choice([], 1, options[0])
    assert asked == ["native"]
    assert options[1][:4] == [
        "opencl not used: platform 1 fails",
        "native:neon, native:armv8 not used: not built",
        "native:sse2 not used: native takes its fastest",
        "hashlib, numpy not used: native comes first",
    ]


def test_auto_with_nothing_usable_is_an_error(
    options: tuple[OpenOptions, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [Candidate("native", CPU, False, "gone")]
    monkeypatch.setattr(registry, "probe_all", lambda **_: rows)
    with pytest.raises(BackendUnavailable, match="nothing on this machine"):
        registry.open_choice([], 1, options[0])


def test_a_named_choice_does_not_probe_other_families(
    options: tuple[OpenOptions, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenCL's probe alone may take seconds."""
    asked: list[str] = []
    real = registry.provider

    def noted(family: str) -> Provider:
        asked.append(family)
        return real(family)

    monkeypatch.setattr(registry, "provider", noted)
    for backend in registry.open_choice(["hashlib"], 1, options[0]):
        backend.close()
    assert set(asked) == {"hashlib"}
