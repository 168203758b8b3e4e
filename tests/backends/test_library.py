"""The C library as Python opens it: one interface text, a handshake, and no GIL in a scan."""

import re
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest

from miner.backends import native
from miner.backends.base import OpenOptions
from miner.backends.native import library
from miner.backends.selftest import GENESIS, real_block
from tests.backends.test_native_build import (
    COMMON,
    CSRC,
    PORTABLE,
    SHARED,
    build_library,
    record,
    run,
    tool,
)

HEADER = (CSRC / library.HEADER).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a library of the portable variant, header and record."""
    folder = tmp_path_factory.mktemp("library")
    build_library(tool("gcc"), folder, "-O1", "-fvisibility=hidden", variants=())
    return folder


def changed(good: Path, folder: Path, name: str, old: str, new: str, *flags: str) -> None:
    """A library whose source `name` has `new` for `old`, beside the unchanged header."""
    sources = folder / "csrc"
    shutil.copytree(CSRC, sources)
    text = (sources / name).read_text(encoding="utf-8")
    assert old in text
    (sources / name).write_text(text.replace(old, new), encoding="utf-8")
    files: list[str | Path] = [
        *PORTABLE,
        *(sources / path.name for path in (*SHARED, CSRC / "scan_portable.c")),
    ]
    common = ("-std=gnu11", "-O1", "-shared", "-fPIC", f"-I{sources}")
    run(tool("gcc"), *common, *flags, *files, "-o", folder / library.FILE)
    shutil.copy(good / library.HEADER, folder)
    record(folder)


def test_a_built_library_opens_and_says_its_layout(good: Path) -> None:
    opened = library.load(good)
    reported = library.reported_layout(opened)
    assert reported == library.layout(opened.ffi)
    fields = {"midstates", "n_versions", "tail", "target", "start", "count"}
    assert {name for name in reported if name.startswith("scan_task.")} >= {
        f"scan_task.{field}" for field in fields
    }
    assert opened.lib.scan_layout_name(-1) == opened.ffi.NULL
    assert opened.lib.scan_layout_bytes(len(reported)) < 0


def test_every_function_of_the_header_has_a_word_about_it() -> None:
    """Documented for any language: a comment stands before each declaration or its group."""
    parts = re.split(r"\n\n", HEADER[HEADER.index("SCAN_API int32_t scan_version") - 200 :])
    groups = [part for part in parts if "SCAN_API" in part and "(" in part]
    assert groups and all(part.lstrip().startswith("/*") for part in groups[1:])


@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        ("scan.h", "SCAN_VERSION = 2 ", "SCAN_VERSION = 7 ", "has version 7, not 2"),
        ("scan.h", "uint32_t tail[3];", "uint32_t tail[4];", "scan_task is 80 there, 72 here"),
        (
            "scan.h", "    uint32_t version_index; /* into midstates */\n    uint32_t nonce;",
            "    uint32_t nonce;\n    uint32_t version_index;",
            "scan_hit.nonce is 0 there, 4 here",
        ),
        ("about.c", "    OFFSET(scan_hit, nonce),\n", "", "scan_hit.nonce is None there, 4 here"),
        ("about.c", "", "", "scan_min_capacity"),
    ],
    ids=["version", "size", "order", "field", "function"],
)  # fmt: skip
def test_another_interface_is_a_reason(
    good: Path, tmp_path: Path, name: str, old: str, new: str, why: str
) -> None:
    """What would crash or write astray if it were called."""
    renamed = ("-Dscan_min_capacity=scan_least_capacity",)
    changed(good, tmp_path, name, old, new, *(renamed if why == "scan_min_capacity" else ()))
    with pytest.raises(library.NotUsable, match=re.escape(why)) as caught:
        library.load(tmp_path)
    assert str(caught.value).endswith("; install homehash again")
    assert "\n" not in str(caught.value)


def test_a_library_of_another_processor_is_a_reason(good: Path, tmp_path: Path) -> None:
    cc = tool("s390x-linux-gnu-gcc")
    files: list[str | Path] = [*PORTABLE, *SHARED, CSRC / "scan_portable.c"]
    run(cc, *COMMON, "-O1", "-shared", "-fPIC", *files, "-o", tmp_path / library.FILE)
    shutil.copy(good / library.HEADER, tmp_path)
    record(tmp_path)
    with pytest.raises(library.NotUsable, match=r"^not opened: .*; install homehash again$"):
        library.load(tmp_path)


def test_python_counts_on_during_a_scan(tmp_path: Path) -> None:
    """The GIL is free: a thread that needs it runs while another is inside the library. Threads are
    not made to take turns, so that the scanning thread lets it go in the call alone."""
    if native.LIBRARY is None:
        pytest.skip(native.NOT_BUILT)
    backend = native.PROVIDER.open("native:portable", OpenOptions(tmp_path))
    unit = real_block(GENESIS, 0)
    counted, stop = [0], threading.Event()

    def count() -> None:
        while not stop.is_set():
            counted[0] += 1
            time.sleep(0)

    thread = threading.Thread(target=count)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    thread.start()
    try:
        during, deadline = 0, time.monotonic() + 30
        while not during and time.monotonic() < deadline:
            before = counted[0]
            backend.scan(unit, 0, 200_000)
            during = counted[0] - before
    finally:
        stop.set()
        sys.setswitchinterval(interval)
        thread.join()
    assert during
