"""Prints every file, function and class over its size budget; exits 1 when there is one.

Files: 400 lines. Python functions: 40 lines, 60 with a reason in a comment on the `def` line.
Classes: 12 attributes, names assigned to self; data classes and tests are exempt. Generated and
unrolled C is exempt when its name ends in `.inc.h` and its first line says so.
Use: sizes.py [FILE...].
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES = 400
FUNCTION_LINES = 40
FUNCTION_LINES_WITH_REASON = 60
CLASS_ATTRIBUTES = 12
SUFFIXES = (".py", ".c", ".h", ".cl")
EXEMPT = "size-exempt:"  # on a C file's first line, followed by the reason


def code_files() -> list[Path]:
    """Python, C and OpenCL files that are tracked or new, but not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    paths = [ROOT / name for name in listed.decode().split("\0") if name.endswith(SUFFIXES)]
    return sorted(path for path in paths if path.is_file())


def oversized(path: Path) -> Iterator[str]:
    """One line for each broken budget of this file."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    exempt = path.suffix != ".py" and lines and EXEMPT in lines[0]
    if len(lines) > FILE_LINES and not exempt:
        yield f"{name}: {len(lines)} lines, at most {FILE_LINES}"
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from oversized_function(str(name), node, lines)
            elif isinstance(node, ast.ClassDef):
                yield from oversized_class(str(name), node)


def oversized_function(
    name: str, node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]
) -> Iterator[str]:
    size = (node.end_lineno or node.lineno) - node.lineno + 1
    reasoned = "#" in lines[node.lineno - 1]
    budget = FUNCTION_LINES_WITH_REASON if reasoned else FUNCTION_LINES
    if size > budget:
        yield f"{name}:{node.lineno}: {node.name} has {size} lines, at most {budget}"


def oversized_class(name: str, node: ast.ClassDef) -> Iterator[str]:
    if name.startswith("tests/") or is_dataclass(node):
        return
    size = len(attributes(node))
    if size > CLASS_ATTRIBUTES:
        yield f"{name}:{node.lineno}: {node.name} has {size} attributes, at most {CLASS_ATTRIBUTES}"


def is_dataclass(node: ast.ClassDef) -> bool:
    return any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)


def attributes(node: ast.ClassDef) -> set[str]:
    """Every name that the methods of a class assign to self."""
    found: set[str] = set()
    for method in node.body:
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and method.args.args:
            own = method.args.args[0].arg
            found |= {
                inner.attr
                for inner in ast.walk(method)
                if isinstance(inner, ast.Attribute)
                and isinstance(inner.ctx, ast.Store)
                and isinstance(inner.value, ast.Name)
                and inner.value.id == own
            }
    return found


def main() -> int:
    asked = [Path(name).resolve() for name in sys.argv[1:]]
    found = [line for path in asked or code_files() for line in oversized(path)]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
