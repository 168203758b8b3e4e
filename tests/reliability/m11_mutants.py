"""M11: small mistakes put into wire, consensus and journal code; do the tests notice?

One mutant at a time: an operator, a constant or a condition is changed, the module goes into a
copy of the package that stands before it on the path, and the module's own tests run.
"""

import ast
import copy
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import miner
from tests.reliability.measure import ROOT, Row, Run

UNIT = "tests/unit"
TESTS: dict[str, tuple[str, ...]] = {
    "bitcoin/target.py": (f"{UNIT}/bitcoin/test_target.py",),
    "bitcoin/address.py": (f"{UNIT}/bitcoin/test_address.py",),
    "bitcoin/tx.py": (f"{UNIT}/bitcoin/test_merkle_tx_block.py", "tests/fuzz"),
    "bitcoin/merkle.py": (f"{UNIT}/bitcoin/test_merkle_tx_block.py",),
    "protocol/jsonline.py": (f"{UNIT}/protocol/test_jsonline.py",),
    "protocol/scrub.py": (f"{UNIT}/protocol/test_scrub.py",),
    "protocol/verdicts.py": (f"{UNIT}/protocol/test_verdicts.py",),
    "protocol/gbt_template.py": (f"{UNIT}/protocol/test_gbt_template.py",),
    "protocol/stratum_messages.py": (f"{UNIT}/protocol/test_stratum_messages.py",),
    "protocol/stratum_shares.py": (f"{UNIT}/protocol/test_stratum_shares.py",),
    "journal.py": (f"{UNIT}/test_journal.py",),
}
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.LShift: ast.RShift,
    ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or,
    ast.Or: ast.And,
}  # fmt: skip
GOAL = 0.85
LIMIT_S = 60.0  # a mutant that runs for ever is noticed
BUDGET_S = 560.0  # then no further mutant is begun


class Mutant(NamedTuple):
    module: str
    line: int
    what: str
    source: str


def mutants(module: str) -> list[Mutant]:
    """Every single change of a module that this file knows."""
    tree = ast.parse((Path(miner.__file__).parent / module).read_text(encoding="utf-8"))
    count = sum(1 for _ in places(tree))
    made = []
    for index in range(count):
        changed = copy.deepcopy(tree)
        node, name = list(places(changed))[index]
        what = change(node, name)
        made.append(Mutant(module, getattr(node, "lineno", 0), what, ast.unparse(changed)))
    return made


def places(tree: ast.Module) -> list[tuple[ast.AST, str]]:
    """Nodes to change, outside of annotations and texts."""
    found: list[tuple[ast.AST, str]] = []
    for function in [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]:
        for statement in function.body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
                    found.append((node, "ops"))
                elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in SWAPS:
                    found.append((node, "op"))
                elif isinstance(node, ast.Constant) and type(node.value) is int:
                    found.append((node, "value"))
                elif isinstance(node, ast.If | ast.While | ast.IfExp):
                    found.append((node, "test"))
    return found


def change(node: ast.AST, name: str) -> str:
    """Make the one change; what it was, in words."""
    before = getattr(node, name)
    if name == "ops":
        node.ops = [SWAPS[type(before[0])](), *before[1:]]  # type: ignore[attr-defined]
        return f"{type(before[0]).__name__} to {SWAPS[type(before[0])].__name__}"
    if name == "op":
        setattr(node, name, SWAPS[type(before)]())
    else:
        setattr(node, name, before + 1 if name == "value" else ast.UnaryOp(ast.Not(), before))
    ast.fix_missing_locations(node)
    return f"{type(node).__name__}.{name}"


def measure(run: Run) -> list[Row]:
    dice, wanted = run.dice("mutants"), run.pick(2, 24, 300)
    modules = list(TESTS)[: run.pick(1, None, None)]
    every = [mutant for module in modules for mutant in mutants(module)]
    chosen = dice.sample(every, min(wanted, len(every)))
    deadline = time.monotonic() + run.pick(30.0, 30.0, BUDGET_S)
    with ThreadPoolExecutor(2) as pool:
        folders = [run.folder / f"copy{n}" for n in range(2)]
        halves = [chosen[n::2] for n in range(2)]
        parts = pool.map(try_all, folders, halves, [deadline] * 2)
        tried = [result for part in parts for result in part]
    unfit = sorted({mutant.module for mutant, noticed in tried if noticed is None})
    tried = [(mutant, noticed) for mutant, noticed in tried if noticed is not None]
    missed = [mutant for mutant, noticed in tried if not noticed]
    score = 1 - len(missed) / max(len(tried), 1)
    value = f"{100 * score:.0f} % of {len(tried)} noticed ({len(every)} possible)"
    notes = [f"not run, the tests fail without a mutant: {', '.join(unfit)}"] if unfit else []
    notes += [f"not noticed: {m.module}:{m.line} {m.what}" for m in missed[:8]]
    return [Row("M11", "mutants of wire, consensus and journal code", value, "score >= 85 %",
                len(tried), reached=score >= GOAL, notes=tuple(notes))]  # fmt: skip


def try_all(
    folder: Path, chosen: list[Mutant], deadline: float
) -> list[tuple[Mutant, bool | None]]:
    """Each mutant, and whether its tests failed; None: they fail without it too."""
    package = folder / "miner"
    shutil.copytree(Path(miner.__file__).parent, package)
    results: list[tuple[Mutant, bool | None]] = []
    sound: dict[str, bool] = {}
    for mutant in chosen:
        if time.monotonic() > deadline:
            break
        path = package / mutant.module
        original = path.read_text(encoding="utf-8")
        if mutant.module not in sound:
            path.write_text(ast.unparse(ast.parse(original)), encoding="utf-8")
            sound[mutant.module] = not noticed(folder, TESTS[mutant.module])
        path.write_text(mutant.source, encoding="utf-8")
        tests = TESTS[mutant.module]
        results.append((mutant, noticed(folder, tests) if sound[mutant.module] else None))
        path.write_text(original, encoding="utf-8")
    return results


def noticed(folder: Path, tests: tuple[str, ...]) -> bool:
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); "
        # An editable install finds its packages before the path is asked.
        "sys.meta_path = [f for f in sys.meta_path if 'Redirecting' not in type(f).__name__]; "
        "import miner, pytest; "
        f"assert miner.__file__.startswith({str(folder)!r}); "
        f"sys.exit(pytest.main(['-q', '-x', '-p', 'no:cacheprovider', *{list(tests)!r}]))"
    )
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=LIMIT_S,
            env=environment,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0
