"""Figures that are tests of the suite: the selection is run and its tests are counted."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

from lab.reliability.measure import ROOT, NotRun, Row, Run, Size

GONE = 5  # pytest's exit code: nothing was selected


@dataclass(frozen=True, slots=True)
class Selection:
    """Tests by pytest's -k and places; `--quick` may have fewer of both."""

    measure: str
    figure: str
    goal: str
    words: str
    places: tuple[str, ...] = ("tests",)
    quick_words: str = ""
    quick_places: tuple[str, ...] = ()

    def command(self, size: Size) -> list[str]:
        quick = size is not Size.FULL
        words = (self.quick_words or self.words) if quick else self.words
        places = (self.quick_places or self.places) if quick else self.places
        chosen = f"({words}) and not short_form" if words else ""
        return ["-k", chosen, *(place for place in places if (ROOT / place).exists())]


BLOCKS = Selection(
    "M9", "tests of mined blocks: heights 1 to 1,000, mixed transactions", "0 rejects",
    "thousand or heights or templates or mutated_blocks", ("tests/node", "tests/unit/fakes"),
    quick_places=tuple(f"tests/node/test_{name}.py" for name in ("chain", "gbt_source", "fuzz")),
)  # fmt: skip
NATIVE = Selection(
    "M12", "sanitizer, Valgrind, hardening and warning tests of the C code", "0 reports",
    "", ("tests/backends/test_native_build.py", "tests/backends/test_hardening.py"),
    "portable_alone or shared_counter or built_module",
)  # fmt: skip
SECRETS = Selection(
    "M14", "tests that hunt canary secrets and escapes", "found nowhere",
    "p14 or p12 or p15 or canary or secret or escape",
    quick_places=(
        "tests/e2e/test_secrets.py", "tests/e2e/test_stratum_words.py", "tests/unit/test_secret.py",
        "tests/unit/run/test_config.py", "tests/unit/protocol", "tests/unit/transport",
    ),
)  # fmt: skip
HONESTY = Selection(
    "M15", "misconfigurations: one line, exit code, no traceback", ">= 40, none fails",
    "p16 or p15 or mistake or misconfig or honest", ("tests/e2e", "tests/unit/run/test_config.py"),
    "is_one_line or p16_a_wrong", ("tests/e2e/test_mistakes.py", "tests/unit/run/test_config.py"),
)  # fmt: skip


def take(run: Run, selection: Selection) -> list[Row]:
    report = run.folder / "report.xml"
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider",
               f"--junitxml={report}", *selection.command(run.size)]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=590)
    if done.returncode == GONE or not report.exists():
        raise NotRun(f"no test was run: {' '.join(selection.command(run.size))}")
    total, failed, skipped, names = 0, 0, [], []
    for case in ElementTree.parse(report).iter("testcase"):
        name = case.get("name", "?")
        if case.find("skipped") is not None:
            skipped.append(name)
            continue
        total += 1
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
            names.append(name)
    notes = (f"skipped, so not run: {', '.join(skipped[:12])}",) if skipped else ()
    value = f"{total - failed} of {total} pass, {len(skipped)} skipped"
    return [Row(selection.measure, selection.figure, value, selection.goal, total, failed,
                notes=(*notes, *names[:5]))]  # fmt: skip


def blocks(run: Run) -> list[Row]:
    return take(run, BLOCKS)


def native(run: Run) -> list[Row]:
    return take(run, NATIVE)


def secrets(run: Run) -> list[Row]:
    return take(run, SECRETS)


def honesty(run: Run) -> list[Row]:
    return take(run, HONESTY)
