"""Makes .venv and installs homehash into it, for mine.py and test.py; standard library alone.

The install is a regular one, not editable: what runs and what is tested is what a wheel gives to
everybody. It is kept quick by three steps that are each skipped while their key is unchanged:

  environment   the venv itself
  libraries     what pyproject.toml depends on, and the extras asked for
  project       pyproject.toml, miner/, csrc/, kernels/, what builds it, and the C compiler found

Keys live in .venv/homehash.json. A step's key is taken out before the step starts and written by
rename after it has succeeded, so an interrupted step is never believed. The C library is kept in
.venv/build while csrc/ and the compiler stay the same: an edit in Python alone reinstalls in about
three seconds, and nothing kept hides a broken compiler.

A .venv made by hand is used as it is, never emptied. Runs at the same time wait for each other.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import build_backend
import causes
import pythons
import steps
from steps import SetupFailed, say

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
KEYS = VENV / "homehash.json"
PARTIAL = KEYS.with_suffix(".new")
BY_HAND = f"{ROOT}, made by hand"
BUILD = VENV / "build"
BUILDERS = ("scripts/build_backend", "scripts/bootstrap.py")
LIBRARY = "[Ll]ib*/**/site-packages/miner/_native.json"  # installed with C: the library's record
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STOPPED_BY = (signal.SIGINT, signal.SIGTERM)
RETRY_EXTRA_S = 3600  # a failed extra is left alone this long, so that starting stays quick
VENV_HINT = "on Debian and Ubuntu: sudo apt install python3-venv python{}.{}-venv"


class Interrupted(SystemExit):
    """A signal ends set-up; its exit code is 128 and the signal's number."""


def prepare(extras: tuple[str, ...], needed: tuple[str, ...] = ()) -> None:
    """Bring .venv up to date; ends the program with one line when that is impossible.

    An extra outside `needed` may fail: it is named and the rest goes on.
    """
    before = [(number, signal.signal(number, interrupt)) for number in STOPPED_BY]
    try:
        with only_one() as lock:
            Setup(lock).run(extras, needed)
    except Interrupted:
        say("interrupted; the next run goes on from here")
        raise
    except SetupFailed as error:
        sys.exit(f"homehash: {error}")
    except OSError as error:
        sys.exit(f"homehash: cannot set up {VENV}: {error}")
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """The first signal ends set-up; a second would break into the tidying up."""
    for each in STOPPED_BY:
        signal.signal(each, signal.SIG_IGN)
    raise Interrupted(128 + number)


def become(command: str, arguments: list[str]) -> NoReturn:
    """Replace this process by a command of .venv: its signals and exit code are its own."""
    program = str(BIN / command)
    if os.name == "nt":  # exec there returns to the shell at once
        sys.exit(subprocess.run([program, *arguments], check=False).returncode)
    os.execv(program, [program, *arguments])


def enter(extras: tuple[str, ...] = ()) -> None:
    """Start this script over in .venv, brought up to date, unless homehash is installed here.

    The doubles of tests/fakes can be imported then.
    """
    if importlib.util.find_spec("miner") is None:
        prepare(extras)
        become("python", sys.argv)
    sys.path.append(str(ROOT))  # last: `miner` is the installed one


def extras() -> list[str]:
    """The names of all extras in pyproject.toml."""
    return list(pyproject()["project"]["optional-dependencies"])


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@contextlib.contextmanager
def only_one() -> Iterator[int]:
    """Hold the lock of this folder; -1 where the system has no flock."""
    if sys.platform == "win32":
        yield -1
        return
    import fcntl

    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is setting up this folder; waiting for it")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(folder)


def digest(*things: object) -> str:
    """A short key of strings, and of files by name and content."""
    total = hashlib.sha256()
    for thing in things:
        content = thing.read_bytes() if isinstance(thing, Path) else b""
        total.update(f"{thing}\0{len(content)}\0".encode() + content)
    return total.hexdigest()[:24]


def sources(*names: str) -> list[Path]:
    """Every file below these names of the project, without what Python and editors leave."""
    found: list[Path] = []
    for name in names:
        top = ROOT / name
        below = sorted(top.rglob("*")) if top.is_dir() else [top]
        found += [path for path in below if path.is_file() and "__pycache__" not in path.parts]
    return [path for path in found if path.suffix != ".pyc" and not path.name.startswith(".")]


def compiler() -> str:
    """What identifies the C compiler without running it; "" when there is none."""
    names = [os.environ.get("CC", "").split(" ")[0], "cc", "gcc", "clang"]
    found = next((path for name in names if name and (path := shutil.which(name))), "")
    if not found:
        return ""
    real = Path(found).resolve()
    return f"{real} {real.stat().st_mtime_ns} {os.environ.get('CFLAGS', '')}"


def choose_python() -> str:
    """The Python to make .venv with: one that has a wheel of the built-in node's library."""
    minor = sys.version_info[1]
    if minor in pythons.KERNEL_MINORS:
        return sys.executable
    if found := pythons.find(pythons.KERNEL_MINORS):
        say(f"using {found}: no library for the built-in node in 3.{minor}")
        return found
    say(f"Python 3.{minor} has no library for the built-in node yet; the rest works")
    return sys.executable


def log_of(about: str) -> Path:
    """The log of a step, named by the last word of what it does."""
    return VENV / f"setup-{steps.what(about).split()[-1]}.log"


def better_python() -> str:
    """A Python for the built-in node when .venv has none of them; "" when there is no need."""
    settings = VENV / "pyvenv.cfg"
    configured = settings.read_text(encoding="utf-8") if settings.exists() else ""
    made_with = re.search(r"^version\w* *= *3\.(\d+)", configured, re.MULTILINE)
    if made_with is None or int(made_with[1]) in pythons.KERNEL_MINORS:
        return ""
    return pythons.find(pythons.KERNEL_MINORS)


def runs(python: str, code: str) -> bool:
    done = subprocess.run([python, "-c", code], capture_output=True, check=False)
    return done.returncode == 0


class Setup:
    """One run of the three steps."""

    def __init__(self, lock: int) -> None:
        self.lock = lock
        self.keys: dict[str, str] = {}
        self.project = pyproject()

    def run(self, extras: tuple[str, ...], needed: tuple[str, ...]) -> None:
        started = time.monotonic()
        self.read_keys()
        fresh = self.environment()
        worked = self.libraries()
        worked |= self.install_project()
        worked |= self.install_extras(extras, needed)
        if fresh or worked:
            say(f"ready after {time.monotonic() - started:.0f} s")

    def read_keys(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            read = json.loads(KEYS.read_text(encoding="utf-8"))
            self.keys = {str(name): str(key) for name, key in read.items()}

    def set_key(self, name: str, key: str | None) -> None:
        """Write or, with None, forget one step's key; the file is always whole."""
        self.keys.pop(name, None)
        if key is not None:
            self.keys[name] = key
        PARTIAL.write_text(json.dumps(self.keys, indent=1), encoding="utf-8")
        PARTIAL.replace(KEYS)

    def environment(self) -> bool:
        """Make .venv unless a complete one is there; True when it was made."""
        known = self.keys.get("environment")
        if known == BY_HAND and PYTHON.exists():
            return False
        if known == str(ROOT) and PYTHON.exists() and not better_python():
            return False
        by_hand = VENV.exists() and not KEYS.exists()
        if by_hand and runs(str(PYTHON), "import pip") if PYTHON.exists() else False:
            say(f"using the {VENV.name} that is already here")
            self.set_key("environment", BY_HAND)
            return False
        if by_hand and any(item != PARTIAL for item in VENV.iterdir()):
            raise SetupFailed(f"{VENV} was not made by this script and has no pip; remove it")
        python = choose_python()
        if not runs(python, "import venv, ensurepip"):
            hint = VENV_HINT.format(*sys.version_info[:2])
            raise SetupFailed(f"{python} cannot make virtual environments; {hint}")
        VENV.mkdir(exist_ok=True)
        self.keys = {}
        self.set_key("environment", None)  # from here on the folder is known as ours
        self.make_venv(python)
        self.set_key("environment", str(ROOT))
        return True

    def make_venv(self, python: str) -> None:
        for item in VENV.iterdir():
            if item != KEYS:
                shutil.rmtree(item) if item.is_dir() else item.unlink()
        self.step("making .venv (about 5 s)", [python, "-m", "venv", str(VENV)])

    def libraries(self) -> bool:
        """What the project needs to build and to run."""
        wanted = self.project["build-system"]["requires"] + self.project["project"]["dependencies"]
        key = digest(*wanted)
        if self.keys.get("libraries") == key:
            return False
        self.set_key("libraries", None)
        self.pip("installing libraries (about a minute the first time)", wanted)
        self.set_key("libraries", key)
        return True

    def install_project(self) -> bool:
        """Build and install homehash itself; without C when a compiler cannot be fetched."""
        c_key = digest(compiler(), *sources("pyproject.toml", "csrc", *BUILDERS))
        key = digest(c_key, os.environ.get("MINER_PURE"), *sources("miner", "kernels", "README.md"))
        if self.keys.get("project") == key and not self.retry_due("native", key):
            return False
        self.set_key("project", None)
        self.set_key("failed native", None)
        os.environ["MINER_SETUP"] = "1"  # what the build has to say is said here
        about = "building and installing homehash (about 20 s, 3 s when only Python changed)"
        if build_backend.get_requires_for_build_wheel({"build-dir": str(BUILD)}):
            about = "fetching a compiler, building and installing homehash (about a minute)"
        options = ["-v", "--no-deps", "--force-reinstall"]
        wanted = [*options, "--config-settings", f"build-dir={BUILD}", str(ROOT)]
        try:
            self.pip(about, wanted)
        except SetupFailed as error:
            if not about.startswith("fetching"):
                raise
            say(f"{error}; going on without C")
            self.pip(about.partition(", ")[2], wanted, {"MINER_NO_COMPILER_DOWNLOAD": "1"})
            self.set_key("failed native", f"{key} {time.time():.0f}")
        if not any(VENV.glob(LIBRARY)):
            warn_without_native(log_of(about))
        self.set_key("project", key)
        return True

    def retry_due(self, name: str, key: str) -> bool:
        """Did this fail with the same key, and long enough ago?"""
        return self.keys.get(f"failed {name}", "").startswith(key) and not self.failed_lately(
            name, key
        )

    def install_extras(self, extras: tuple[str, ...], needed: tuple[str, ...]) -> bool:
        """Optional libraries, all at once; one by one when that fails, to name the culprit."""
        lists = self.project["project"]["optional-dependencies"]
        keys = {name: digest(*lists[name]) for name in extras}
        due = [name for name in extras if self.keys.get(f"extra {name}") != keys[name]]
        due = [name for name in due if name in needed or not self.failed_lately(name, keys[name])]
        groups = [due] if due else []
        while groups:
            group = groups.pop(0)
            try:
                wanted = [item for name in group for item in lists[name]]
                self.pip(f"installing for {', '.join(group)} (about a minute)", wanted)
            except SetupFailed as error:
                if len(group) > 1:
                    groups += [[name] for name in group]
                    continue
                if group[0] in needed:
                    raise
                say(f"going on without the extra '{group[0]}': {error}")
                self.set_key(f"failed {group[0]}", f"{keys[group[0]]} {time.time():.0f}")
                continue
            for name in group:
                self.set_key(f"extra {name}", keys[name])
        return bool(due)

    def failed_lately(self, name: str, key: str) -> bool:
        then = self.keys.get(f"failed {name}", "").split()
        return bool(then) and then[0] == key and time.time() - float(then[1]) < RETRY_EXTRA_S

    def pip(self, about: str, wanted: Iterable[str], env: dict[str, str] | None = None) -> None:
        options = ["--disable-pip-version-check", "--no-input", "--retries", "2"]
        command = [str(PYTHON), "-m", "pip", "install", *options, *wanted]
        self.step(about, command, env or {})

    def step(self, about: str, command: list[str], env: dict[str, str] | None = None) -> None:
        """Run one command in the project, without what would change where pip installs."""
        outer = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PIP_USER")}
        steps.run(about, command, ROOT, {**outer, **(env or {})}, log_of(about), self.lock)


def warn_without_native(log: Path) -> None:
    if os.environ.get("MINER_PURE"):
        say("installed without C, as MINER_PURE asks")
        return
    say("*" * 78)
    say("THE C BUILD FAILED: installed without the fast native backends.")
    say("Mining works, several times slower. Install a C compiler (Debian: sudo apt")
    say("install build-essential; macOS: xcode-select --install) and run this again.")
    say(f"Cause: {causes.of_c_build(log)}")
    say(f"All of it: {log}")
    say("*" * 78)
