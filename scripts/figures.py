"""Take a figure: `python3 scripts/figures.py NAME [its options]`; without a name, list them.

Each is a module of scripts/lab/figures/ with a `main`. It runs on the installed package and may use
the doubles of tests/fakes. Figures are printed for people to judge, never asserted in the tests.
"""

import ast
import importlib
import sys

import require_python  # noqa: F401  ends here when this Python is too old

# isort: split
import bootstrap

FIGURES = bootstrap.ROOT / "scripts" / "lab" / "figures"
EXTRAS = {  # what a figure needs beside the miner
    "kernel_cost": ("ptx",),
    "web": ("web", "test"),
    "browser_hash": ("web", "test", "wheels"),
}


def known() -> dict[str, str]:
    """Every figure's name, and the first line of what it says of itself."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FIGURES.glob("*.py"))}
    docs = {name: ast.get_docstring(ast.parse(text)) or "" for name, text in texts.items()}
    return {name: doc.partition("\n")[0] for name, doc in docs.items()}


def main() -> int:
    figures, asked = known(), sys.argv[1:2]
    if not asked or asked[0] not in figures:
        for name, first_line in figures.items():
            print(f"{name:14} {first_line}")
        if asked:
            print(f"figures: no figure {asked[0]!r}; choose one of these", file=sys.stderr)
        return 2 if asked else 0
    (name,) = asked
    bootstrap.enter(EXTRAS.get(name, ()))
    sys.argv[:2] = [f"figures.py {name}"]
    errors = importlib.import_module("miner.errors")
    try:
        return importlib.import_module(f"lab.figures.{name}").main() or 0
    except errors.MinerError as error:
        sys.exit(f"figures.py {name}: {error}")


if __name__ == "__main__":
    sys.exit(main())
