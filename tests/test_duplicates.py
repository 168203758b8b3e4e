"""No block of six or more lines stands twice in miner/: one copy of everything.

Lines are compared without their indentation. What does not count: blank lines, comments, import
statements, and lines of punctuation alone.
"""

import ast
import re
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "miner"
LINES = 6
# Pairs that are still to be made one. It only shrinks: a pair that is gone must be taken out.
TO_DO: set[tuple[str, str]] = set()


def counted(source: str) -> list[tuple[int, str]]:
    """The lines that count, each with its number."""
    imported: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imported.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    rows = []
    for number, line in enumerate(source.splitlines(), 1):
        text = " ".join(line.split())
        if number not in imported and re.search(r"\w", text) and not text.startswith("#"):
            rows.append((number, text))
    return rows


def repeated(sources: dict[str, str]) -> dict[tuple[str, str], str]:
    """Pairs of files (or one file with itself) that share a block, and where the first one is."""
    places: dict[tuple[str, ...], list[tuple[str, int, int]]] = defaultdict(list)
    for name, source in sources.items():
        rows = counted(source)
        for at in range(len(rows) - LINES + 1):
            block = rows[at : at + LINES]
            places[tuple(text for _, text in block)].append((name, at, block[0][0]))
    found: dict[tuple[str, str], str] = {}
    for where in places.values():
        first = where[0]
        for other in where[1:]:
            if other[0] != first[0] or other[1] >= first[1] + LINES:
                pair = tuple(sorted((first[0], other[0])))
                found.setdefault(pair, f"{first[0]}:{first[2]} ~ {other[0]}:{other[2]}")  # type: ignore[arg-type]
    return found


def test_no_block_of_six_lines_stands_twice() -> None:
    sources = {
        path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(PACKAGE.rglob("*.py"))
    }
    found = repeated(sources)
    assert sorted(where for pair, where in found.items() if pair not in TO_DO) == []
    assert sorted(TO_DO - set(found)) == [], "no longer there: take them out of TO_DO"


BLOCK = "\n".join(f"    value{number} = {number}" for number in range(LINES))


def test_a_block_written_twice_is_found_wherever_it_is_indented() -> None:
    one, two = f"def f():\n{BLOCK}\n", f"class A:\n  def g():\n{BLOCK.replace('    ', '      ')}\n"
    assert repeated({"a.py": one, "b.py": two}) == {("a.py", "b.py"): "a.py:2 ~ b.py:3"}
    assert repeated({"a.py": f"{one}def g():\n{BLOCK}\n"}) == {("a.py", "a.py"): "a.py:2 ~ a.py:9"}


def test_what_does_not_count_is_not_found() -> None:
    shorter = "\n".join(BLOCK.splitlines()[:-1])
    names = "\n".join(f"    name{number}," for number in range(9))
    imports = f"from a import (\n{names}\n)\n"
    assert repeated({"a.py": f"def f():\n{shorter}\n", "b.py": f"def g():\n{shorter}\n"}) == {}
    assert repeated({"a.py": imports, "b.py": imports}) == {}
    assert repeated({"a.py": "# word\n" * 9, "b.py": "# word\n" * 9}) == {}
