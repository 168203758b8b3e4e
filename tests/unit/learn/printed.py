"""The words that the program prints: in sentences and screens, table heads, events and fields."""

import ast
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import miner

PACKAGE = Path(miner.__file__).parent
# Where sentences, screens and tables are written.
WRITERS = (
    "views/sentences.py", "views/panel.py", "views/text.py", "views/live.py", "views/words.py",
    "views/block.py", "views/limit.py", "measure/screen.py", "measure/terminal.py",
    "gap/screen.py", "gap/tables.py", "cli/bench.py", "cli/devices.py", "cli/hardware.py",
    "cli/tune.py", "cli/session.py",
)  # fmt: skip
WORD = re.compile(r"[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]")
# Field names that belong to JSON Schema itself.
OF_SCHEMAS = frozenset("properties items type schema definitions anyOf".split())


def literals(path: Path) -> Iterator[str]:
    """Every text of a module that is not a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and node.body
        and isinstance(node.body[0], ast.Expr)
    }  # fmt: skip
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and id(node) not in documented:
            yield text


def words() -> set[str]:
    """Lower-case words of sentences, screens and tables."""
    found = {
        word.lower()
        for name in WRITERS
        for text in literals(PACKAGE / name)
        if not re.fullmatch(r"[a-z0-9_]+", text)  # a key of the code, not a text
        for word in WORD.findall(text)
        if not re.search(r"[a-z][A-Z]", word)  # the name of a type
    }
    return {word for word in found if len(word) > 2}


def fields() -> set[str]:
    """Names of events, and of fields of the stream and of the snapshot."""
    found: set[str] = set()

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("properties"), dict):
                found.update(node["properties"])
            for one in node.values():
                walk(one)
        elif isinstance(node, list):
            for one in node:
                walk(one)

    for name in ("stream", "snapshot"):
        schema = files("miner.views") / "schema" / f"{name}.schema.json"
        walk(json.loads(schema.read_text(encoding="utf-8")))
    return found - OF_SCHEMAS
