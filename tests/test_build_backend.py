"""scripts/build_backend as pip calls it: which compiler is taken, and what is said when none works.

Each call runs in a process of its own with compilers that are small shell scripts.
"""

import email
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
import venv
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PIN = "ziglang=="
ASK = "print(json.dumps(hooks.get_requires_for_build_wheel()))"
BUILD = "print(json.dumps(hooks.build_wheel(sys.argv[1])))"
START = "import json, sys\nfrom build_backend import clibrary, compilers, hooks, project\n"
CRASHES = "kill -SEGV $$"
REFUSES = "echo 'x.c:1: error: no such thing'; exit 1"
HANGS = 'sleep 300 & echo $! > "$0.pid"; wait'
pytestmark = pytest.mark.skipif(os.name == "nt", reason="its compilers are shell scripts")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hook returned, and what was said."""

    value: object
    said: str

    @property
    def lines(self) -> list[str]:
        """Ours."""
        return [line for line in self.said.splitlines() if line.startswith("homehash: ")]


Backend = Callable[..., Answer]


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    """Runs code in the build backend; without CC there is no compiler at all."""

    def run(code: str, **env: str) -> Answer:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("MINER_")}
        tools = tmp_path / "tools"
        tools.mkdir(exist_ok=True)
        for name in ("sh", "sleep"):  # no compiler
            if not (tools / name).exists():
                (tools / name).symlink_to(str(shutil.which(name)))
        kept = {**kept, "PATH": str(tools), "MINER_SETUP": "1", "CC": ""}
        done = subprocess.run(
            [sys.executable, "-S", "-c", START + code, str(tmp_path)],
            cwd=ROOT / "scripts", env={**kept, **env}, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return Answer(json.loads(done.stdout.splitlines()[-1]), done.stderr)

    return run


@pytest.fixture
def gcc() -> str:
    found = shutil.which("gcc")
    if found is None:
        pytest.skip("gcc is not installed")
    return found


def compiler(folder: Path, body: str) -> str:
    """A compiler that does this."""
    path = folder / "cc"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_without_a_compiler_one_is_asked_for_and_its_size_is_said(backend: Backend) -> None:
    answer = backend(ASK)
    assert isinstance(answer.value, list)
    (wanted,) = answer.value
    assert wanted.startswith(PIN) and len(answer.lines) == 1
    words = ("101 MB to download", "411 MB on disk until", "MINER_NO_COMPILER_DOWNLOAD=1", wanted)
    assert all(word in answer.said for word in words)


def test_with_a_compiler_nothing_is_asked_for(backend: Backend, gcc: str) -> None:
    answer = backend(ASK, CC=gcc, PATH=os.environ["PATH"])
    assert (answer.value, answer.said) == ([], "")


@pytest.mark.parametrize("name", ["MINER_NO_COMPILER_DOWNLOAD", "MINER_PURE"])
def test_it_can_be_declined(backend: Backend, name: str) -> None:
    answer = backend(ASK, **{name: "1"})
    assert answer.value == []
    assert len(answer.lines) == (0 if name == "MINER_PURE" else 1)


def test_no_room_for_it_is_a_line(backend: Backend) -> None:
    full = "import shutil\nclass Full: free = 300_000_000\nshutil.disk_usage = lambda path: Full\n"
    answer = backend(full + ASK)
    assert answer.value == []
    assert len(answer.lines) == 1
    assert "300 MB are free" in answer.said and "512 are needed; going on without C" in answer.said


def test_a_machine_without_such_a_wheel_goes_on(backend: Backend) -> None:
    other = "import platform\nplatform.machine = lambda: 'ppc64'\n"
    answer = backend(other + ASK)
    assert answer.value == []
    assert "there is none as a wheel either" in answer.said


@pytest.mark.parametrize("body", [CRASHES, REFUSES, HANGS])
def test_a_compiler_that_cannot_build_a_test_program_is_none(
    backend: Backend, tmp_path: Path, body: str
) -> None:
    answer = backend(
        "compilers.TEST_LIMIT_S = compilers.VERSION_LIMIT_S = 1\n" + ASK,
        CC=compiler(tmp_path, body),
    )
    assert str(answer.value).startswith(f"['{PIN}")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (CRASHES, "cc: ended by signal 11"),
        (REFUSES, "cc: x.c:1: error: no such thing"),
        (HANGS, "cc does not end; given up after 2 s"),
    ],
)
def test_one_that_fails_in_the_build_is_a_line_and_the_wheel_is_without_c(
    backend: Backend, tmp_path: Path, gcc: str, body: str, why: str
) -> None:
    """The test program passes; a hanging compiler is ended with what it started."""
    path = compiler(tmp_path, f'case "$*" in *test.c*) exec {gcc} "$@";; *portable*) {body};; esac')
    code = "compilers.LIMIT_S = 2\nclibrary.Clock.__init__.__defaults__ = (2,)\n"
    answer = backend(code + BUILD, CC=path, PATH=os.environ["PATH"])
    assert str(answer.value).endswith("-py3-none-any.whl")
    assert any(why in line and line.endswith("; trying the next way") for line in answer.lines)
    assert f"THE C BUILD FAILED: {path}" in answer.said
    if body == HANGS:
        child = int(Path(f"{path}.pid").read_text())
        deadline = time.monotonic() + 10
        while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not Path(f"/proc/{child}").exists()


def test_a_variant_the_compiler_cannot_build_is_left_out_and_named(
    backend: Backend, tmp_path: Path, gcc: str
) -> None:
    path = compiler(
        tmp_path, f'case "$*" in *sse2.c*|*neon.c*) {REFUSES};; *) exec {gcc} "$@";; esac'
    )
    answer = backend(BUILD, CC=path, PATH=os.environ["PATH"])
    assert "linux" in str(answer.value)
    (line,) = (line for line in answer.lines if "without the variant" in line)
    assert "error: no such thing" in line


def test_the_same_sources_give_the_same_bytes(backend: Backend, tmp_path: Path, gcc: str) -> None:
    first = backend(BUILD, MINER_PURE="1")
    data = (tmp_path / str(first.value)).read_bytes()
    again = backend(BUILD, MINER_PURE="1")
    assert (tmp_path / str(again.value)).read_bytes() == data


def test_metadata_says_what_pyproject_says(backend: Backend) -> None:
    answer = backend("print(json.dumps([project.metadata(), project.settings()['project']]))")
    assert isinstance(answer.value, list)
    text, about = answer.value
    message = email.message_from_string(text)
    assert (message["Name"], message["Requires-Python"]) == ("homehash", about["requires-python"])
    asked = [Requirement(words) for words in message.get_all("Requires-Dist") or []]
    plain = [str(one) for one in asked if "extra" not in str(one.marker)]
    assert plain == [str(Requirement(words)) for words in about["dependencies"]]
    for extra, wants in about["optional-dependencies"].items():
        names = {Requirement(words).name for words in wants}
        environment = {
            "extra": extra, "sys_platform": "linux", "platform_machine": "x86_64",
            "python_version": "3.12", "platform_python_implementation": "CPython",
        }  # fmt: skip
        chosen = {one.name for one in asked if one.marker and one.marker.evaluate(environment)}
        assert names <= chosen
    assert message.get_payload() == (ROOT / "README.md").read_text(encoding="utf-8")


def test_windows_on_arm_is_asked_for_nothing_that_has_no_wheel_there(backend: Backend) -> None:
    answer = backend("print(json.dumps(project.settings()['project']['dependencies']))")
    assert isinstance(answer.value, list)
    arm = {
        "sys_platform": "win32", "platform_machine": "ARM64", "python_version": "3.12",
        "platform_python_implementation": "CPython",
    }  # fmt: skip
    wanted = [Requirement(words) for words in answer.value]
    names = {one.name for one in wanted if not one.marker or one.marker.evaluate(arm)}
    assert "numpy" in names and names.isdisjoint({"pyopencl", "py-bitcoinkernel"})


def test_an_editable_install_uses_this_folder(backend: Backend, tmp_path: Path) -> None:
    """Edits show at once, kernels and C library are found."""
    copy = tmp_path / "copy"
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("miner", "csrc", "kernels", "scripts"):
        shutil.copytree(ROOT / name, copy / name, ignore=ignore)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    venv.create(tmp_path / "env", with_pip=False)
    python = str(tmp_path / "env" / "bin" / "python")
    (site,) = (tmp_path / "env").glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(str(Path(pytest.__file__).parents[1]))
    command = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-index"]
    env = {**os.environ, "MINER_NO_COMPILER_DOWNLOAD": "1", "MINER_SETUP": "1"}
    subprocess.run([*command, "--no-deps", "-e", str(copy)], check=True, env=env)
    code = (
        "import miner; from miner.backends import kernel_file, native; "
        "print(miner.__file__); kernel_file.read('opencl', 'sha256d_scan.cl'); "
        "print(native.LIBRARY.file if native.LIBRARY else native.NOT_BUILT)"
    )
    said = subprocess.run([python, "-P", "-c", code], capture_output=True, text=True, check=True)
    where, library = said.stdout.splitlines()
    assert where == str(copy / "miner" / "__init__.py")
    assert library == str(copy / "miner" / "_native.so") or library.startswith("not built")
    with_c = [name for name in os.listdir(copy / "miner") if name.startswith("_native")]
    assert bool(with_c) is library.endswith(".so")


def test_what_was_built_in_place_is_in_no_wheel(backend: Backend, tmp_path: Path) -> None:
    answer = backend(
        "import pathlib\n"
        "folder = pathlib.Path(sys.argv[1]) / 'root'\n"
        "(folder / 'miner').mkdir(parents=True)\n(folder / 'kernels').mkdir()\n"
        "for name in ('_native.so', 'scan.h', '_native.json', 'a.py', 'a.pyc', '.hidden'):\n"
        "    (folder / 'miner' / name).write_text('')\n"
        "project.ROOT = folder\nprint(json.dumps(sorted(project.package_files())))"
    )
    assert answer.value == ["miner/a.py"]


def test_a_wheel_opens_with_the_standard_library(backend: Backend, tmp_path: Path) -> None:
    wheel = tmp_path / str(backend(BUILD, MINER_PURE="1").value)
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        record = next(name for name in archive.namelist() if name.endswith("/RECORD"))
        listed = {row.split(",")[0] for row in archive.read(record).decode().splitlines()}
        assert listed == set(archive.namelist())


def test_the_compiler_wheel_makes_webassembly_for_browsers_and_it_is_kept(
    backend: Backend, tmp_path: Path
) -> None:
    found = importlib.util.find_spec("ziglang")
    if found is None or found.origin is None:
        pytest.skip("the compiler wheel is not installed")
    code = (
        "import hashlib, pathlib\n"
        "made = hooks.for_browsers(pathlib.Path(sys.argv[1]))\n"
        "print(json.dumps({name: hashlib.sha256(data).hexdigest() for name, data in made.items()}))"
    )
    importable = f"sys.path.append({str(Path(found.origin).parents[1])!r})\n"
    made = backend(importable + code)
    assert isinstance(made.value, dict) and list(made.value) == ["pool/static/hash.wasm"]
    assert (tmp_path / "hash.wasm").read_bytes()[:8] == b"\0asm\1\0\0\0"
    assert backend(code).value == made.value, "the wheel is gone from the path, its work is kept"
    assert backend(importable + code, MINER_PURE="1").value == {}
    (tmp_path / "wasm.txt").write_text("of other sources")
    assert backend(code).value == {}


def test_a_failed_webassembly_is_a_line(backend: Backend, tmp_path: Path) -> None:
    path = compiler(tmp_path, REFUSES)
    answer = backend(
        "from build_backend import wasm\n"
        f"wasm.compiler = lambda: compilers.Compiler(({path!r},), 'zig', wasm.TARGET)\n"
        "print(json.dumps(sorted(hooks.for_browsers(None))))"
    )
    assert answer.value == []
    (line,) = answer.lines
    assert line.endswith("no such thing; browsers that join a class will hash in JavaScript")
