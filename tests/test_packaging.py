"""What users install: sdist, then a wheel from it, then a clean environment; with and without C."""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import miner

ROOT = Path(__file__).resolve().parent.parent
SITE = Path(sysconfig.get_path("purelib"))  # where the libraries of this test run live
DECLINED = {"MINER_NO_COMPILER_DOWNLOAD": "1", "MINER_SETUP": "1"}
NATIVE = re.compile(r"miner/(_native\.(so|dll|dylib|json)|scan\.h|pool/static/hash\.wasm)")


@dataclass(frozen=True, slots=True)
class Built:
    """A wheel and what the build said."""

    wheel: Path
    output: str

    @property
    def files(self) -> set[str]:
        with zipfile.ZipFile(self.wheel) as archive:
            return set(archive.namelist())


def python(code: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=True
    )
    return done.stdout


def build_wheel(source: Path, into: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Build as pip does, without network: beside a compiler nothing is needed."""
    options = ["-v", "--no-deps", "--no-index"]
    return subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, "-w", str(into), str(source)],
        env={**os.environ, **DECLINED, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **env},
        capture_output=True,
        text=True,
        check=False,
    )


def built(source: Path, into: Path, **env: str) -> Built:
    done = build_wheel(source, into, **env)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    (wheel,) = into.glob("*.whl")
    return Built(wheel, output)


def clean_environment(folder: Path, wheel: Path) -> Path:
    """A new environment with the wheel and, behind it, the libraries of this run; its Python."""
    venv.create(folder, with_pip=False)
    path = folder / "bin" / "python"
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(f"{SITE}\n")
    command = [sys.executable, "-m", "pip", "--python", str(path), "install", "-q", "--no-index"]
    command += ["--no-deps", "--force-reinstall", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    return path


def project_files(folder: str) -> set[str]:
    """Files of the working tree below a folder that belong to the project."""
    found = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    names = (path.relative_to(ROOT).as_posix() for path in found)
    names = (name for name in names if "__pycache__" not in name and "/." not in name)
    return {name for name in names if not NATIVE.fullmatch(name)}


def expected_in_wheel() -> set[str]:
    kernels = {f"miner/{path.name}" for path in (ROOT / "kernels").glob("*.cl")}
    return project_files("miner") | kernels


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, unpacked: what follows sees nothing of the working tree."""
    folder = tmp_path_factory.mktemp("sdist")
    code = f"from build_backend import build_sdist; build_sdist({str(folder)!r})"
    python(code, ROOT / "scripts")
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):  # Debian 12's 3.11.2 is older than it
            tar.extractall(folder, filter="data")
        else:
            tar.extractall(folder)
    return folder / f"homehash-{miner.__version__}"


@pytest.fixture(scope="module")
def full(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The wheel with C; a failed compilation fails the tests that use it."""
    return built(sdist, tmp_path_factory.mktemp("wheel"), MINER_NATIVE="1")


@pytest.fixture(scope="module")
def pure(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The wheel that comes out where no compiler is found."""
    return built(sdist, tmp_path_factory.mktemp("pure"), CC="/no/such/compiler")


def test_sdist_is_complete(sdist: Path) -> None:
    wanted = {"pyproject.toml", "README.md", "LICENSE"}
    for folder in ("miner", "csrc", "kernels", "scripts", "tests"):
        wanted |= project_files(folder)
    packed = {path.relative_to(sdist).as_posix() for path in sdist.rglob("*") if path.is_file()}
    assert wanted - packed == set()
    assert {name for name in packed if name.endswith((".so", ".pyc", ".whl"))} == set()


def test_wheel_holds_modules_kernels_and_the_c_library(full: Built) -> None:
    assert expected_in_wheel() - full.files == set()
    assert len([name for name in full.files if NATIVE.fullmatch(name)]) == 3
    assert re.search(r"-py3-none-(?!any)", full.wheel.name)
    top = {name.split("/")[0] for name in full.files}
    assert top == {"miner", f"homehash-{miner.__version__}.dist-info"}


def test_wheel_works_in_a_clean_environment(full: Built, tmp_path: Path) -> None:
    interpreter = clean_environment(tmp_path / "env", full.wheel)
    code = """
import miner
from miner.backends.native import library
print(miner.__file__, library.load().lib.scan_variant_count())
"""
    done = subprocess.run([interpreter, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    where, variants = done.stdout.split()
    assert Path(where).is_relative_to(tmp_path)
    assert int(variants) >= 1
    command = interpreter.parent / "miner"
    said = subprocess.run([command, "--version"], capture_output=True, text=True, cwd=tmp_path)
    assert said.stdout == f"homehash, version {miner.__version__}\n"


def test_without_a_compiler_the_wheel_is_pure_and_says_so(pure: Built) -> None:
    assert pure.wheel.name.endswith("-py3-none-any.whl")
    assert not [name for name in pure.files if NATIVE.fullmatch(name)]
    assert expected_in_wheel() - pure.files == set()
    assert "THE C BUILD FAILED" in pure.output
    assert "THE C BUILD FAILED: /no/such/compiler: No such file" in pure.output


def test_pure_wheel_works_in_a_clean_environment(pure: Built, tmp_path: Path) -> None:
    interpreter = clean_environment(tmp_path / "env", pure.wheel)
    code = """
import miner
from miner.backends import native, selftest
from miner.bitcoin.encoding import display_hex, sha256d
assert native.LIBRARY is None and native.NOT_BUILT.startswith("not built: no "), native.NOT_BUILT
print(miner.__file__, display_hex(sha256d(selftest.GENESIS)))
"""
    done = subprocess.run([interpreter, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    where, genesis = done.stdout.split()
    assert Path(where).is_relative_to(tmp_path)
    assert genesis == "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"


def test_a_required_c_build_fails_without_a_compiler(sdist: Path, tmp_path: Path) -> None:
    done = build_wheel(sdist, tmp_path, MINER_NATIVE="1", CC="/no/such/compiler")
    assert done.returncode != 0
    assert not list(tmp_path.glob("*.whl"))


@pytest.mark.skipif(
    "MINER_TEST_INSTALLED" not in os.environ, reason="not started by scripts/test.py"
)
def test_the_installed_package_is_tested_not_the_tree() -> None:
    assert Path(miner.__file__).is_relative_to(sys.prefix)
