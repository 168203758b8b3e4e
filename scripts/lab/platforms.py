"""Proof on systems that are not this one: a bare Debian, 64-bit ARM, Windows. Run by hand, as root.

    python3 scripts/lab/platforms.py [debian] [arm64] [windows] [--wheels dist] [--keep DIR]

debian   a minimal root (debootstrap) with Python, without compiler or headers: an unprivileged user
         runs `python3 scripts/mine.py --blocks 3` and must get a native variant
arm64    the aarch64 wheel passes `miner devices --check` for neon and armv8 under qemu, with
         Debian's arm64 Python unpacked into a folder, never installed here, and wheels
windows  the library of the Windows wheel passes the C driver under wine

Needs debootstrap, qemu-user, wine64, and for the last two the wheels of scripts/wheels.py; what is
missing is named. macOS libraries are only built and inspected. Prints a transcript with times.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import wheels
from build_backend import compilers, project
from lab import inspection, setups

ROOT = Path(__file__).resolve().parents[2]
SUITE = "bookworm"
USER = 1000
BLOCKS = 3
IN_ARM = ("click", "cffi", "numpy", "rich", "psutil", "platformdirs")  # what `devices` imports
# A stranger's computer knows the same package index and certificates as this one.
OUR_SETTINGS = ("etc/resolv.conf", "etc/hosts", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt")


class Failed(Exception):
    """What was not as it must be."""


def run(command: Sequence[str | Path], **env: str) -> str:
    """Run and show a command, with its time; what it said. Raises Failed."""
    words = [str(word) for word in command]
    print(f"$ {' '.join(words)}", flush=True)
    begun = time.monotonic()
    done = subprocess.run(
        words, env={**os.environ, **env}, text=True, check=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    print(f"  {time.monotonic() - begun:.0f} s, exit code {done.returncode}", flush=True)
    if done.returncode:
        raise Failed(f"{words[0]} ended with {done.returncode}:\n{done.stdout[-3000:]}")
    return done.stdout


def need(name: str, package: str) -> None:
    """Raises Failed where a command is not installed."""
    if shutil.which(name) is None:
        raise Failed(f"{name} is not installed (Debian: apt install {package})")


# -- a bare Debian ----------------------------------------------------------------------------
def debian(options: argparse.Namespace, folder: Path) -> None:
    need("debootstrap", "debootstrap")
    root = folder / "debian"
    packages = "--include=python3,python3-venv,ca-certificates"
    if not (root / "usr" / "bin" / "python3").exists():
        run(["debootstrap", "--variant=minbase", packages, SUITE, root, options.mirror])
    for name in OUR_SETTINGS:
        if Path("/", name).exists():
            shutil.copyfile(f"/{name}", root / name)
    home = root / "home" / "stranger"
    shutil.rmtree(home, ignore_errors=True)
    ignore = shutil.ignore_patterns("__pycache__", "_native*")
    for name in setups.COPIED:
        source, copy = ROOT / name, home / "homehash" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=ignore)
        else:
            shutil.copy(source, copy)
    for path in [home, *home.rglob("*")]:
        os.chown(path, USER, USER)
    with proc_in(root):
        bare = "! command -v cc gcc clang && ! find / -name Python.h 2>/dev/null | grep . && id"
        print(run([*as_stranger(root), "sh", "-c", bare]).strip())
        mine = ["python3", "homehash/scripts/mine.py", "--blocks", str(BLOCKS), "--json"]
        for _ in range(2):
            check_mined(run([*as_stranger(root), *mine]))
        left = run([*as_stranger(root), "find", "/", "-xdev", "-name", "*ziglang*"])
    if left:
        raise Failed(f"the compiler is still there: {left}")


def as_stranger(root: Path) -> list[str]:
    """The start of a command of the unprivileged user in the root, in its home."""
    env = ["HOME=/home/stranger", "PATH=/usr/bin:/bin", "LANG=C.UTF-8"]
    chroot = ["chroot", f"--userspec={USER}:{USER}", str(root), "env", "-i", "-C", "/home/stranger"]
    return [*chroot, *env]


@contextlib.contextmanager
def proc_in(root: Path) -> Iterator[None]:
    """/proc in there, while it is used."""
    subprocess.run(["mount", "-t", "proc", "proc", str(root / "proc")], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(root / "proc")], check=True)


def check_mined(said: str) -> None:
    """Show what set-up said, and the blocks and backend of the run. Raises Failed."""
    events = []
    for line in said.splitlines():
        if not line.startswith("{"):
            print(f"  {line}")
            continue
        events.append(json.loads(line))
    backends = [event["text"] for event in events if event["type"] == "backend"]
    accepted = [event for event in events if event.get("answer") == "accepted"]
    print(f"  {len(accepted)} blocks accepted, backends: {backends}")
    if len(accepted) < BLOCKS or not any("native:" in text for text in backends):
        raise Failed("not mined by a native variant")


# -- 64-bit ARM -------------------------------------------------------------------------------
def arm64(options: argparse.Namespace, folder: Path) -> None:
    need("debootstrap", "debootstrap")
    need("qemu-aarch64", "qemu-user")
    (wheel,) = options.wheels.glob("homehash-*-manylinux_2_17_aarch64.whl")
    packed, root, site = folder / "arm64-debs", folder / "arm64", folder / "arm64-site"
    if not root.exists():
        include = "--include=python3,libpython3-stdlib"
        arch = ["--arch=arm64", "--variant=minbase", include]
        run(["debootstrap", "--download-only", *arch, SUITE, packed, options.mirror])
        for package in sorted(packed.glob("var/cache/apt/archives/*.deb")):
            subprocess.run(["dpkg", "-x", str(package), str(root)], check=True)
    shutil.rmtree(site, ignore_errors=True)
    for_it = ["--python-version", "3.11", "--implementation", "cp", "--only-binary", ":all:"]
    for libc in ("2_17", "2_28"):
        for_it += ["--platform", f"manylinux_{libc}_aarch64"]
    pip = [sys.executable, "-m", "pip", "install", "-q", "--target", str(site), *for_it]
    run([*pip, "--no-deps", wheel])
    asked = project.settings()["project"]["dependencies"]
    run([*pip, *(one for one in asked if re.split(r"\W", one)[0] in IN_ARM)])
    python = [
        "qemu-aarch64",
        "-cpu",
        "max",
        "-L",
        str(root),
        str(root / "usr/bin/python3.11"),
        "-P",
    ]
    env = {"PYTHONHOME": str(root / "usr"), "PYTHONPATH": str(site), "MINER_HOME": str(folder)}
    print(run([*python, "-c", "import platform; print(platform.platform())"], **env).strip())
    for variant in ("neon", "armv8"):
        said = run([*python, "-m", "miner", "devices", "--check", f"native:{variant}"], **env)
        print("".join(f"  {line}\n" for line in said.splitlines()), end="")


# -- Windows ----------------------------------------------------------------------------------
def windows(options: argparse.Namespace, folder: Path) -> None:
    wine = shutil.which("wine64") or shutil.which("wine") or "/usr/lib/wine/wine64"
    need(wine, "wine64")
    (wheel,) = options.wheels.glob("homehash-*-win_amd64.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "windows")
    inside = folder / "windows" / "miner"
    with wheels.compiler_wheel():
        product = next(one for one in wheels.PRODUCTS if one.tag == "win_amd64")
        compiler = compilers.wheel_compiler(product.target)
        assert compiler is not None, "compiler_wheel() is around"
        zig = compiler.command[0]
        names = "\n".join(sorted(inspection.exported(inside / "_native.dll")))
        (inside / "native.def").write_text(f"LIBRARY _native.dll\nEXPORTS\n{names}\n")
        env = compilers.environment(str(folder / "zig"))
        files = ["-d", str(inside / "native.def"), "-l", str(inside / "native.lib")]
        link = ["-m", "i386:x86-64", *files]
        run([zig, "dlltool", *link], **env)
        driver = ROOT / "tests" / "csrc" / "driver.c"
        sources = [f"-I{inside}", str(driver), str(inside / "native.lib")]
        run([*compiler.command, "-O1", *sources, "-o", inside / "driver.exe"], **env)
    said = run(
        [wine, inside / "driver.exe", "60"], WINEPREFIX=str(folder / "wine"), WINEDEBUG="-all"
    )
    print("".join(f"  {line}\n" for line in said.splitlines()), end="")
    if "portable: exact, 60 cases" not in said or "WRONG" in said:
        raise Failed("the driver did not find every variant exact")


PLACES = {"debian": debian, "arm64": arm64, "windows": windows}


def mirror() -> str:
    """Where this computer has its Debian packages from; "" where it is no Debian."""
    places = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
        capture_output=True, text=True, check=False,
    ) if shutil.which("apt-get") else None  # fmt: skip
    found = places.stdout.split() if places else []
    return next((uri.rstrip("/") for uri in found if uri.rstrip("/").endswith("/debian")), "")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("place", nargs="*", choices=[[], *PLACES], help="all without one")
    parser.add_argument("--wheels", type=Path, default=ROOT / "dist", help="of scripts/wheels.py")
    parser.add_argument("--mirror", default=mirror(), help="Debian's; this computer's own if known")
    parser.add_argument("--keep", type=Path, help="work here, and leave it")
    options = parser.parse_args()
    failed = 0
    with contextlib.ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        for name in options.place or PLACES:
            print(f"== {name}", flush=True)
            try:
                PLACES[name](options, folder.resolve())
                print(f"== {name}: good", flush=True)
            except (Failed, OSError, ValueError, subprocess.SubprocessError) as error:
                print(f"== {name}: FAILED: {error}", flush=True)
                failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
