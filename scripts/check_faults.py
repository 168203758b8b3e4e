"""Compares the fault catalogue, tests/faults.toml, with the marks of the tests.

A test is marked with the cases it covers: @fault("S12"), @fault("G05", "G24"). Prints the cases
with their number of tests; exits 1 when a case has none, or a mark names a case that does not
exist. A test that is skipped always does not count.
"""

import argparse
import ast
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "tests" / "faults.toml"


def load(file: Path = CATALOGUE) -> dict[str, str]:
    """The cases, each of which needs a test."""
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    return {name: text for table in tables.values() for name, text in table.items()}


def always_skipped(test: ast.FunctionDef) -> bool:
    return any(ast.unparse(one).startswith("pytest.mark.skip(") for one in test.decorator_list)


def cases_of(test: ast.FunctionDef) -> list[str]:
    """The ids a test is marked with."""
    marks = [one for one in test.decorator_list if isinstance(one, ast.Call)]
    words = [word for mark in marks if ast.unparse(mark.func) == "fault" for word in mark.args]
    return [str(ast.literal_eval(word)) for word in words]


def find_tests(folder: Path) -> dict[str, list[str]]:
    """Each id with the tests marked with it, as file::test."""
    found = defaultdict(list)
    for file in sorted(folder.rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and not always_skipped(node):
                for case in cases_of(node):
                    found[case].append(f"{file.relative_to(folder).as_posix()}::{node.name}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--list", action="store_true", help="also name the tests of each case")
    parser.add_argument("--tests", type=Path, default=ROOT / "tests", help="folder of the tests")
    options = parser.parse_args()
    cases = load()
    found = find_tests(options.tests)
    for case, text in cases.items():
        print(f"{case}  {len(found[case]):3} tests  {text}")
        if options.list:
            print("".join(f"       {test}\n" for test in found[case]), end="")
    missing = [case for case in cases if not found[case]]
    strange = sorted(set(found) - set(cases))
    for case in missing:
        print(f"NO TEST: {case}, {cases[case]}")
    for case in strange:
        print(f"NO SUCH CASE: {case}, marked on {', '.join(found[case])}")
    print(f"{len(cases) - len(missing)} of {len(cases)} cases have tests")
    return 1 if missing or strange else 0


if __name__ == "__main__":
    sys.exit(main())
