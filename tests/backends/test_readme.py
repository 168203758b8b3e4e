"""The guide in miner/backends/README.md, followed to the letter by a stranger."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from miner.backends import registry

TEXT = (files("miner") / "backends" / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """What installing the guide's package would put beside homehash."""
    (tmp_path / "mine.py").write_text(block("python"))
    project = tomllib.loads(block("toml"))["project"]
    info = tmp_path / f"{project['name']}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
    return tmp_path


def run(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "miner", *words], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(site), "MINER_HOME": str(site / "home")},
    )  # fmt: skip


def test_the_guide_leads_to_a_checked_backend_that_mines(site: Path) -> None:
    for line in block("sh").splitlines():
        name, *words = line.split()
        assert name == "miner"
        done = run(site, *words)
        assert done.returncode == 0, done.stdout + done.stderr
    shown = run(site, "devices").stdout
    (row,) = (line for line in shown.splitlines() if line.startswith("mine "))
    assert row.split(maxsplit=2)[1:] == ["by", "name  external; my device"]


def test_the_whole_backend_is_short() -> None:
    lines = [line for line in block("python").splitlines() if line.strip()]
    assert len(lines) <= 35


@pytest.mark.parametrize(
    ("right", "wrong", "failing"),
    [
        ("<= unit.target", "<= unit.target >> 1", "known answers"),
        ("check_range(start, count)", "pass", "ranges outside the nonces"),
        ("hits.append(Hit(version, nonce))", "hits.insert(0, Hit(version, nonce))", "odd ranges"),
        ("count * len(unit.versions)", "count", "odd numbers of versions"),
        ("count, hits = min(count, 2000), []", "count, hits = min(count, 2000) or 1, []",
         "a scan of nothing"),
        ("for version in unit.versions", "for version in unit.versions[:3]", "flood of hits"),
    ],
)  # fmt: skip
def test_what_a_stranger_gets_wrong_is_found(
    site: Path, right: str, wrong: str, failing: str
) -> None:
    file = site / "mine.py"
    source = file.read_text()
    assert right in source
    file.write_text(source.replace(right, wrong))
    done = run(site, "devices", "--check", "mine")
    assert done.returncode == 4
    assert f"FAILED  {failing}: " in done.stdout


def test_the_table_names_every_family() -> None:
    assert re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE) == registry.families()
