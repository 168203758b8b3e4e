"""What pyproject.toml says, as the metadata of a distribution, and which files belong to it."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
IN_SDIST = (
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "miner",
    "csrc",
    "kernels",
    "scripts",
    "tests",
)
# What a build in place or Python itself leaves among the sources.
MADE = re.compile(r"_native\.(so|dll|dylib|json)|scan\.h|hash\.wasm|.*\.(pyc|pyo|o)")


def settings() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def version() -> str:
    """As miner/__init__.py has it. Raises ValueError without one."""
    text = (ROOT / "miner" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"', text, re.MULTILINE)
    if found is None:
        raise ValueError("miner/__init__.py has no __version__")
    return found[1]


def name() -> str:
    """Name and version as files of this distribution begin."""
    about: dict[str, str] = settings()["project"]
    return f"{about['name']}-{version()}"


def metadata() -> str:
    """The text of METADATA and PKG-INFO (core metadata 2.1)."""
    about = settings()["project"]
    rows = [
        ("Metadata-Version", "2.1"),
        ("Name", about["name"]),
        ("Version", version()),
        ("Summary", about["description"]),
        ("License", about["license"]),
        *(("License-File", file) for file in about["license-files"]),
        *(("Classifier", words) for words in about["classifiers"]),
        ("Requires-Python", about["requires-python"]),
        *(("Requires-Dist", wanted) for wanted in about["dependencies"]),
    ]
    for extra, wants in about["optional-dependencies"].items():
        rows.append(("Provides-Extra", extra))
        rows += [("Requires-Dist", for_extra(wanted, extra)) for wanted in wants]
    rows.append(("Description-Content-Type", "text/markdown"))
    readme: str = (ROOT / about["readme"]).read_text(encoding="utf-8")
    return "".join(f"{key}: {value}\n" for key, value in rows) + "\n" + readme


def for_extra(wanted: str, extra: str) -> str:
    """A requirement that counts only with the extra."""
    what, _, marker = wanted.partition(";")
    condition = f'extra == "{extra}"'
    return (
        f"{what.strip()}; ({marker.strip()}) and {condition}" if marker else f"{what}; {condition}"
    )


def entry_points() -> str:
    """The text of entry_points.txt."""
    scripts = settings()["project"]["scripts"]
    return "[console_scripts]\n" + "".join(f"{key} = {what}\n" for key, what in scripts.items())


def package_files() -> dict[str, Path]:
    """Name in the wheel and file of all that needs no compiler. Kernels lie beside the modules."""
    found = {path.relative_to(ROOT).as_posix(): path for path in below(ROOT / "miner")}
    kernels = [path for path in below(ROOT / "kernels") if path.suffix in (".cl", ".wgsl")]
    return found | {f"miner/{path.name}": path for path in kernels}


def sdist_files() -> dict[str, Path]:
    """Name below the sdist's folder and file of the whole project."""
    tops = (ROOT / top for top in IN_SDIST)
    found = [path for top in tops for path in ([top] if top.is_file() else below(top))]
    return {path.relative_to(ROOT).as_posix(): path for path in found}


def below(folder: Path) -> Iterator[Path]:
    """Files of the project below a folder, in order: nothing hidden, cached or built in place."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == "__pycache__":
            continue
        if path.is_dir() and not path.is_symlink():
            yield from below(path)
        elif path.is_file() and not is_made(path):
            yield path


def is_made(path: Path) -> bool:
    """Does a build put this file there? csrc/scan.h is a source, miner/scan.h its copy."""
    if path.parent == ROOT / "miner" and path.suffix in (".cl", ".wgsl"):
        return True
    return bool(MADE.fullmatch(path.name)) and path.parent != ROOT / "csrc"
