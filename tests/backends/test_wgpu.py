"""The WebGPU family: what it says where it cannot run, its faults, its edges, its tuning.

Hashing itself is the common suite's, on Mesa's software Vulkan in CI.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from miner.backends import child, gpu_tune, kernel_file, registry, selftest, speed
from miner.backends import wgpu as family
from miner.backends.base import Kind, OpenOptions
from miner.backends.child import Told
from miner.backends.choice import choose
from miner.backends.gpu_tune import Tuning
from miner.backends.selftest import GENESIS, Question
from miner.backends.wgpu import drivers
from miner.errors import BackendFault, BackendUnavailable

ROWS = [row for row in family.PROVIDER.probe() if row.usable]
needs_adapter = pytest.mark.skipif(
    not ROWS, reason="; ".join(row.why_not for row in family.PROVIDER.probe())
)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Told]]:
    """What the helper process tells, in place of the real one."""
    answers: list[Told] = []
    monkeypatch.setattr(child, "ask", lambda module, env=None: answers[-1])
    drivers.probe.cache_clear()
    yield answers
    drivers.probe.cache_clear()


def adapter(number: int, kind: Kind, auto: bool, card: str = "A card") -> dict[str, object]:
    return {"name": f"wgpu:{number}", "kind": kind.value, "auto": auto, "detail": f"GPU {card}",
            "card": card, "bus": ""}  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Told(failed="ModuleNotFoundError: No module named 'wgpu'"), "pip install wgpu"),
        (Told(), r"no adapter found: no Vulkan.*apt install mesa-vulkan-drivers"),
        (Told(failed="no answer in 20 s"), "listing fails: no answer in 20 s"),
        (Told((adapter(0, Kind.GPU, True),), "status -11", 11), "crashed with signal 11"),
        (Told(failed="OSError: libwgpu_native.so: bad ELF"), "listing fails: OSError"),
    ],
)
def test_what_is_missing_is_one_row_and_no_driver_is_loaded(
    told: list[Told], tmp_path: Path, answer: Told, why: str
) -> None:
    told.append(answer)
    (row,) = family.PROVIDER.probe()
    assert row.name == "wgpu" and not row.usable
    for name in ("wgpu", "wgpu:0"):
        with pytest.raises(BackendUnavailable, match=why):
            family.PROVIDER.open(name, OpenOptions(tmp_path))
        with pytest.raises(BackendUnavailable, match=why):
            family.PROVIDER.tune(name, OpenOptions(tmp_path), 1.0)


def test_software_is_by_name_only_and_two_cards_of_one_name_are_two(told: list[Told]) -> None:
    rows = (
        adapter(0, Kind.CPU, False), adapter(1, Kind.GPU, True), adapter(2, Kind.GPU, True),
        adapter(3, Kind.GPU, False),
    )  # fmt: skip
    told.append(Told(rows))
    found = choose(family.PROVIDER.probe())
    assert found.cards == (("wgpu:1",), ("wgpu:2",))
    assert found.passed == dict.fromkeys(("wgpu:0", "wgpu:3"), "it is used by name only")


def test_without_the_library_every_command_works(tmp_path: Path) -> None:
    """The real helper, with an import that fails."""
    (tmp_path / "wgpu.py").write_text("raise ImportError(\"No module named 'wgpu'\")\n")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "miner", "devices", "--json"], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, check=True, timeout=120,
    )  # fmt: skip
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    (row,) = (row for row in rows if row["name"].startswith("wgpu"))
    assert not row["usable"] and "pip install wgpu" in row["why_not"]


@needs_adapter
def test_a_headless_computer_hears_nothing() -> None:
    """No display, no runtime folder; drivers would complain on stderr."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    env.pop("DISPLAY", None)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "miner", "grind", "--backend", "wgpu",
         "00" * 72 + "ffff7f20" + "00" * 4],
        capture_output=True, text=True, env=env, check=True, timeout=120,
    )  # fmt: skip
    assert done.stderr == ""


@needs_adapter
def test_without_a_vulkan_driver_there_is_a_row() -> None:
    env = {**os.environ, "VK_ICD_FILENAMES": "/nowhere", "VK_DRIVER_FILES": "/nowhere"}
    code = "from miner.backends.wgpu import PROVIDER\nprint(PROVIDER.probe()[0].why_not)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, env=env, timeout=60
    )
    assert done.stdout.startswith("no adapter found"), done.stderr


@needs_adapter
@pytest.mark.parametrize("library", [b"", b"no library"])
def test_without_a_vulkan_loader_there_is_a_row(tmp_path: Path, library: bytes) -> None:
    (tmp_path / "libvulkan.so.1").write_bytes(library)
    env = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    code = "from miner.backends.wgpu import PROVIDER\nprint(PROVIDER.probe()[0].why_not)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, env=env, timeout=60
    )
    assert done.stdout.startswith("no adapter found") and done.stderr == ""


GRIND = (sys.executable, "-P", "-m", "miner", "grind", "--backend", "wgpu:0",
         "00" * 72 + "ffff7f20" + "00" * 4)  # fmt: skip
NULL_DRIVERS = sorted(Path("/usr/share/vulkan/icd.d").glob("radeon_icd*.json"))


@needs_adapter
def test_an_old_driver_is_enough() -> None:
    """Mesa can say that it knows Vulkan 1.0 alone."""
    env = {**os.environ, "MESA_VK_VERSION_OVERRIDE": "1.0"}
    done = subprocess.run(GRIND, capture_output=True, text=True, env=env, timeout=120)
    assert (done.returncode, done.stderr) == (0, "") and len(done.stdout.strip()) == 160


@pytest.mark.skipif(not NULL_DRIVERS, reason="no Mesa driver for AMD: its null device is the card")
def test_a_card_that_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    """Mesa lists a card that is not there; opening it fails as a lost device does."""
    env = {**os.environ, "RADV_FORCE_FAMILY": "navi21", "MINER_HOME": str(tmp_path)}
    env |= dict.fromkeys(("VK_ICD_FILENAMES", "VK_DRIVER_FILES"), str(NULL_DRIVERS[0]))
    done = subprocess.run(GRIND, capture_output=True, text=True, env=env, timeout=120)
    assert done.returncode == 4 and done.stdout == ""
    *_, last = done.stderr.splitlines()
    assert last.startswith("miner: backend wgpu:0 failed: ") and "lost" in last


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Any]:
    backend = family.PROVIDER.open(ROWS[0].name, OpenOptions(tmp_path))
    yield backend
    backend.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """For tests that leave it as it was."""
    backend = family.PROVIDER.open(ROWS[0].name, OpenOptions(tmp_path_factory.mktemp("cache")))
    yield backend
    backend.close()


@needs_adapter
def test_overflow_is_asked_again_in_halves(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel counts candidates that it cannot store; none is lost."""
    from miner.backends.wgpu import device

    monkeypatch.setattr(device, "CAPACITY", 16)  # the kernel stores no more: its constant
    question = Question(GENESIS[:76], (1, 2, 3), 2**253, 7, 500)
    assert selftest.scan_all(opened, question) == question.answer()


@needs_adapter
def test_after_closing_a_scan_is_a_fault(opened: Any) -> None:
    opened.close()
    with pytest.raises(BackendFault, match="it was closed"):
        opened.scan(Question(GENESIS[:76], (1,), 0, 0, 8), 0, 8)


@needs_adapter
def test_a_lost_device_is_a_fault_and_can_be_opened_anew(opened: Any, tmp_path: Path) -> None:
    opened._session._device.destroy()
    with pytest.raises(BackendFault, match=ROWS[0].name):
        opened.scan(Question(GENESIS[:76], (1,), 0, 0, 8), 0, 8)
    registry.open_named(ROWS[0].name, OpenOptions(tmp_path)).close()


@needs_adapter
def test_a_launch_that_never_ends_is_a_fault_and_holds_nobody_up(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end is never told. Closing does not wait for it either."""
    from miner.backends.wgpu import device

    never = SimpleNamespace(_thread_event=threading.Event())
    for slot in opened._session._slots:
        monkeypatch.setattr(slot.read, "map_async", lambda mode: never)
    monkeypatch.setattr(device, "COMPILE_S", 0.05)
    unit = Question(GENESIS[:76], (1,), 0, 0, 0)
    with pytest.raises(BackendFault, match=r"hangs: a launch has not ended after 0\.05 s"):
        opened.scan(unit, 0, 8)
    with pytest.raises(BackendFault, match="launch failed"):
        opened.scan(unit, 0, 8)
    opened.close()
    registry.open_named(ROWS[0].name, OpenOptions(tmp_path)).close()  # anew, as the engine does


@needs_adapter
def test_the_device_times_its_own_launches(shared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts as work lies inside the scan; without a clock nothing is claimed."""
    unit = Question(GENESIS[:76], (1,), 0, 0, 0)
    shared.scan(unit, 0, 1 << 14)  # the driver compiles
    before, begun = shared.busy_s, time.monotonic()
    shared.scan(unit, 0, 1 << 18)
    assert 0 < shared.busy_s - before < time.monotonic() - begun
    monkeypatch.setattr(shared._session, "_tick_ns", 0.0)
    assert shared.busy_s is None


def test_the_search_follows_the_best() -> None:
    tune = pytest.importorskip("miner.backends.wgpu.tune")
    results: list[Tuning] = []
    for shape in tune.candidates(results):
        rate = shape.group * shape.nonces * (3 if shape.unroll == 2 else 1)
        results.append(Tuning(shape, rate, rate, 1))
    seen = [(one.shape.group, one.shape.nonces, one.shape.unroll) for one in results]
    assert len(set(seen)) == len(seen)
    assert seen[0] == (64, 32, 1) and seen[-1] == (256, 64, 2)


@needs_adapter
def test_a_device_without_memory_is_a_fault(shared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**what: object) -> None:
        raise wgpu.GPUOutOfMemoryError("Not enough memory left.")

    wgpu = pytest.importorskip("wgpu")
    with monkeypatch.context() as refused:
        refused.setattr(shared._session._device, "create_buffer_with_data", refuse)
        with pytest.raises(BackendFault, match=r"out of memory: Not enough memory left\."):
            shared.scan(Question(GENESIS[:76], (77,), 0, 0, 0), 0, 8)
    assert shared.scan(Question(GENESIS[:76], (77,), 0, 0, 0), 0, 8).hashes >= 8


@needs_adapter
@pytest.mark.parametrize("source", ["fn nonsense", "@compute @workgroup_size(1) fn other() {}"])
def test_a_refused_shader_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    monkeypatch.setattr(kernel_file, "read", lambda *_: source)
    with pytest.raises(BackendFault, match=r"cannot be opened|kernel build failed"):
        registry.open_named(ROWS[0].name, OpenOptions(tmp_path))


@needs_adapter
def test_a_kernel_that_answers_wrong_is_found_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    right = kernel_file.read(drivers.FAMILY, drivers.KERNEL)
    wrong = right.replace("0x90befffa", "0x90befffb")
    assert wrong != right
    monkeypatch.setattr(kernel_file, "read", lambda *_: wrong)
    with pytest.raises(BackendFault, match="self-test"):
        registry.open_named(ROWS[0].name, OpenOptions(tmp_path))


@needs_adapter
def test_names_reach_an_adapter_or_are_refused(tmp_path: Path) -> None:
    options = OpenOptions(tmp_path)
    model = ROWS[0].card.split()[0].lower()
    for name in ("wgpu", "wgpu:0", f"wgpu:{model}"):
        registry.open_named(name, options).close()
    with pytest.raises(BackendUnavailable, match=r"no such adapter; there is wgpu:0"):
        registry.open_named("wgpu:77", options)


@needs_adapter
@pytest.mark.parametrize(
    ("group", "nonces", "unroll"),
    [(1, 1, 1), (7, 2, 1), (64, 64, 1), (256, 16, 1), (1, 1, 2), (7, 2, 2), (64, 64, 2)],
)
def test_every_shape_is_exact(group: int, nonces: int, unroll: int) -> None:
    from miner.backends.wgpu import listing, tune
    from miner.backends.wgpu.device import Shape

    shape = Shape(group, nonces, unroll)
    backend = tune.open_with(listing.find(ROWS[0].name), shape)
    for versions in (1, shape.wide, shape.wide + 1):
        asked = tuple(1 + (step << 13) for step in range(versions))
        for start, count in ((0, 70), (2**32 - 33, 33), (61, 5)):
            question = Question(GENESIS[:76], asked, 2**250, start, count)
            assert selftest.scan_all(backend, question) == question.answer()
    backend.close()


@needs_adapter
@pytest.mark.parametrize("shape", [(0, 32), (257, 32), (64, 128), (64, 3), (64.0, 32), (64, 32, 3)])
def test_an_impossible_shape_is_refused(shape: tuple[Any, ...]) -> None:
    from miner.backends.wgpu.device import Shape

    with pytest.raises(ValueError, match=r"shape|group|nonces|unroll"):
        Shape(*shape)


@needs_adapter
def test_a_gpu_is_tuned_once_at_first_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The software adapter passes for a GPU; the second opening finds what the first stored."""
    from miner.backends.wgpu import listing, tune
    from miner.backends.wgpu.device import Shape

    monkeypatch.setattr(listing.Found, "kind", property(lambda self: Kind.GPU))
    shapes = (Shape(32, 16), Shape(64, 16))
    monkeypatch.setattr(tune, "candidates", lambda results: iter(shapes))
    monkeypatch.setattr(gpu_tune, "SAMPLE_S", 0.01)
    said: list[str] = []
    options = OpenOptions(tmp_path, said.append)
    monkeypatch.setenv("MINER_TUNE", "0")
    family.PROVIDER.open(ROWS[0].name, options).close()
    assert said == []
    monkeypatch.delenv("MINER_TUNE")
    for _ in range(2):
        backend: Any = family.PROVIDER.open(ROWS[0].name, options)
        assert backend._session.shape in shapes
        backend.close()
    assert len(said) == 3 and "MINER_TUNE=0 skips that" in said[0]
    assert "32 invocations x 16 nonces" in said[1]
    (tmp_path / tune.FILE).write_text('{"x": 1')
    assert tune.load(listing.find(ROWS[0].name), tmp_path) is None


@needs_adapter
def test_a_shape_that_answers_wrong_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from miner.backends.wgpu import listing, tune
    from miner.backends.wgpu.device import Shape

    liar, honest = Shape(32, 16), Shape(64, 16)
    real = tune.open_with

    def sometimes(found: Any, shape: Shape, single_cost: float = 1.2) -> Any:
        backend = real(found, shape, single_cost)
        if shape == liar:
            scan = backend.scan
            backend.scan = lambda *args: replace(scan(*args), hits=())  # type: ignore[method-assign]
        return backend

    monkeypatch.setattr(tune, "open_with", sometimes)
    monkeypatch.setattr(tune, "candidates", lambda results: iter((liar, honest)))
    monkeypatch.setattr(gpu_tune, "SAMPLE_S", 0.01)
    said: list[str] = []
    won = tune.tune(listing.find(ROWS[0].name), tmp_path, said.append)
    assert (won.shape, won.tried) == (honest, 1)
    assert "passed over" in said[0] and "self-test" in said[0]


@needs_adapter
def test_launches_stay_within_what_a_dispatch_may_hold(
    shared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A very fast device and an easy unit: never more than 65,535 workgroups in a row."""
    monkeypatch.setattr(shared, "_rate_hs", 1e15)
    count = shared._step(5, 2**32, 1, 0xFFFFFFFF)
    session = shared._session
    for single in (False, True):
        from miner.backends.gpu_work import Slice

        assert max(session._groups(Slice(0, 1, single), 5, count)) <= 65535


@needs_adapter
def test_it_is_timed_like_any_other(shared: Any) -> None:
    assert speed.Timing(shared).sample(0.05) > 1e5
