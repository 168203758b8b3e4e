"""Every backend there is: the tuple below, then entry points of the group `miner.backends`.

Nothing falls back in silence: a name works or fails; `auto` says what it passed over and why.
"""

import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from miner.backends import selftest
from miner.backends.base import Backend, Candidate, Provider
from miner.devices import cpu
from miner.errors import BackendUnavailable, MinerError

# Preference order. Modules are imported when first asked for, so that numpy's or OpenCL's memory
# is paid only by those who use it.
FAMILIES = ("opencl", "native", "hashlib", "numpy", "python")
ENTRY_POINTS = "miner.backends"
AUTO = "auto"
TRIAL_S = 0.3  # how long `auto` times each of two pure-Python families

Say = Callable[[str], None]


@cache
def provider(family: str) -> Provider:
    """The provider of a family, built-in or external. Raises BackendUnavailable."""
    if family in FAMILIES:
        found: Provider = importlib.import_module(f"miner.backends.{family}").PROVIDER
        return found
    for entry in _external():
        if entry.name == family:
            return _load(entry)
    names = ", ".join((AUTO, *FAMILIES, *(entry.name for entry in _external())))
    raise BackendUnavailable(family, f"no such backend; choose one of {names}")


def probe_all() -> list[Candidate]:
    """Every candidate of every family, each with its reason if unusable; never raises."""
    rows: list[Candidate] = []
    for family in FAMILIES:
        rows += _probe(family, partial(provider, family))
    taken = {row.name for row in rows} | set(FAMILIES)
    for entry in _external():
        if entry.name in taken:
            rows.append(_broken(entry.name, "its name is taken already"))
            continue
        taken.add(entry.name)
        rows += [replace(row, external=True) for row in _probe(entry.name, partial(_load, entry))]
    return rows


def open_named(name: str, cache_dir: Path) -> Backend:
    """Open one backend by name, "family" or "family:detail"; the self-test has passed.

    Raises BackendUnavailable or BackendFault.
    """
    family = name.partition(":")[0]
    backend = provider(family).open(name, cache_dir)
    if family not in FAMILIES:
        selftest.check(backend)
    return backend


def open_choice(
    names: Sequence[str], threads: int | None, cache_dir: Path, say: Say
) -> list[Backend]:
    """One opened backend for each worker: what `--backend` and `--threads` ask for.

    Each parallel backend is opened `threads` times (default: one for each core this process may
    use), the others once. `say` hears what was chosen and passed over, in words. A name works or
    raises; of what `auto` chose, whatever cannot be opened is told and left out.
    """
    names = names or (AUTO,)
    found = probe_all() if AUTO in names else _probe_named(names)
    rows = {row.name: row for row in found}
    chosen: dict[str, bool] = {}  # name: must it work?
    for name in names:
        for one in _auto(found, cache_dir, say) if name == AUTO else [name]:
            chosen[one] = chosen.get(one, False) or one in names
    return _open_workers(chosen, rows, threads or cpu.cores(), cache_dir, say)


def _open_workers(
    chosen: dict[str, bool], rows: dict[str, Candidate], threads: int, cache_dir: Path, say: Say
) -> list[Backend]:
    backends: list[Backend] = []
    left = len(chosen)
    try:
        for name, needed in chosen.items():
            left -= 1
            try:
                first = open_named(name, cache_dir)
            except MinerError as error:
                if needed or not (backends or left):
                    raise
                say(f"{error}; going on without it")
                continue
            backends.append(first)
            row = rows.get(first.info.name)
            more = threads - 1 if row and row.parallel and first.info.batch == "cpu" else 0
            if any(backend.info.batch == "gpu" for backend in backends[:-1]):
                more -= 1  # a GPU's feeding thread wants a core's attention
            say(f"{first.info.name}: {first.info.device}, {max(more, 0) + 1} worker(s)")
            backends += [open_named(first.info.name, cache_dir) for _ in range(more)]
    except MinerError:
        for backend in backends:
            backend.close()
        raise
    return backends


def _auto(rows: list[Candidate], cache_dir: Path, say: Say) -> list[str]:
    """Every usable GPU, plus native; without native, the faster of hashlib and numpy."""
    usable = [row for row in rows if row.usable and row.auto]
    chosen = [row.name for row in usable if row.name.startswith("opencl:")]
    natives = [row for row in usable if row.name.startswith("native:")]
    for row in rows:
        # That a PC has no ARM instructions is no news while native code for it runs.
        if not row.usable and not (natives and row.name.startswith("native:")):
            say(f"{row.name} not used: {row.why_not}")
    chosen += [row.name for row in usable if row.external]
    if natives:
        return [*chosen, "native"]
    say("native is not usable here, so hashing will be many times slower than it could be")
    plain = [row.name for row in usable if row.name in ("hashlib", "numpy")]
    if not plain:
        raise BackendUnavailable(AUTO, "nothing on this machine is usable; see `miner devices`")
    rates = {name: trial_rate(open_named(name, cache_dir)) for name in plain}
    return [*chosen, max(rates, key=lambda name: rates[name])]


def trial_rate(backend: Backend) -> float:
    """Hashes a second over a short run on a unit that never hits; the backend is closed after."""
    unit = selftest.real_block(selftest.GENESIS, backend.info.versions_wanted - 1)
    unit = replace(unit, target=0)
    backend.scan(unit, 0, 1)  # what is made at first use is not timed
    hashes, begun = 0, time.monotonic()
    while time.monotonic() - begun < TRIAL_S:
        hashes += backend.scan(unit, 0, 1 << 16).hashes
    rate = hashes / (time.monotonic() - begun)
    backend.close()
    return rate


def _external() -> list[EntryPoint]:
    return sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name)


def _load(entry: EntryPoint) -> Provider:
    try:
        loaded: Provider = entry.load()
        loaded.probe, loaded.open  # noqa: B018 - a stranger's object: has it the two methods?
    except Exception as error:
        raise BackendUnavailable(entry.name, f"{entry.value} cannot be loaded: {error}") from error
    return loaded


def _probe(family: str, get: Callable[[], Provider]) -> list[Candidate]:
    try:
        return get().probe()
    except Exception as error:  # noqa: BLE001 - a broken provider is a row with a reason
        return [_broken(family, f"{type(error).__name__}: {error}")]


def _probe_named(names: Sequence[str]) -> list[Candidate]:
    """The families asked for alone: a slow or broken one that nobody wants costs nothing."""
    families = dict.fromkeys(name.partition(":")[0] for name in names)
    return [row for family in families for row in _probe(family, partial(provider, family))]


def _broken(name: str, why: str) -> Candidate:
    return Candidate(name, False, why_not=why, auto=False)
