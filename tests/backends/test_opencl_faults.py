"""The OpenCL backend when a driver fails: builds, launches that hang or are lost, wrong answers."""

import threading
from pathlib import Path

import pytest

from miner.backends import selftest
from miner.backends.opencl.work import Shape, kernel_source
from miner.backends.selftest import scan_all
from miner.errors import BackendFault
from tests.backends.opencl_kit import needs_device, open_with, question


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("opencl")


@needs_device
def test_a_kernel_that_does_not_build_shows_the_log(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from miner.backends.opencl import device as opencl_device

    monkeypatch.setattr(opencl_device, "kernel_source", lambda: "__kernel void x() { nonsense; }")
    backend = open_with(Shape(4, 4, 1), cache)
    with pytest.raises(BackendFault, match=r"kernel build failed: .*nonsense") as caught:
        backend.scan(question(1, 0, 0, 1), 0, 1)
    assert "\n" not in str(caught.value)


@needs_device
def test_a_hang_is_a_fault(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from miner.backends.opencl import device as opencl_device

    backend = open_with(Shape(4, 4, 1), cache)
    backend.scan(question(1, 0, 0, 1), 0, 1)
    monkeypatch.setattr(opencl_device, "COMPILE_S", 0.0)
    backend._rate_hs = 3e7  # so that the launch is long enough to be seen unfinished
    with pytest.raises(BackendFault, match="hangs: a launch has not ended after 0 s"):
        backend.scan(question(1, 0, 0, 1), 0, 1 << 24)
    monkeypatch.undo()
    again = open_with(Shape(4, 4, 1), cache)
    selftest.check(again)


@needs_device
def test_a_launch_that_has_ended_leaves_nothing_behind(cache: Path) -> None:
    """A day has millions of them."""
    backend = open_with(Shape(4, 4, 1), cache)
    for start in range(0, 64, 16):
        backend.scan(question(9, 2**253, start, 16), start, 16)
    assert backend._session._flying == []
    backend.close()


@needs_device
def test_a_driver_that_does_not_call_back_is_asked(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Deaf(threading.Event):
        def set(self) -> None:
            pass

    monkeypatch.setattr(threading, "Event", Deaf)
    backend = open_with(Shape(4, 4, 1), cache)
    asked = question(5, 2**253, 0, 64)
    assert scan_all(backend, asked) == asked.answer()
    backend.close()


@needs_device
@pytest.mark.parametrize("call", ["enqueue_nd_range_kernel", "enqueue_copy", "Buffer"])
def test_a_lost_device_is_a_fault_and_can_be_opened_anew(
    cache: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """The driver fails in the middle of mining; a new context works as if nothing had been."""
    import pyopencl as cl

    backend = open_with(Shape(4, 4, 1), cache)
    asked = question(4, 2**253, 0, 64)
    backend.scan(asked, 0, 64)

    def lost(*_: object, **__: object) -> None:
        raise cl.RuntimeError("clEnqueue failed: OUT_OF_RESOURCES\n(the GPU fell off the bus)")

    other = question(5, 2**253, 0, 64)
    monkeypatch.setattr(cl, call, lost)
    with pytest.raises(BackendFault) as caught:
        backend.scan(other, 0, 64)
    monkeypatch.undo()
    assert "OUT_OF_RESOURCES (the GPU fell off the bus)" in str(caught.value)
    again = open_with(Shape(4, 4, 1), cache)
    assert scan_all(again, other) == other.answer()


@needs_device
def test_closing_twice_does_nothing_and_a_scan_after_it_is_a_fault(cache: Path) -> None:
    backend = open_with(Shape(4, 4, 1), cache)
    asked = question(1, 0, 0, 1)
    backend.scan(asked, 0, 1)
    backend.close()
    backend.close()
    with pytest.raises(BackendFault, match="it was closed"):
        backend.scan(asked, 0, 1)


@needs_device
def test_wrong_answers_do_not_pass_the_self_test(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel with one wrong constant: opening must fail."""
    from miner.backends.opencl import device as opencl_device

    right = kernel_source()
    monkeypatch.setattr(
        opencl_device, "kernel_source", lambda: right.replace("0x90befffa", "0x90befffb")
    )
    with pytest.raises(BackendFault, match="self-test"):
        selftest.check(open_with(Shape(4, 4, 1), cache))
