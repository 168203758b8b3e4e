"""Files and flags: journals, configuration, cookies."""

import random
import stat
import tempfile
from pathlib import Path

from miner import journal
from miner.errors import ConfigError, MinerError
from miner.run import config
from miner.run.settings import SETTINGS
from miner.transport.credentials import CookieFile
from miner.work.found import Answer
from tests.fakes.broken.targets import Feed, gist
from tests.fakes.found import solo_block

FLAGS = tuple(SETTINGS)


def records(*numbers: int) -> bytes:
    made = []
    for number in numbers:
        block = solo_block(number)
        made.append(journal.encode(journal.found_record("node", block)))
        if number % 2:
            answer = {"answer": Answer.ACCEPTED.value, "reason": ""}
            record: dict[str, object] = {"type": "settled", "hash_hex": block.hash_hex, **answer}
            made.append(journal.encode(record))
    return b"".join(made)


def journal_records(dice: random.Random) -> tuple[list[bytes], Feed]:
    """Whatever stands around it, a whole record of another line survives."""
    kept = solo_block(2**64)
    whole = journal.encode(journal.found_record("node", kept))

    def feed(data: bytes) -> str:
        contents = journal.read(data + b"\n" + whole)
        assert contents.waiting[kept.hash_hex] == kept
        assert len(contents.damaged) <= data.count(b"\n") + 1
        waiting, damaged = len(contents.waiting), len(contents.damaged)
        return f"{min(waiting, 4)} {min(damaged, 4)} {contents.keep}"

    return [records(2), records(1, 2, 3, 4), records(5), b"HHJ1 00000002 a3830abb {}\n"], feed


CONFIG = b"""# every kind of value
pool = ["stratum+tcp://pool.example:3333"]
user = "bob.w1"
backend = ["native:avx2", "opencl"]
threads = 2
throttle = 50
idle = true
block_interval = "500ms"
stop-after = ["10m", "5shares"]
retries = -1
tls_pin = "AA:BB"
tag = "/x/"
"""


def scratch() -> Path:
    """A file of this process alone, in memory where the system has such a place."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="fuzz-", dir=memory if memory.is_dir() else None)
    return Path(folder) / "file"


def config_file(dice: random.Random) -> tuple[list[bytes], Feed]:
    file = scratch()
    file.touch(mode=0o600)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def feed(data: bytes) -> str:
        file.write_bytes(data)
        try:
            settings = config.load({}, {"MINER_CONFIG": str(file)})
        except ConfigError as error:
            text = str(error)
            elsewhere = data.replace(b":pA55@", b"").replace(b'\npassword = ["pA55"]', b"")
            assert "pA55" not in text or b"pA55" in elsewhere
            assert "\n" not in text
            return gist(text.replace(str(file), ""))
        return f"{len(settings.pools)} {len(settings.nodes)}"

    secret = b'node = "http://bob:pA55@localhost:1"\naddress = "%s"\npassword = ["pA55"]\n'
    return [CONFIG, secret % b"bcrt1qlgrnxscelkj7uk4jwj97ykxwda7etsq4jee8hz"], feed


def config_flags(dice: random.Random) -> tuple[list[bytes], Feed]:
    """Each setting given this text, as a flag and as a variable."""

    def feed(data: bytes) -> str:
        name = FLAGS[data[0] % len(FLAGS)] if data else FLAGS[0]
        if name in ("pass_file", "datadir"):
            name = "tag"
        text = data[1:].decode("utf-8", "surrogateescape")
        base = {"pool": ("x:1",), "user": ("u",)}
        try:
            if dice.random() < 0.5:
                config.load({**base, name: (text,) if SETTINGS[name].many else text}, {})
            else:
                config.load(base, {f"MINER_{name.upper()}": text})
        except ConfigError as error:
            assert "\n" not in str(error)
            return f"{name} refused"
        return f"{name} taken"

    texts = (b"1", b"10m", b"0.5", b"native:avx2", b"true", b"/tmp/x", b"http://u:p@h:1",
             b"5shares", b"stratum+ssl://[::1]:3333", b"aa" * 32, b"bob:pw", b"-1")  # fmt: skip
    return [bytes([at]) + text for at in range(len(FLAGS)) for text in texts], feed


def cookie(dice: random.Random) -> tuple[list[bytes], Feed]:
    file = scratch()

    def feed(data: bytes) -> str:
        file.write_bytes(data)
        try:
            header = CookieFile(file).authorization()
        except MinerError as error:
            assert "pA55" not in str(error)
            return gist(str(error).rpartition(": ")[2])
        assert header.startswith("Basic ") and header.isascii() and header.isprintable()
        return "taken"

    return [b"__cookie__:pA55word", b"user:pA55\n", b"", b"no colon"], feed
