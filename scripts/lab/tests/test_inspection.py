"""The judge of built wheels: what it must find."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

from build_backend import clibrary, compilers, targets
from build_backend.compilers import Clock, Compiler
from lab import inspection

pytestmark = pytest.mark.skipif(
    shutil.which("gcc") is None
    or shutil.which("llvm-objdump-19") is None
    or targets.here().machine != "x86_64",
    reason="it takes gcc, llvm-19 and an x86-64",
)


class Built:
    """A library by gcc, with its object files."""

    def __init__(self, folder: Path, more: tuple[str, ...] = ()) -> None:
        self.target = targets.here()
        self.objects, self.folder = folder / "objects", folder / "miner"
        self.objects.mkdir()
        self.folder.mkdir()
        gcc = Compiler((str(shutil.which("gcc")), *more), "gcc", self.target)
        work = clibrary.Work(gcc, self.objects, Clock())
        self.shapes = work.compile_all(lambda text: pytest.fail(text))
        self.library = self.folder / self.target.file
        clibrary.install(work.link(self.shapes), self.folder)

    def instructions(self) -> None:
        inspection.check_instructions(self.library, self.target, self.objects, self.shapes)


def test_a_good_library_passes(tmp_path: Path) -> None:
    built = Built(tmp_path)
    built.instructions()
    inspection.check_record(built.library)
    assert inspection.exported(built.library) == set(clibrary.functions())
    assert set(inspection.needed(built.library)) <= {"libc.so.6", "ld-linux-x86-64.so.2"}


def test_vector_instructions_in_shared_code_are_found(tmp_path: Path) -> None:
    with pytest.raises(inspection.Wrong, match=r"dispatch\.c\.o has \d+ instructions"):
        Built(tmp_path, ("-mavx",)).instructions()


def test_vector_instructions_that_came_in_by_the_link_are_found(tmp_path: Path) -> None:
    built = Built(tmp_path)
    source = tmp_path / "more.c"
    source.write_text('void more(void); void more(void) { __asm__("vpaddd %ymm0,%ymm1,%ymm2"); }')
    objects = [str(path) for path in built.objects.glob("*.o") if path.stem != "flags"]
    command = ["gcc", "-shared", "-fPIC", "-fvisibility=hidden", *objects, str(source)]
    subprocess.run([*command, "-o", str(built.library)], check=True)
    with pytest.raises(inspection.Wrong, match=r"\d+ special instructions in the library"):
        built.instructions()


def test_another_export_library_or_glibc_is_found(tmp_path: Path) -> None:
    built = Built(tmp_path)
    old = targets.Target("x86_64", "linux", "gnu", "2.1")
    with pytest.raises(inspection.Wrong, match="needs glibc"):
        inspection.check_interface(built.library, old)
    with pytest.raises(inspection.Wrong, match="for another processor"):
        inspection.check_interface(built.library, targets.Target("aarch64", "linux", "gnu", "9.9"))
    source = tmp_path / "more.c"
    source.write_text(
        "#include <math.h>\ndouble more(double x); double more(double x) { return cos(x); }"
    )
    command = ["gcc", "-shared", "-fPIC", "-Wl,--no-as-needed", str(source), "-lm"]
    subprocess.run([*command, "-o", str(built.library)], check=True)
    with pytest.raises(inspection.Wrong, match=r"needs libm\.so\.6"):
        inspection.check_interface(built.library, built.target)
    subprocess.run([*command[:3], str(source), "-o", str(built.library)], check=True)
    with pytest.raises(inspection.Wrong, match=r"exported \['more', 'scan_compiler'"):
        inspection.check_interface(built.library, built.target)


def test_a_wheel_of_another_tag_or_with_an_unlisted_file_is_found(tmp_path: Path) -> None:
    info = tmp_path / "homehash-0.dist-info"
    info.mkdir()
    (info / "WHEEL").write_text("Tag: py3-none-win_amd64\n")
    (info / "RECORD").write_text("homehash-0.dist-info/WHEEL,,\n")
    made = Path("homehash-0-py3-none-win_amd64.whl")
    with pytest.raises(inspection.Wrong, match="RECORD differs"):
        inspection.check_tag(made, tmp_path, "win_amd64")
    with pytest.raises(inspection.Wrong, match="want py3-none-win_arm64"):
        inspection.check_tag(made, tmp_path, "win_arm64")


def test_the_compiler_wheel_is_pinned_once() -> None:
    assert compilers.REQUIREMENT.startswith("ziglang==")
