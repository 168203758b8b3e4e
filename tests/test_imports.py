"""Modules import their own package and lower layers only; some libraries have one home each.

The table is the architecture's. A module is named by its first part below `miner`.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "miner"

# Higher layers may import lower ones, never a sibling of their own layer.
LAYERS: dict[str, float] = {
    "crash": 0,
    "files": 0,
    "limits": 0,
    "errors": -1,
    "units": -1,
    "text": -1,
    "strictjson": -0.5,
    "secret": 0,
    "paths": 0,
    "signals": 0,
    "streams": 0,
    "bitcoin": 1,
    "work": 2,
    "backends": 3.5,
    "devices": 3,
    "protocol": 3,
    "transport": 3,
    "node": 3,
    "state": 4,
    "sources": 4.5,
    "journal": 4.5,
    "baseline": 4,
    "engine": 5,
    "views": 5.5,
    "run": 6,
    "measure": 7,
    "gap": 7.5,
    "doctor": 7,
    "learn": 8,
    "board": 8,
    "pool": 8,
    "cli": 9,
    "__main__": 10,
}
# Pure layers: no socket, thread, clock, file, log or random module.
PURE = ("bitcoin", "protocol", "work")
IMPURE = frozenset(
    """asyncio concurrent datetime fcntl http io logging mmap multiprocessing os pathlib queue
    random requests sched secrets select selectors shutil signal socket socketserver ssl subprocess
    tempfile threading time urllib""".split()
)
# A library, and the only places that may import it.
HOMES: dict[str, tuple[str, ...]] = {
    "bitcoinrpc": ("transport/rpc.py",),
    "pbk": ("node/chain.py",),
    "btclib_libsecp256k1": ("protocol/sv2/crypto.py",),
    "cryptography": ("protocol/sv2/crypto.py",),
    "wgpu": ("backends/wgpu/",),
    "pyopencl": ("backends/opencl/",),
    "cffi": ("backends/native/library.py",),
    "h11": ("board/wire.py",),
    "prometheus_client": ("board/", "views/metrics.py"),
    "segno": ("pool/screen.py",),
    "starlette": ("views/web/", "board/", "pool/"),
    "uvicorn": ("views/web/",),
    "rich": (
        "views/",
        "board/table.py",
        "learn/render.py",
        "measure/terminal.py",
        "measure/screen.py",
        "cli/",
    ),
    "miner.node": ("node/", "run/", "learn/", "pool/", "doctor.py", "cli/node.py"),
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports(source: str, package: str) -> Iterator[str]:
    """Every module imported anywhere in the source, also inside functions, absolute."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                above = ".".join(parts[: len(parts) - node.level + 1])
                base = f"{above}.{base}".rstrip(".")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call):
            yield from imported_by_call(node)


def imported_by_call(node: ast.Call) -> Iterator[str]:
    """importlib.import_module("x") and __import__("x")."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    name = node.func.id if isinstance(node.func, ast.Name) else name
    if name in ("import_module", "__import__") and node.args:
        first = node.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value


def broken_rules(relative: str, source: str) -> list[str]:
    """What this module of `miner` may not import, in words."""
    home = relative.removesuffix(".py").split("/")[0]
    package = ".".join(["miner", *relative.split("/")[:-1]])
    if home == "__init__":
        return [f"miner/__init__.py imports {name}" for name in imports(source, package)]
    if home not in LAYERS:
        return [f"{home} has no layer: add it to LAYERS after the architecture"]
    found = set()
    for name in imports(source, package):
        parts = name.split(".")
        other = parts[1] if parts[0] == "miner" and len(parts) > 1 else ""
        if other in LAYERS and other != home and LAYERS[other] >= LAYERS[home]:
            found.add(f"layer {LAYERS[home]} imports {other} of layer {LAYERS[other]}")
        if home in PURE and parts[0] in IMPURE:
            found.add(f"is pure but imports {parts[0]}")
        for library, places in HOMES.items():
            inside = name == library or name.startswith(f"{library}.")
            if inside and not relative.startswith(places):
                found.add(f"imports {library}, which belongs to {' '.join(places)}")
    return sorted(found)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downwards(path: Path) -> None:
    relative = path.relative_to(PACKAGE).as_posix()
    assert broken_rules(relative, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("relative", "source"),
    [
        ("bitcoin/header.py", "from miner.work import values"),
        ("bitcoin/header.py", "def f():\n    import time"),
        ("work/roll.py", "import random"),
        ("protocol/gbt/job.py", "from socket import socket"),
        ("protocol/gbt/job.py", "from miner.backends.base import Backend"),
        ("backends/native/library.py", "from ...engine import core"),
        ("sources/node/source.py", "import bitcoinrpc.authproxy"),
        ("sources/node/source.py", "from miner.journal import Journal"),
        ("engine/core.py", "import importlib\nimportlib.import_module('pyopencl')"),
        ("engine/core.py", "import cffi"),
        ("sources/node/source.py", "from miner.node import chain"),
        ("state/status.py", "from rich.table import Table"),
        ("strange.py", ""),
        ("__init__.py", "import os"),
    ],
)
def test_each_ban_is_noticed(relative: str, source: str) -> None:
    assert broken_rules(relative, source)


@pytest.mark.parametrize(
    ("relative", "source"),
    [
        ("bitcoin/header.py", "import struct\nfrom miner.bitcoin import target"),
        ("backends/native/library.py", "import cffi"),
        ("transport/rpc.py", "import time\nfrom bitcoinrpc.authproxy import AuthServiceProxy"),
        ("run/wiring.py", "from miner.node.chain import Chain\nfrom miner import journal"),
        ("cli/devices.py", "import rich\nfrom miner.backends import registry"),
    ],
)
def test_what_is_allowed_passes(relative: str, source: str) -> None:
    assert broken_rules(relative, source) == []


def graph(sources: dict[str, str]) -> dict[str, set[str]]:
    """Which module imports which, by dotted names; a package is its own `__init__`.

    What is taken from a package that is a module itself does not need the package's own names.
    """
    found: dict[str, set[str]] = {}
    for name, source in sources.items():
        is_package = any(other.startswith(f"{name}.") for other in sources)
        package = name if is_package else name.rpartition(".")[0]
        found[name] = set()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import | ast.ImportFrom | ast.Call):
                taken = {one for one in imports(ast.unparse(node), package) if one in sources}
                above = {one.rpartition(".")[0] for one in taken}
                found[name] |= taken - above
        found[name].discard(name)
    return found


def circles(imported: dict[str, set[str]]) -> list[list[str]]:
    """Every set of modules that reach each other, sorted."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            new = imported[waiting.pop()] - seen
            seen |= new
            waiting += new
        return seen

    far = {name: reached(name) for name in imported}
    found = {tuple(sorted(o for o in far[name] if name in far[o])) for name in far}
    return sorted(list(circle) for circle in found if circle)


def test_no_circle_of_imports_even_inside_a_package() -> None:
    names = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in modules()}
    texts = {
        name.removesuffix(".__init__"): path.read_text(encoding="utf-8")
        for path, name in names.items()
    }
    assert circles(graph(texts)) == []


def test_circles_are_noticed() -> None:
    sources = {
        "miner": "",
        "miner.a": "from miner.b import x",
        "miner.b": "def f():\n    from . import c",
        "miner.c": "import miner.a",
        "miner.d": "from miner import a",
    }
    assert circles(graph(sources)) == [["miner.a", "miner.b", "miner.c"]]


def test_tests_import_no_script_and_the_lab_only_the_public_doubles() -> None:
    scripts = ROOT / "scripts"
    own = {path.stem for path in scripts.glob("*.py")} | {"lab", "scripts"}
    for path in sorted((ROOT / "tests").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        assert not own & {name.split(".")[0] for name in imports(source, "tests")}, path
        assert not re.search(r"spec_from_file_location\(.*scripts", source), path
    for path in sorted(scripts.rglob("*.py")):
        for name in imports(path.read_text(encoding="utf-8"), "scripts"):
            inside = name == "tests" or name.startswith("tests.")
            assert not inside or name.startswith("tests.fakes"), f"{path} imports {name}"


def test_scripts_need_the_standard_library_alone() -> None:
    scripts = ROOT / "scripts"
    own = {path.stem for path in scripts.glob("*.py")} | {"build_backend"}
    used = "require_python pythons bootstrap steps causes mine test lab/setups lab/setup_plan"
    builders = [f"build_backend/{path.stem}" for path in scripts.glob("build_backend/*.py")]
    for name in [*used.split(), *builders]:
        for imported in imports((scripts / f"{name}.py").read_text(encoding="utf-8"), ""):
            top = imported.split(".")[0]
            assert top in {*sys.stdlib_module_names, *own, "lab"}, f"{name}.py imports {top}"
