"""A learner's file may do anything: the judge gets its answer in time, and says one thing."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from miner.errors import ConfigError
from miner.learn import attempt, marking
from miner.learn.candidate import Foreign, decode, encode
from miner.learn.exercises import find
from miner.learn.voice import voice

TARGET = find("target")
SHORT_S = 0.7
GOOD = TARGET.solution
SAY = voice("en").say


def tried(tmp_path: Path, source: str | bytes, seconds: float = 8.0) -> marking.Report:
    path = tmp_path / "mine.py"
    path.write_bytes(source if isinstance(source, bytes) else source.encode())
    return marking.try_file(TARGET, path, seconds)


BODY = "import os, sys\ndef target(nbits):\n    "
# What is wrong with a file, a word of what is told, and the key of the hint.
ABUSES = {
    "os._exit": (BODY + "os._exit(3)", "exit code 3", "exit"),
    "sys.exit": (BODY + "sys.exit()", "SystemExit", "exit"),
    "exit at once": ("import sys\nsys.exit(2)", "in line 2: sys.exit(2)", "exit"),
    "recursion": (BODY + "return target(nbits)", "RecursionError", "recursion"),
    "stdin": (BODY + "return int(input('number? '))", "EOFError", "input"),
    "memory": (BODY + "return len(bytearray(10**11))", "MemoryError", "memory"),
    "fork": (BODY + "return os.fork()", "os.fork", "others"),
    "system": (BODY + "return os.system('true')", "os.system", "others"),
    "kill": (BODY + "os.kill(os.getppid(), 9)", "os.kill", "others"),
    "process": ("import subprocess\nsubprocess.run(['true'])", "subprocess.Popen", "others"),
    "crash": ("import ctypes\ndef target(nbits):\n    ctypes.string_at(0)", "signal 11", "signal"),
    "syntax": ("def target(nbits:\n", "'(' was never closed", "syntax"),
    "tabs": ("def target(n):\n\tx = 1\n        return x", "TabError", "syntax"),
    "zero bytes": (b"\0" + GOOD.encode(), "null bytes", "utf8"),
    "UTF-16": (GOOD.encode("utf-16"), "null bytes", "utf8"),
    "not UTF-8": ("target = 'gr\xfc\xdf'\n".encode("latin-1"), "SyntaxError", "utf8"),
    "no module": ("import bitcoinlib2\n", "bitcoinlib2", "module"),
    "arguments": ("def target(a, b): return a", "missing 1 required", "arguments"),
    "nothing": ("", "defines no function target(nbits: int) -> int", ""),
    "no function": ("target = 5", "defines no function", ""),
    "index": (BODY + "return [][nbits]", "IndexError: list index out of range\nin line 3", ""),
}


@pytest.mark.parametrize(("source", "told", "hint"), ABUSES.values(), ids=ABUSES)
def test_what_goes_wrong_is_told(tmp_path: Path, source: str | bytes, told: str, hint: str) -> None:
    wrong = tried(tmp_path, source).wrong
    assert wrong is not None and wrong.raised and told in wrong.answer
    key = f"ex_hint_{hint}"
    assert wrong.hint == (SAY(key, function=TARGET.task.signature) if hint else "")


@pytest.mark.parametrize(
    "source",
    [
        "while True: pass", BODY + "while True: pass", BODY + "return 7**50_000_000",
        BODY + "while True: print('x' * 1000)", BODY + "while True: os.write(1, bytes(9999))",
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: pass",
    ],
    ids=["loading", "calling", "one long step", "printing", "writing", "signals"],
)  # fmt: skip
def test_a_loop_is_ended(tmp_path: Path, source: str) -> None:
    wrong = tried(tmp_path, source, SHORT_S).wrong
    assert wrong is not None and "no answer within" in wrong.answer
    assert wrong.hint == SAY("ex_hint_time")


@pytest.mark.parametrize(
    "mess",
    [
        "import builtins\nvars(builtins).clear()\n",
        "import os\nos.chdir('/')\n",
        "import sys\nsys.stdout.close()\nsys.stderr = None\n",
        "import os, contextlib\nfor n in range(1, 64):\n"
        "    with contextlib.suppress(OSError): os.write(n, b'{}\\n')\n",
        "import threading\ndef f():\n    while True: pass\nthreading.Thread(target=f).start()\n",
        "import atexit, time\natexit.register(time.sleep, 99)\n",
        "import json, os\njson.dumps = os.write = None\n",
        "\N{BYTE ORDER MARK}",
        "print('\x1b[2J{\"kind\": \"done\"}')\n",
    ],
    ids="builtins folder streams descriptors thread atexit modules BOM print".split(),
)  # fmt: skip
def test_a_right_program_passes_whatever_else_it_does(tmp_path: Path, mess: str) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit")  # beside it: not Python's own
    bare = GOOD.replace(": int", "").replace(" -> int", "")  # without builtins, int is unknown
    assert tried(tmp_path, mess + bare).solved


def test_prints_are_shown_and_kept_apart(tmp_path: Path) -> None:
    noise = "for i in range(9): print('\x1b[2Jline', i)\nimport sys\n"
    noise += "print('y' * 10**6, file=sys.stderr)\n"
    report = tried(tmp_path, noise + GOOD)
    assert report.solved and report.printed == (*(f"line {i}" for i in range(5)), "..")


def test_a_program_that_loses_its_own_tools_is_told_so(tmp_path: Path) -> None:
    wrong = tried(tmp_path, "import builtins\nvars(builtins).clear()\nlen('')\n").wrong
    assert wrong is not None and "NameError: name 'len'" in wrong.answer


def test_nothing_is_left_running(tmp_path: Path) -> None:
    tried(
        tmp_path, "import os\nopen('pid', 'w').write(str(os.getpid()))\nwhile True: pass", SHORT_S
    )
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_memory_limit_holds_for_many_small_pieces(tmp_path: Path) -> None:
    source = BODY + "x = []\n    while True: x.append(bytes(10**8))"
    wrong = tried(tmp_path, source).wrong
    assert wrong is not None and "MemoryError" in wrong.answer


def test_the_default_is_ten_seconds_and_a_gibibyte() -> None:
    assert attempt.SECONDS == 10 and attempt.MEMORY_BYTES == 2**30


def test_a_judge_that_is_gone_leaves_no_program_for_long() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import resource; from miner.learn import candidate as c;"
         "c.limit(2**30); print(resource.getrlimit(resource.RLIMIT_CPU)[0])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "60\n"


def test_files_that_cannot_be_tried(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_bytes(b"#" * (attempt.MOST_SOURCE_BYTES + 1))
    os.mkfifo(tmp_path / "pipe.py")
    for name, words in (
        ("none.py", "No such file"), (".", "Is a directory"), ("pipe.py", "a named pipe"),
        ("long.py", "is larger than"), ("none.py/x", "No such file"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=words):
            attempt.source_of(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "shut.py"
    path.touch(stat.S_IWUSR)
    with pytest.raises(ConfigError, match="Permission denied"):
        attempt.source_of(path)


def test_values_go_there_and_back() -> None:
    value = {"a": [1, -(2**2000), b"\x00\xff", "x", 0.5, None, True, {"b": []}], 7: ()}
    back = decode(encode(value))
    assert back == {**value, 7: []} and type(back["a"][6]) is bool
    for strange in (2**5000, object(), [[[[[[1]]]]]], "x" * 30_000, {1, 2}):
        assert "Foreign" in repr([type(one) for one in leaves(decode(encode(strange)))])


def leaves(value: object) -> list[object]:
    return [one for item in value for one in leaves(item)] if isinstance(value, list) else [value]


def test_strange_answers_are_named(tmp_path: Path) -> None:
    for answer, told in (
        ("2**9999", "a number of 10,000 bits"), ("object()", "a value of type object"),
        ("[{1}]", "[<set>]"), ("float('nan')", "nan"), ("'\\ud800'", "'\\ud800'"),
    ):  # fmt: skip
        wrong = tried(tmp_path, f"def target(nbits): return {answer}").wrong
        assert wrong is not None and wrong.answer == told and not wrong.raised
    assert repr(Foreign("set")) == "<set>"


def test_modules_beside_the_file_and_large_libraries_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "earlier.py").write_text(GOOD)
    assert tried(tmp_path, "import numpy\nfrom earlier import target\n").solved


def test_the_first_failing_case_is_told_with_what_was_right(tmp_path: Path) -> None:
    begun = time.monotonic()
    report = tried(tmp_path, GOOD.replace("if exponent >= 3:", "if True:"))
    assert report.wrong is not None and len(report.right) == 5 and report.total == 6
    assert report.wrong.given == "nbits = 0x21234cb" and report.wrong.expected == "0x1234"
    assert report.wrong.case == "an exponent of 2: one byte is cut off"
    assert "negative shift count" in report.wrong.answer and time.monotonic() - begun < 60


def test_calls_are_counted_in_the_process_too(tmp_path: Path) -> None:
    one, path = find("midstate"), tmp_path / "m.py"
    path.write_text(one.solution)
    assert marking.try_file(one, path).solved
    path.write_text(
        "from miner.bitcoin.encoding import sha256d\n"
        "def hashes(header, nonces):\n"
        "    return [sha256d(header[:76] + one.to_bytes(4, 'little')) for one in nonces]\n"
    )
    wrong = marking.try_file(one, path).wrong
    assert wrong is not None and wrong.answer == "compress was called 0 times"
    assert wrong.hint == one.hint("uncounted")
