"""miner/ARCHITECTURE.md names what is there: each path exists, each package has its place."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "miner" / "ARCHITECTURE.md").read_text(encoding="utf-8")
LEFT_OUT = {"__init__.py", "__main__.py"}


def test_each_path_it_names_exists() -> None:
    named = re.findall(r"`((?:miner|scripts|tests|csrc|kernels)/[\w./]*)`", TEXT)
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_each_package_has_its_place_on_the_map() -> None:
    parts = [
        f"miner/{path.name}/" if path.is_dir() else f"miner/{path.name}"
        for path in sorted((ROOT / "miner").iterdir())
        if (path / "__init__.py").exists() or (path.suffix == ".py" and path.name not in LEFT_OUT)
    ]
    assert len(parts) > 20
    assert [part for part in parts if f"`{part}`" not in TEXT] == []


def test_each_thread_of_a_run_is_listed() -> None:
    """Threads are named where they are made; the table names the file."""
    makers = [
        path.relative_to(ROOT).as_posix()
        for folder in ("engine", "run", "views", "sources")
        for path in sorted((ROOT / "miner" / folder).rglob("*.py"))
        if re.search(r"threading\.Thread\(", path.read_text(encoding="utf-8"))
    ]
    aside = {"miner/engine/grind.py", "miner/sources/node/dry_run.py"}  # not part of a run's order
    assert [path for path in makers if path not in aside and f"`{path}`" not in TEXT] == []
