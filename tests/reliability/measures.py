"""The table of measures M1 to M15: which module takes each."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from tests.reliability.measure import Row, Run


@dataclass(frozen=True, slots=True)
class Measure:
    """`module` has a function `measure`; `in_suite` names the tests that are its short form."""

    name: str  # "M3 kills": the figure's id, then what is done
    module: str
    in_suite: str = ""

    def load(self) -> Callable[[Run], list[Row]]:
        module = importlib.import_module(f"tests.reliability.{self.module}")
        take: Callable[[Run], list[Row]] = module.measure
        return take


# In the order they are taken: what can lose a block comes first.
TABLE = (
    Measure("M1 fuzzing", "m01_fuzz", in_suite="tests/fuzz"),
    Measure("M3 kills", "m03_kills"),
    Measure("M3 faults", "m03_faults"),
    Measure("M10 shutdown", "m10_shutdown"),
)
