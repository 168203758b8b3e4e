"""The table of measures M1 to M15: which module takes each."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from lab.reliability.measure import Row, Run


@dataclass(frozen=True, slots=True)
class Measure:
    """`module` has the function; `in_suite` names the tests that are its short form."""

    name: str  # "M3 kills": the figure's id, then what is done
    module: str
    in_suite: str = ""
    function: str = "measure"

    def load(self) -> Callable[[Run], list[Row]]:
        module = importlib.import_module(f"lab.reliability.{self.module}")
        take: Callable[[Run], list[Row]] = getattr(module, self.function)
        return take


# In the order they are taken: what can lose a block comes first.
TABLE = (
    Measure("M3 kills", "m03_kills"),
    Measure("M3 faults", "m03_faults"),
    Measure("M2 catalogue", "scripted", "tests/test_faults.py", "catalogue"),
    Measure("M1 fuzzing", "m01_fuzz", "tests/fuzz"),
    Measure("M8 hashes", "m08_hashes"),
    Measure("M8 variants", "scripted", "", "triples"),
    Measure("M5 soak", "m05_soak"),
    Measure("M6 job switch", "scripted", "", "switch"),
    Measure("M4 storm", "scripted", "", "storm"),
    Measure("M7 failover", "m07_failover"),
    Measure("M9 blocks", "suites", "tests/node", "blocks"),
    Measure("M10 shutdown", "m10_shutdown"),
    Measure("M11 mutants", "m11_mutants"),
    Measure("M11 coverage", "m11_coverage"),
    Measure("M12 native", "suites", "tests/backends", "native"),
    Measure("M13 attack", "m13_attack"),
    Measure("M14 secrets", "suites", "tests", "secrets"),
    Measure("M15 honesty", "suites", "tests/e2e", "honesty"),
)
