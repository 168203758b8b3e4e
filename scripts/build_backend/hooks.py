"""The hooks that pip calls, and the order in which ways to a C library are tried."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from build_backend import archives, clibrary, compilers, project, targets, wasm
from build_backend.compilers import DISK_MB, DOWNLOAD_MB, REQUIREMENT, Clock, CompilerFailed
from build_backend.talk import flag, say

ConfigSettings = dict[str, str | list[str] | bool] | None
PURE = "py3-none-any"
FAILED = """THE C BUILD FAILED: {why}
********************************************************************************
homehash is installed without the fast native backends. Mining works, many times
slower (hashlib, numpy). To get them: install a C compiler (Debian: sudo apt
install build-essential; macOS: xcode-select --install), then install again.
********************************************************************************"""


class BuildFailed(Exception):
    """MINER_NATIVE=1, and there is no C library."""


def get_requires_for_build_wheel(config_settings: ConfigSettings = None) -> list[str]:
    """The compiler wheel when nothing else can compile and it may be had; else nothing."""
    if flag("MINER_PURE") or _kept_library(_build_folder(config_settings)):
        return []
    if compilers.working():
        return []
    declined = flag("MINER_NO_COMPILER_DOWNLOAD")
    free_mb = shutil.disk_usage(tempfile.gettempdir()).free // 1_000_000
    if declined or not compilers.wheel_exists():
        why = "MINER_NO_COMPILER_DOWNLOAD is set" if declined else "there is none as a wheel either"
        say(f"no C compiler works here, and {why}; going on without C")
        return []
    if free_mb < DOWNLOAD_MB + DISK_MB:
        say(
            f"no C compiler works here, and for the one that comes as a wheel {free_mb} MB are free"
            f" in {tempfile.gettempdir()}, {DOWNLOAD_MB + DISK_MB} are needed; going on without C"
            " (TMPDIR names another place)"
        )
        return []
    say(
        f"no C compiler works here; one comes as a wheel ({REQUIREMENT}): {DOWNLOAD_MB} MB to"
        f" download, {DISK_MB} MB on disk until the build is done. To decline:"
        " MINER_NO_COMPILER_DOWNLOAD=1"
    )
    return [REQUIREMENT]


def build_wheel(
    wheel_directory: str,
    config_settings: ConfigSettings = None,
    metadata_directory: str | None = None,
) -> str:
    """Build the wheel; without C, and so said, when no way leads to a library."""
    with _library(config_settings) as library:
        made = library | for_browsers(_build_folder(config_settings))
        files = package_contents() | {f"miner/{name}": data for name, data in made.items()}
        tag = f"py3-none-{targets.platform_tag()}" if library else PURE
        return archives.wheel(Path(wheel_directory), tag, files)


def package_contents() -> dict[str, bytes]:
    """What every wheel holds, by name."""
    return {name: path.read_bytes() for name, path in project.package_files().items()}


def build_editable(
    wheel_directory: str,
    config_settings: ConfigSettings = None,
    metadata_directory: str | None = None,
) -> str:
    """A wheel that points to this folder; the C library is put among the sources."""
    with _library(config_settings) as library:
        for name, data in (library | for_browsers(_build_folder(config_settings))).items():
            (project.ROOT / "miner" / name).write_bytes(data)
        tag = f"py3-none-{targets.platform_tag()}" if library else PURE
        return archives.wheel(
            Path(wheel_directory), tag, {"homehash.pth": f"{project.ROOT}\n".encode()}
        )


def build_sdist(sdist_directory: str, config_settings: ConfigSettings = None) -> str:
    return archives.sdist(Path(sdist_directory))


def get_requires_for_build_editable(config_settings: ConfigSettings = None) -> list[str]:
    return get_requires_for_build_wheel(config_settings)


def get_requires_for_build_sdist(config_settings: ConfigSettings = None) -> list[str]:
    return []


def prepare_metadata_for_build_wheel(
    metadata_directory: str, config_settings: ConfigSettings = None
) -> str:
    """The metadata alone, without a build."""
    for name, data in archives.dist_info(PURE).items():
        path = Path(metadata_directory, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return f"{project.name()}.dist-info"


prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel


def _build_folder(config_settings: ConfigSettings) -> Path | None:
    asked = (config_settings or {}).get("build-dir")
    return Path(str(asked)) if asked else None


def _kept_library(folder: Path | None) -> bool:
    """Is there what one of the compilers of this machine would make?"""
    if folder is None or not (folder / clibrary.KEY).exists():
        return False
    wheel = compilers.wheel_compiler_at(Path(), targets.here())
    return any(clibrary.kept(folder, each) for each in [*compilers.system_compilers(), wheel])


@contextlib.contextmanager
def _library(config_settings: ConfigSettings) -> Iterator[dict[str, bytes]]:
    """The files of the C library by name, none when it is not to be had.

    Raises BuildFailed when it must be.
    """
    if flag("MINER_PURE"):
        yield {}
        return
    folder = _build_folder(config_settings)
    with tempfile.TemporaryDirectory(prefix="homehash-") as name:
        place = folder or Path(name)
        why = _fill(place)
        if why and flag("MINER_NATIVE"):
            raise BuildFailed(f"MINER_NATIVE=1: {why}")
        if why:
            say(FAILED.format(why=why))
        names = (targets.here().file, clibrary.HEADER, clibrary.RECORD)
        yield {} if why else {each: (place / each).read_bytes() for each in names}


def for_browsers(folder: Path | None) -> dict[str, bytes]:
    """The WebAssembly module by its name, where the compiler wheel is at hand or was before."""
    if flag("MINER_PURE"):
        return {}
    if folder is not None and (module := wasm.kept(folder)):
        return {wasm.FILE: module}
    if (compiler := wasm.compiler()) is None:
        return {}
    try:
        module = wasm.build(compiler)
        if folder is not None:
            wasm.keep(folder, module)
    except (CompilerFailed, OSError) as error:
        say(f"{error}; browsers that join a class will hash in JavaScript")
        return {}
    return {wasm.FILE: module}


def _fill(folder: Path) -> str:
    """Build the library into a folder, with the first compiler that can; why none could, or ""."""
    if _kept_library(folder):
        return ""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / clibrary.KEY).unlink(missing_ok=True)
    wheel = compilers.wheel_compiler()
    why = "no C compiler here"
    for compiler in [*compilers.system_compilers(), *([wheel] if wheel else [])]:
        try:
            compilers.test(compiler, Clock(compilers.TEST_LIMIT_S))
            shapes = clibrary.build(compiler, folder, say)
            (folder / clibrary.KEY).write_text(clibrary.key(compiler), encoding="utf-8")
            print(f"homehash: {compiler} built {', '.join(shapes)}", flush=True)
            return ""
        except (CompilerFailed, OSError) as error:
            why = str(error)
            say(f"{why}; trying the next way")
    return why
