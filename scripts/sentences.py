"""Every sentence that the miner can tell a person, in one file: tests/golden/sentences.txt.

Errors, reasons, notices, alarms, words of screens, help of commands: the texts of two words and
more that stand in `miner/`, by file, in the order of the code; `{...}` stands for a value. A text
that is raised has its class before it.

Use: sentences.py [--check | FILE...]. Without an argument the golden file is written anew; with
--check the exit code is 1 when it says something else than the code; of FILEs the texts are shown.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden" / "sentences.txt"
WORDS = re.compile(r"[A-Za-z{][\w}'`-]*[}a-z][,:;.)\"'`]* +[\"'(`{<-]*[A-Za-z{]")
STYLE = re.compile(r"bold [a-z ]+$|:root ")  # of a terminal, of a page
HEADING = re.compile(r"[A-Za-z0-9][^_|]+$")
NOT_TOLD = ("compile", "cdef", "new", "cast", "sub", "Thread")  # patterns, C, names
Function = ast.FunctionDef | ast.AsyncFunctionDef


def main() -> int:
    files = [Path(name) for name in sys.argv[1:] if not name.startswith("-")]
    if files:
        print("\n".join(line for file in files for line in sentences(file.read_text("utf-8"))))
        return 0
    told = page()
    if "--check" in sys.argv[1:]:
        kept = GOLDEN.read_text(encoding="utf-8") if GOLDEN.exists() else ""
        for line in (line for line in told.splitlines() if line not in kept.splitlines()):
            print(f"new: {line}")
        return int(told != kept)
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(told, encoding="utf-8")
    return 0


def page() -> str:
    """The whole golden file."""
    parts = []
    for path in sorted((ROOT / "miner").rglob("*.py")):
        if lines := sentences(path.read_text("utf-8")):
            parts.append("\n".join([f"== {path.relative_to(ROOT).as_posix()}", *lines]))
    return "\n\n".join(parts) + "\n"


def sentences(code: str) -> list[str]:
    """The texts of one module, a line each; the same twice is one."""
    return list(dict.fromkeys(told(ast.parse(code), "")))


def told(node: ast.AST, error: str) -> Iterator[str]:
    """Texts below a node; `error` is the class that is raised with them."""
    text = spelled(node)
    if text is not None and WORDS.search(text) and not STYLE.match(text):
        yield f"{error}: {text}" if error else text
    if isinstance(node, ast.Call) and called(node.func) in NOT_TOLD:
        return
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        error = called(node.exc.func)
    for child in children(node):
        yield from told(child, error)


def children(node: ast.AST) -> Iterator[ast.AST]:
    """All but docstrings; that of a command is its help. Of a text only its values."""
    if isinstance(node, ast.JoinedStr):
        yield from (one.value for one in node.values if isinstance(one, ast.FormattedValue))
        return
    skipped = docstring(node)
    for child in ast.iter_child_nodes(node):
        if child is not skipped or (isinstance(node, Function) and is_command(node)):
            yield child


def docstring(node: ast.AST) -> ast.stmt | None:
    if not isinstance(node, ast.Module | ast.ClassDef | Function) or not node.body:
        return None
    first = node.body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return first if is_text else None


def is_command(node: Function) -> bool:
    return any(".command" in ast.unparse(one) or ".group" in ast.unparse(one)
               for one in node.decorator_list)  # fmt: skip


def called(function: ast.expr) -> str:
    """The last name: `ConfigError` of errors.ConfigError."""
    return ast.unparse(function).rpartition(".")[2]


def spelled(node: ast.AST) -> str | None:
    """A text in one line, with its values in braces; headings and the like side by side."""
    if isinstance(node, ast.Constant):
        return " ".join(node.value.split()) if isinstance(node.value, str) else None
    if isinstance(node, ast.Tuple | ast.List):
        words = [one.value for one in node.elts if isinstance(one, ast.Constant)]
        headings = [word for word in words if isinstance(word, str) and HEADING.match(word)]
        whole = len(headings) == len(node.elts) >= 3
        return f"columns: {' | '.join(headings)}" if whole else None
    if not isinstance(node, ast.JoinedStr):
        return None
    parts = (
        str(one.value) if isinstance(one, ast.Constant) else "{" + ast.unparse(one.value) + "}"
        for one in node.values
        if isinstance(one, ast.Constant | ast.FormattedValue)
    )
    return " ".join("".join(parts).split())


if __name__ == "__main__":
    sys.exit(main())
