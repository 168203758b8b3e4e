"""Output nobody takes: it costs lines, never the mining nor the stop."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Command, Start
from tests.fakes.pool import FakePool
from tests.faults import fault

if sys.platform == "win32":
    pytest.skip("file descriptors and signals as on POSIX", allow_module_level=True)

STOP_S = 4.0  # of a goal of 2 s: the machine may be busy
Shell = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def pool() -> Iterator[FakePool]:
    with FakePool(difficulty="1e-6") as made:
        yield made


@pytest.fixture
def shell(home: Path) -> Iterator[Shell]:
    """`miner mine` on a pool, its streams as a shell's redirections say."""
    started: list[subprocess.Popen[str]] = []

    def start(
        pool: FakePool, redirect: str, *flags: str, **streams: int
    ) -> "subprocess.Popen[str]":
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MINER_")}
        mine = ["mine", "--pool", pool.url, "--user", "u", "--backend", "hashlib", *flags]
        process = subprocess.Popen(
            ["sh", "-c", f'exec "$0" "$@" {redirect}', sys.executable, "-P", "-m", "miner", *mine],
            text=True,
            env={**environment, "MINER_HOME": str(home), "MINER_IDLE": "no"},
            stdout=streams.get("stdout", subprocess.PIPE),
            stderr=streams.get("stderr", subprocess.PIPE),
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=10)


def stop(process: "subprocess.Popen[str]", number: int = signal.SIGTERM) -> str:
    """End it by a signal, in time and without a traceback; all it said."""
    began = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - began < STOP_S
    assert "Traceback" not in (out or "") + (err or "")
    assert process.returncode == 0
    return (out or "") + (err or "")


@pytest.mark.parametrize(
    "redirect",
    [">/dev/full", "2>/dev/full", ">/dev/full 2>&1", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"],
)
@pytest.mark.parametrize("flags", [(), ("--json",)])
@fault("P04")
def test_output_that_cannot_be_written_does_not_end_the_mining(
    shell: Shell, pool: FakePool, redirect: str, flags: tuple[str, ...]
) -> None:
    if "full" in redirect and not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    process = shell(pool, redirect, *flags)
    pool.wait(lambda: len(pool.shares()) > 30, 30)
    text = stop(process)
    assert not pool.shares(accepted=False)
    if redirect == ">/dev/full" and not flags:
        assert "output is lost: No space left on device; mining goes on" in text


@fault("P14")
def test_a_closed_stream_is_no_place_for_the_journal(shell: Shell, pool: FakePool) -> None:
    """Whatever a library prints to descriptor 1 or 2 must not go into the next file opened."""
    process = shell(pool, "<&- >&- 2>&-")
    pool.wait(lambda: len(pool.shares()) > 3, 30)
    if not Path("/proc/self/fd").exists():
        pytest.skip("no /proc here")
    opened = [os.readlink(f"/proc/{process.pid}/fd/{number}") for number in (0, 1, 2)]
    assert opened == ["/dev/null"] * 3
    stop(process)


@pytest.mark.parametrize("flags", [(), ("--json",)])
@fault("P01")
def test_a_pipe_nobody_reads_does_not_hold_up_the_stop(
    shell: Shell, pool: FakePool, flags: tuple[str, ...]
) -> None:
    """As does a terminal on hold (Ctrl-S): the main thread is stuck in a write."""
    import fcntl

    reader, writer = os.pipe()
    fcntl.fcntl(writer, getattr(fcntl, "F_SETPIPE_SZ", 1031), 4096)
    try:
        process = shell(pool, "", *flags, stdout=writer, stderr=writer)
        pool.wait(lambda: len(pool.shares()) > 300, 60)  # some 90 bytes a line
        stop(process)
        assert not pool.shares(accepted=False)
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("flags", [(), ("--json",)])
@fault("P04")
def test_a_reader_that_leaves_ends_the_run_with_an_error(
    shell: Shell, pool: FakePool, home: Path, flags: tuple[str, ...]
) -> None:
    """As `miner mine | head` does: a supervisor sees exit code 1 and starts it again."""
    reader, writer = os.pipe()
    process = shell(pool, "", *flags, stdout=writer)
    os.close(writer)
    pool.wait(lambda: len(pool.shares()) > 3, 30)
    os.close(reader)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    lines = [line for line in err.splitlines() if line.startswith("miner: ")]
    assert lines == ["miner: whoever read the output has left (broken pipe); start miner again"]
    assert "Traceback" not in err
    assert not list((home / "state" / "journal").iterdir())  # closed properly: none is left


@fault("P01")
def test_a_closed_terminal_stops_it_like_a_signal(miner: Start, pool: FakePool) -> None:
    command = miner("mine", "--pool", pool.url, "--user", "u", "--backend", "hashlib")
    pool.wait(lambda: len(pool.shares()) > 3, 30)
    assert command.stop(signal.SIGHUP) == 0
    assert "stopped by a signal" in command.text


@fault("P01")
def test_nohup_is_honoured(home: Path, pool: FakePool) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # inherited by what is started
    try:
        command = Command(home, "mine", "--pool", pool.url, "--user", "u", "--backend", "hashlib")
    finally:
        signal.signal(signal.SIGHUP, before)
    pool.wait(lambda: len(pool.shares()) > 3, 30)
    command.process.send_signal(signal.SIGHUP)
    shares = len(pool.shares())
    pool.wait(lambda: len(pool.shares()) > shares + 20, 30)
    assert command.stop() == 0


@fault("P12")
def test_words_a_terminal_cannot_show_end_nothing(miner: Start, pool: FakePool) -> None:
    """A block's verdict goes to stdout with the pool's own reason in it."""
    pool.nbits = "207fffff"
    pool.new_job()
    pool.on["mining.submit"] = lambda connection, message: connection.reply(
        message, None, [20, "непринято ▲", None]
    )
    command = miner(
        *("mine", "--pool", pool.url, "--user", "u", "--backend", "hashlib"),
        PYTHONIOENCODING="ascii",
    )
    command.until("rejected")
    pool.wait(lambda: len(pool.connections[0].received) > 8, 30)
    assert "\\u25b2" in command.until("\\u25b2")
    assert command.stop() == 0
