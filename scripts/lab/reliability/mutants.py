"""Small mistakes put into wire, consensus and journal code, and who is to notice them."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import miner

BITCOIN, PROTOCOL, TRANSPORT = "tests/unit/bitcoin", "tests/unit/protocol", "tests/unit/transport"
SESSION = (
    f"{PROTOCOL}/test_stratum_edges.py",
    f"{PROTOCOL}/test_stratum_messages.py",
    f"{PROTOCOL}/test_stratum_session.py",
    f"{PROTOCOL}/test_stratum_jobs.py",
    f"{PROTOCOL}/test_stratum_shares.py",
    f"{PROTOCOL}/test_stratum_bounds.py",
)
FORMATS = (f"{BITCOIN}/test_formats.py", f"{BITCOIN}/test_merkle_tx_block.py")
TEMPLATES = (
    f"{PROTOCOL}/test_signet.py",
    f"{PROTOCOL}/test_gbt_bounds.py",
    f"{PROTOCOL}/test_gbt_transactions.py",
    f"{PROTOCOL}/test_gbt_template.py",
    f"{PROTOCOL}/test_gbt_fitting.py",
)
RPC = (
    f"{TRANSPORT}/test_strict_http.py",
    f"{TRANSPORT}/test_rpc_tls.py",
    f"{TRANSPORT}/test_rpc.py",
)
JOURNAL = (
    "tests/unit/test_journal_records.py",
    "tests/unit/test_journal.py",
    "tests/unit/test_journal_taken.py",
)
FOLDERS = ("bitcoin", "node", "protocol", "transport", "work")
# Every module of wire, consensus and journal, and its own tests; `untested` names the others.
TESTS: dict[str, tuple[str, ...]] = {
    "bitcoin/address.py": (f"{BITCOIN}/test_address.py",),
    "bitcoin/block.py": FORMATS,
    "bitcoin/coinbase.py": FORMATS,
    "bitcoin/encoding.py": FORMATS,
    "bitcoin/header.py": FORMATS,
    "bitcoin/merkle.py": FORMATS,
    "bitcoin/sha256.py": (f"{BITCOIN}/test_sha256.py",),
    "bitcoin/target.py": (f"{BITCOIN}/test_target.py",),
    "bitcoin/tx.py": FORMATS,
    "bitcoin/versions.py": (f"{BITCOIN}/test_versions.py",),
    "journal/disk.py": JOURNAL,
    "journal/earlier.py": JOURNAL,
    "journal/file.py": JOURNAL,
    "journal/records.py": JOURNAL,
    "node/http.py": ("tests/unit/node/test_http_channel.py",),
    "node/index.py": ("tests/unit/node/test_index.py",),
    "node/jsonrpc.py": ("tests/node/test_jsonrpc.py",),
    "node/script.py": ("tests/unit/node/test_script.py",),
    "protocol/decode.py": (f"{PROTOCOL}/test_decode.py",),
    "protocol/gbt/job.py": TEMPLATES,
    "protocol/gbt/template.py": TEMPLATES,
    "protocol/gbt/transactions.py": TEMPLATES,
    "protocol/jsonline.py": (f"{PROTOCOL}/test_jsonline.py",),
    "text.py": ("tests/unit/test_text.py",),
    "protocol/stratum/session.py": SESSION,
    "protocol/stratum/answers.py": SESSION,
    "protocol/pool.py": SESSION,
    "protocol/stratum/job.py": SESSION,
    "protocol/stratum/messages.py": (
        f"{PROTOCOL}/test_stratum_parsing.py",
        f"{PROTOCOL}/test_stratum_messages.py",
    ),
    "protocol/stratum/shares.py": SESSION,
    "protocol/stratum/work.py": SESSION,
    "protocol/gbt/verdicts.py": (f"{PROTOCOL}/test_verdicts.py",),
    "transport/endpoint.py": (f"{TRANSPORT}/test_endpoint.py",),
    "transport/stream.py": (f"{TRANSPORT}/test_lines.py", f"{TRANSPORT}/test_connect.py"),
    "transport/rpc.py": RPC,
    "transport/strict_http.py": RPC,
    "transport/urls.py": (f"{TRANSPORT}/test_urls.py",),
    "work/roll.py": ("tests/unit/work/test_roll_edges.py", "tests/unit/work/test_roll.py"),
    "work/found.py": ("tests/unit/work/test_values.py",),
    "work/job.py": ("tests/unit/work/test_values.py",),
    "work/unit.py": ("tests/unit/work/test_values.py", "tests/unit/work/test_roll.py"),
    "sources/node/refusals.py": ("tests/unit/sources/test_refusals.py",),
}
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.LShift: ast.RShift,
    ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or,
    ast.Or: ast.And,
}  # fmt: skip


class Mutant(NamedTuple):
    """One change of a module: the one with this number."""

    module: str
    number: int
    line: int
    what: str


class Place(NamedTuple):
    """Something to change: a field of a node, in `ops` the operator with this number."""

    node: ast.AST
    name: str
    at: int = 0


def source_of(module: str) -> Path:
    return Path(miner.__file__).parent / module


def untested() -> list[str]:
    """Modules of these folders that have functions but no line in the table."""
    package = Path(miner.__file__).parent
    found = [path for folder in FOLDERS for path in sorted((package / folder).glob("*.py"))]
    names = [path.relative_to(package).as_posix() for path in found]
    return [name for name in names if name not in TESTS and any(places(parsed(name)))]


def parsed(module: str) -> ast.Module:
    return ast.parse(source_of(module).read_text(encoding="utf-8"))


def mutants(module: str) -> list[Mutant]:
    """Every single change of a module that this file knows."""
    tree = parsed(module)
    found = []
    for index, place in enumerate(list(places(tree))):
        line = getattr(place.node, "lineno", 0)
        found.append(Mutant(module, index, line, change(place)))
    return found


def mutated(module: str, index: int) -> ast.Module:
    """The module with this change, or unchanged for -1."""
    tree = parsed(module)
    if index >= 0:
        change(list(places(tree))[index])
    return tree


def places(tree: ast.Module) -> Iterator[Place]:
    """What can be changed, outside of annotations and texts."""
    notes = [node.annotation for node in ast.walk(tree) if isinstance(node, ast.AnnAssign)]
    seen = {node for note in notes for node in ast.walk(note)}
    for function in [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]:
        for node in (n for statement in function.body for n in ast.walk(statement)):
            if node in seen:
                continue
            seen.add(node)
            if isinstance(node, ast.Compare):
                yield from (Place(node, "ops", at) for at in range(len(node.ops)))
            elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in SWAPS:
                yield Place(node, "op")
            elif isinstance(node, ast.Constant) and type(node.value) is int:
                yield Place(node, "value")
            elif isinstance(node, ast.If | ast.While | ast.IfExp):
                yield Place(node, "test")


def change(place: Place) -> str:
    """Make the one change; what it was, in words."""
    node, name, at = place
    before = getattr(node, name)
    if name == "ops":
        after = SWAPS[type(before[at])]
        node.ops = [*before[:at], after(), *before[at + 1 :]]  # type: ignore[attr-defined]
        what = f"{type(before[at]).__name__} to {after.__name__}"
    elif name == "op":
        setattr(node, name, SWAPS[type(before)]())
        what = f"{type(before).__name__} to {SWAPS[type(before)].__name__}"
    elif name == "value":
        setattr(node, name, before + 1)
        what = f"{before} to {before + 1}"
    else:
        setattr(node, name, ast.UnaryOp(ast.Not(), before))
        what = f"condition of {type(node).__name__} negated"
    ast.fix_missing_locations(node)
    return what
