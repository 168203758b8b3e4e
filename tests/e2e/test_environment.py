"""Surroundings no command expects: no home, no folder, a full disk for an output, strange words."""

import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from miner import paths
from miner.bitcoin.address import p2wsh_address
from miner.cli import main as entry
from tests.e2e.conftest import Start
from tests.faults import fault

NODE = ("--node", "http://127.0.0.1:1", "--address", p2wsh_address(b"\x51", "regtest"))


def end(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str]:
    """Exit code and stderr of a command in this process."""
    before, sys.argv = sys.argv, ["miner", *arguments]
    try:
        with pytest.raises(SystemExit) as ended:
            entry.main()
    finally:
        sys.argv = before
    return ended.value.code, capfd.readouterr().err


@pytest.mark.parametrize("command", [("mine",), ("mine", *NODE), ("hardware",), ("devices",)])
@fault("P16")
def test_a_user_without_a_home_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    """A service of systemd, for one: HOME is not set and its user is in no list."""

    def homeless(_: str) -> str:
        raise RuntimeError("could not determine the home directory for '~/.config'")

    monkeypatch.delenv("MINER_HOME", raising=False)
    for name in ("config", "state", "cache"):
        monkeypatch.setattr(platformdirs, f"user_{name}_dir", homeless)
    with pytest.raises(paths.NoHome):
        paths.state_dir()
    code, told = end(capfd, *command)
    if command[0] != "devices" or code:  # which needs no folder where nothing is built
        assert (code, told) == (2, "miner: this user has no home folder: set HOME, or MINER_HOME\n")


@fault("P16")
def test_a_version_in_the_environment_is_not_a_flag(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Containers like to set MINER_VERSION."""
    monkeypatch.setenv("MINER_VERSION", "1.2.3")
    assert end(capfd, "explain", "nonce") == (0, "")


@fault("P14")
def test_a_login_that_is_no_text_is_refused_unseen(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("MINER_HOME", str(tmp_path))
    monkeypatch.setenv("MINER_RPC_USER", "u")
    monkeypatch.setenv("MINER_RPC_PASSWORD", os.fsdecode(b"hunter2\xff"))
    code, told = end(capfd, "mine", *NODE, "--retries", "0", "--backend", "hashlib")
    assert (code, "not UTF-8" in told, "hunter2" in told) == (2, True, False)


@pytest.mark.parametrize("command", ["mine", "doctor"])
@fault("P16")
def test_a_password_that_nobody_types_is_asked_for_once(miner: Start, command: str) -> None:
    """Without a terminal the run ended before it began, with exit code 0."""
    asked = miner(command, "--pool", "127.0.0.1:1", "--user", "u", "--ask-password")
    assert asked.end() == 2
    assert "no password came" in asked.err[-1]


@pytest.mark.parametrize("folder", ["x" * 300, "~nobody-here/x", "/dev/null/x"])
@pytest.mark.parametrize("command", ["mine", "node"])
@fault("P16")
def test_an_impossible_datadir_is_one_line(miner: Start, command: str, folder: str) -> None:
    pytest.importorskip("pbk", reason="no kernel wheel for this Python")
    refused = miner(command, "--datadir", folder)
    assert refused.end() in (1, 2)
    assert refused.err[-1].startswith("miner: ")
    assert folder[:200] in refused.err[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be removed there")
@fault("P16")
def test_a_working_folder_that_is_gone_is_one_line(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("pbk", reason="no kernel wheel for this Python")
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f'cd "{gone}" && rmdir "{gone}" && exec "$0" -P -m miner mine --datadir here'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "MINER_HOME": str(home)},
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "miner: node folder here: No such file or directory"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("command", ["devices", "hardware", "explain nonce", "--help", "node"])
@fault("P04")
def test_a_full_disk_behind_stdout_is_one_line(home: Path, command: str) -> None:
    if command == "node":
        pytest.importorskip("pbk", reason="no kernel wheel for this Python")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "miner", *command.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            env={**os.environ, "MINER_HOME": str(home)},
        )
    assert done.returncode == 1
    last = "miner: the output cannot be written: No space left on device"
    assert done.stderr.splitlines()[-1] == last
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero here")
@pytest.mark.parametrize("command", ["gap --from", "bench --verify"])
@fault("P16")
def test_a_result_without_end_is_refused(home: Path, miner: Start, command: str) -> None:
    refused = miner(*command.split(), "/dev/zero")
    assert refused.end() == 2
    assert "is a device, not a file" in refused.err[-1]
