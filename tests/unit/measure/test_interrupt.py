"""Ctrl-C may come at any moment, also while the threads of a slice are being started."""

import threading
from collections.abc import Callable

import pytest

from miner.backends.hashlib import HashlibBackend
from miner.measure import cases
from miner.measure.threads import Threads


def hurried(call: Callable[[], None]) -> None:
    """It must come back, and without an error of ours."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except RuntimeError as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive(), "it hangs"
    assert not failed, failed


@pytest.mark.parametrize("started", [0, 1, 2])
def test_threads_that_were_never_started_are_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, started: int
) -> None:
    """The first of three waited for the others for ever; one not started raised RuntimeError."""
    threads = Threads([HashlibBackend() for _ in range(3)], cases.job(7, rolling=False), wants=1)
    whole, count = threading.Thread.start, 0

    def start(thread: threading.Thread) -> None:
        nonlocal count
        if count == started:
            raise KeyboardInterrupt
        count += 1
        whole(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(KeyboardInterrupt):
            threads.run(0.05)
    hurried(threads.close)
