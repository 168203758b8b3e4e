"""Writes a wheel and an sdist: the same files give the same bytes."""

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

from build_backend import project

EXECUTABLE = (".so", ".dll", ".dylib")
GENERATOR = "homehash build_backend"


def wheel(folder: Path, tag: str, files: dict[str, bytes]) -> str:
    """Write a wheel with these files and its metadata into the folder; its name."""
    info = f"{project.name()}.dist-info"
    files = {**files, **dist_info(tag)}
    rows = [f"{name},{_digest(data)},{len(data)}\n" for name, data in files.items()]
    files[f"{info}/RECORD"] = "".join([*rows, f"{info}/RECORD,,\n"]).encode()
    name = f"{project.name()}-{tag}.whl"
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path)  # of 1980, always
            mode = 0o755 if path.endswith(EXECUTABLE) else 0o644
            entry.external_attr, entry.compress_type = (0o100000 | mode) << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return name


def dist_info(tag: str) -> dict[str, bytes]:
    """The files that tell an installer what the wheel is, by name."""
    info = f"{project.name()}.dist-info"
    purelib = "true" if tag.endswith("-any") else "false"
    about = f"Wheel-Version: 1.0\nGenerator: {GENERATOR}\nRoot-Is-Purelib: {purelib}\nTag: {tag}\n"
    return {
        f"{info}/METADATA": project.metadata().encode(),
        f"{info}/WHEEL": about.encode(),
        f"{info}/entry_points.txt": project.entry_points().encode(),
        f"{info}/licenses/LICENSE": (project.ROOT / "LICENSE").read_bytes(),
    }


def sdist(folder: Path) -> str:
    """Write the sdist into the folder; its name."""
    name = f"{project.name()}.tar.gz"
    with (
        open(folder / name, "wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path, source in project.sdist_files().items():
            _add(archive, path, source.read_bytes(), source.stat().st_mode & 0o111 != 0)
        _add(archive, "PKG-INFO", project.metadata().encode(), False)
    return name


def _add(archive: tarfile.TarFile, path: str, data: bytes, executable: bool) -> None:
    entry = tarfile.TarInfo(f"{project.name()}/{path}")
    entry.size, entry.mode = len(data), 0o755 if executable else 0o644
    archive.addfile(entry, io.BytesIO(data))


def _digest(data: bytes) -> str:
    found = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
    return f"sha256={found.decode()}"
