"""Files that a person names: a pipe or device neither hangs the command nor fills its memory."""

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from miner import baseline, files
from miner.errors import ConfigError
from miner.gap import csvfile
from miner.measure import store
from miner.run import config
from tests.faults import fault

if sys.platform == "win32":
    pytest.skip("named pipes as on POSIX", allow_module_level=True)

POOL = {"pool": ("a:1",), "user": ("u",)}


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@fault("P16")
def test_a_pipe_is_no_config(pipe: Path) -> None:
    with pytest.raises(ConfigError, match="is a named pipe, not a file"):
        config.load({}, {}, pipe)


@fault("P16")
def test_a_device_or_folder_is_no_config(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="/dev/zero: is a device, not a file"):
        config.load({}, {"MINER_CONFIG": "/dev/zero"})
    with pytest.raises(ConfigError, match="Is a directory"):
        config.load({}, {}, tmp_path)


@fault("P16")
def test_a_pipe_is_no_baseline(home: Path) -> None:
    (home / "state").mkdir(parents=True)
    os.mkfifo(home / "state" / baseline.FILE)
    assert baseline.load(home / "state") == []


@fault("P16")
def test_a_pipe_is_no_result_and_no_table(pipe: Path) -> None:
    with pytest.raises(ConfigError, match="is a named pipe"):
        store.load(pipe)
    with pytest.raises(ConfigError, match="is a named pipe"):
        csvfile.own(pipe)


def test_a_file_is_read_whole_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    assert files.read(path, 100) == b"x" * 100
    with pytest.raises(OSError, match="is larger than 99 bytes"):
        files.read(path, 99)


@fault("P16")
def test_a_password_may_come_through_a_pipe(pipe: Path) -> None:
    """As `--pass-file <(pass show pool)` gives it: late, and with more lines behind it."""

    def write() -> None:
        with pipe.open("wb", buffering=0) as stream:
            stream.write(b"wo")
            time.sleep(0.1)
            stream.write(b"rd-of-mine\nanother line\n")

    writer = threading.Thread(target=write)
    writer.start()
    got = config.load({**POOL, "pass_file": str(pipe)}, {})
    writer.join(5.0)
    assert got.pools[0].password is not None
    assert got.pools[0].password.reveal() == "word-of-mine"


@fault("P16")
def test_a_password_that_does_not_come_is_not_waited_for(
    pipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "PASSWORD_WAIT_S", 0.2)
    with pytest.raises(ConfigError, match=r"--pass-file .*pipe: gave no line within 0\.2 s"):
        config.load({**POOL, "pass_file": str(pipe)}, {})


@pytest.mark.parametrize("device", ["/dev/zero", "long"])
@fault("P16")
def test_a_password_has_at_most_4_kib(device: str, tmp_path: Path) -> None:
    path = Path(device)
    if device == "long":
        path = tmp_path / "long"
        path.write_bytes(b"x" * 5000 + b"\n")
    with pytest.raises(ConfigError, match="has more than 4096 bytes in its first line"):
        config.load({**POOL, "pass_file": str(path)}, {})
