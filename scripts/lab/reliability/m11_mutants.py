"""M11: small mistakes put into wire, consensus and journal code; do the tests notice?"""

import os
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab.reliability.measure import NotRun, Row, Run
from lab.reliability.mutant_server import Server
from lab.reliability.mutants import TESTS, Mutant, mutants, untested

GOAL = 0.85
BUDGET_S = 540.0  # then no further mutant is begun
PROCESSES = 2
Tried = Sequence[tuple[Mutant, bool | None]]  # None: the tests fail without the mutant too


def measure(run: Run) -> list[Row]:
    if not hasattr(os, "fork"):
        raise NotRun("this system cannot fork")
    dice, wanted = run.dice("mutants"), run.pick(2, 40, 300)
    modules = list(TESTS)[: run.pick(1, None, None)]
    every = [mutant for module in modules for mutant in mutants(module)]
    chosen = dice.sample(every, min(wanted, len(every)))
    deadline = time.monotonic() + run.pick(30.0, 18.0, BUDGET_S)
    with ThreadPoolExecutor(PROCESSES) as pool:
        folders = [run.folder / str(n) for n in range(PROCESSES)]
        shares = [chosen[n::PROCESSES] for n in range(PROCESSES)]
        parts = pool.map(try_all, folders, shares, [deadline] * PROCESSES)
        tried = [result for part in parts for result in part]
    counted = [(mutant, noticed) for mutant, noticed in tried if noticed is not None]
    missed = [mutant for mutant, noticed in counted if not noticed]
    score = 1 - len(missed) / max(len(counted), 1)
    value = f"{100 * score:.0f} % of {len(counted)} noticed ({len(every)} possible)"
    unfit = sorted({mutant.module for mutant, noticed in tried if noticed is None})
    notes = [f"not run, the tests fail without a mutant: {', '.join(unfit)}"] if unfit else []
    unreached = sorted(
        {mutant.module for mutant in chosen} - {mutant.module for mutant, _ in tried}
    )
    notes += [f"no time for {', '.join(unreached)}"] if unreached else []
    notes += [by_module(counted, missed), f"not in the table: {', '.join(untested())}"]
    notes += [f"not noticed: {m.module}:{m.line} {m.what}" for m in missed[:8]]
    return [Row("M11", "mutants of wire, consensus and journal code", value, "score >= 85 %",
                len(counted), reached=score >= GOAL and not unfit, notes=tuple(notes))]  # fmt: skip


def by_module(counted: Tried, missed: list[Mutant]) -> str:
    """The modules of which one mutant in five or more was missed."""
    number = Counter(mutant.module for mutant, _ in counted)
    bad = Counter(mutant.module for mutant in missed)
    weak = [
        f"{name} {bad[name]} of {number[name]}" for name in bad if bad[name] * 5 >= number[name]
    ]
    return f"one in five or more not noticed: {', '.join(sorted(weak)) or 'in no module'}"


def try_all(folder: Path, chosen: list[Mutant], deadline: float) -> Tried:
    """Each mutant, and whether its tests failed."""
    results: list[tuple[Mutant, bool | None]] = []
    sound: dict[str, bool] = {}
    server = Server(sorted({mutant.module for mutant in chosen}), folder)
    try:
        for mutant in chosen:
            if time.monotonic() > deadline:
                break
            module = mutant.module
            if module not in sound:
                sound[module] = not server.noticed(module, -1)
            noticed = server.noticed(module, mutant.number) if sound[module] else None
            results.append((mutant, noticed))
    finally:
        server.close()
    return results
