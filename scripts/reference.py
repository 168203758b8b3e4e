"""The tables of miner/REFERENCE.md, made from the code: settings, variables, exit codes, events and
the status of the JSON output.

Use: reference.py [--check]. Without it the page's tables are written anew; with it the exit code is
1 when the page says something else than the code.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # this tree's code, not the installed one

from miner import errors
from miner.cli.mine import mine
from miner.run.settings import SETTINGS
from miner.state import events, snapshot

PAGE = ROOT / "miner" / "REFERENCE.md"
TABLE = re.compile(r"(<!-- table: ([a-z ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
# Variables that are no setting of `miner mine`; those of tests and of the set-up are left out.
VARIABLES = {
    "MINER_CONFIG": "the settings file to read instead of the standard one",
    "MINER_HOME": "one folder for state, cache and settings: for tests and portable installs",
    "MINER_RPC_COOKIE": "the node's cookie file, as --cookie",
    "MINER_RPC_USER": "with MINER_RPC_PASSWORD: the login of every node without one",
    "MINER_RPC_PASSWORD": "see MINER_RPC_USER",
    "MINER_TUNE": "0: do not fit the OpenCL kernel to a device at its first use",
}
BRANCHES = {
    "run": "RunRow",
    "sources[]": "SourceRow",
    "workers[]": "WorkerRow",
    "devices[]": "DeviceRow",
    "job": "JobRow",
    "job.coinbase": "CoinbaseRow",
    "shares": "SharesRow",
    "shares.best[]": "BestShare",
    "blocks": "BlocksRow",
    "blocks.last": "LastBlock",
    "odds": "Odds",
    "machine": "MachineRow",
    "history.shares[]": "FoundShare",
    "alarms[]": "AlarmRow",
}
HIDDEN = {"MINER_CRASH_AT", "MINER_NAME", "MINER_SOME_NAME"}
OTHER_EXITS = (
    ("0", "done, a goal reached, or stopped by a signal", "mine, node"),
    ("130", "interrupted", "every other command"),
)


def table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n"
                   for row in lines)  # fmt: skip


def settings() -> str:
    """Every key with its flags, variable and default; the words are those of --help."""
    options = {one.name: one for one in mine.params if isinstance(one, click.Option)}
    strange = sorted(set(SETTINGS) - set(options))
    if strange:
        raise SystemExit(f"settings without a flag: {', '.join(strange)}")

    def rows() -> Iterator[tuple[str, ...]]:
        for key, setting in SETTINGS.items():
            option = options[key]
            names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
            default = "" if setting.default in (None, ()) else f"`{shown(setting.default)}`"
            yield f"`{key}`", names, default, option.help or ""

    return table(("key", "flags", "default", "meaning"), rows())


def shown(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(str(one) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def variables() -> str:
    """Those that the code reads: a name that nobody described is an error."""
    known = {f"MINER_{key.upper()}" for key in SETTINGS} | set(VARIABLES) | HIDDEN
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "miner").rglob("*.py"))
    named = set(re.findall(r"\bMINER_[A-Z_]*[A-Z]\b", text))
    if strange := sorted(named - known):
        raise SystemExit(f"variables without a word: {', '.join(strange)}")
    if gone := sorted(set(VARIABLES) - named):
        raise SystemExit(f"variables that nothing reads: {', '.join(gone)}")
    rows = (("`MINER_<KEY>`", "every setting above, its key in capitals"),)
    described = ((f"`{name}`", meaning) for name, meaning in VARIABLES.items())
    return table(("variable", "meaning"), iter([*rows, *described]))


def exits() -> str:
    """Codes by their lowest error class: the first sentence of its docstring."""
    meanings: dict[int, list[str]] = {}
    for one in vars(errors).values():
        if isinstance(one, type) and "exit_code" in vars(one) and one is not errors.MinerError:
            code = vars(one)["exit_code"]
            meanings.setdefault(code, []).append(first_line(one).rstrip("."))
    rows = [("1", "any other error of ours; output that nobody reads any more", "all")]
    rows += [(str(code), "; ".join(words), "all") for code, words in sorted(meanings.items())]
    return table(("code", "meaning", "of"), iter([OTHER_EXITS[0], *rows, OTHER_EXITS[1]]))


def event_rows() -> str:
    """One row a kind: its fields as in JSON, and what it says."""

    def rows() -> Iterator[tuple[str, ...]]:
        for one in (kind for kind in events.every_kind() if vars(events)[kind.__name__] is kind):
            names = [field.name for field in fields(one) if field.name != "wall_s"]
            yield f"`{one.kind}`", ", ".join(f"`{name}`" for name in names), first_line(one)

    return table(("type", "fields besides `time_s`", "meaning"), rows())


def snapshot_rows() -> str:
    """The snapshot tree, with the comment that stands beside each field."""
    path = Path(str(snapshot.__file__))

    def rows() -> Iterator[tuple[str, ...]]:
        for branch, name in BRANCHES.items():
            for field, kind, comment in commented(path, name):
                yield f"`{branch}.{field.strip('`')}`", kind, comment

    return table(("field", "type", "meaning"), rows())


def commented(path: Path, name: str) -> Iterator[tuple[str, ...]]:
    """Fields of a data class, their types and their comments."""
    source = path.read_text(encoding="utf-8")
    found = next(node for node in ast.walk(ast.parse(source))
                 if isinstance(node, ast.ClassDef) and node.name == name)  # fmt: skip
    for node in found.body:
        if isinstance(node, ast.AnnAssign):
            _, _, comment = source.splitlines()[node.lineno - 1].partition("  # ")
            yield f"`{ast.unparse(node.target)}`", f"`{ast.unparse(node.annotation)}`", comment


def first_line(one: type) -> str:
    """The first sentence of the docstring, its own or that of the class above."""
    texts = (base.__doc__ or "" for base in one.__mro__)
    made = tuple(f"{base.__name__}(" for base in one.__mro__)  # by dataclass, for want of another
    text = next(text for text in texts if text and not text.startswith(made))
    return " ".join(text.split("\n\n")[0].split())


TABLES: dict[str, Callable[[], str]] = {
    "settings": settings,
    "variables": variables,
    "exit codes": exits,
    "events": event_rows,
    "status": snapshot_rows,
}


def main(arguments: list[str]) -> int:
    page = PAGE.read_text(encoding="utf-8")
    missing = sorted(set(TABLES) - {match[2] for match in TABLE.finditer(page)})
    if missing:
        raise SystemExit(f"{PAGE.name} has no place for: {', '.join(missing)}")
    fresh = TABLE.sub(lambda match: match[1] + TABLES[match[2]]() + match[3], page)
    if "--check" in arguments:
        for old, new in zip(page.splitlines(), fresh.splitlines(), strict=False):
            if old != new:
                print(f"{PAGE.name} says\n  {old}\nthe code\n  {new}\nrun scripts/reference.py")
                break
        return int(fresh != page)
    PAGE.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
