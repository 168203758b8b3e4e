"""Every backend there is: the tuple below, then entry points of the group `miner.backends`.

Nothing falls back in silence: a name works or fails; `auto` says what it passed over and why.
"""

import importlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points

from miner.backends import choice, selftest, speed
from miner.backends.base import Backend, Candidate, Kind, OpenOptions, Provider, Sparing
from miner.devices import cpu
from miner.errors import BackendUnavailable, MinerError

# A family is one line here: the module or package whose PROVIDER finds and opens its backends.
# `miner devices` lists them in this order. Modules are imported when first asked for, so that
# numpy's or OpenCL's memory is paid only by those who use it.
MODULES = (
    "miner.backends.opencl",
    "miner.backends.wgpu",
    "miner.backends.native",
    "miner.backends.hashlib",
    "miner.backends.numpy",
    "miner.backends.python",
)
ENTRY_POINTS = "miner.backends"
AUTO = "auto"
TRIAL_S = 0.3  # how long `auto` times each of two that are equal


def families() -> list[str]:
    """The families of the tuple, in its order."""
    return [module.rpartition(".")[2] for module in MODULES]


@cache
def provider(family: str) -> Provider:
    """The provider of a family, built-in or external. Raises BackendUnavailable."""
    for module in MODULES:
        if module.rpartition(".")[2] == family:
            found: Provider = importlib.import_module(module).PROVIDER
            return found
    for entry in _external():
        if entry.name == family:
            return _load(entry)
    names = ", ".join((AUTO, *families(), *(entry.name for entry in _external())))
    raise BackendUnavailable(family, f"no such backend; choose one of {names}")


def probe_all(for_auto: bool = False, named: Sequence[str] = ()) -> list[Candidate]:
    """Every candidate of every family, each with its reason if unusable; never raises.

    `for_auto`: a family that knows without asking its drivers that `auto` finds nothing here, and
    that none of `named` belongs to, is one row that says so; asking costs some 0.4 s.
    """
    rows: list[Candidate] = []
    wanted = {name.partition(":")[0] for name in named}
    for family in families():
        rows += _probe(family, partial(provider, family), for_auto and family not in wanted)
    taken = {row.name for row in rows} | set(families())
    for entry in _external():
        if entry.name in taken:
            rows.append(_broken(entry.name, "its name is taken already"))
            continue
        taken.add(entry.name)
        found = _probe(entry.name, partial(_load, entry))
        rows += [replace(row, external=True, rank=None) for row in found]
    return rows


def open_named(name: str, options: OpenOptions) -> Backend:
    """Open one backend by name, "family" or "family:detail"; the self-test has passed.

    The detail may be shortened, or a part of the device's name, and no more than that: what was
    opened for another name is refused. Raises BackendUnavailable or BackendFault.
    """
    backend = open_untested(name, options)
    try:
        selftest.check(backend)
    except MinerError:
        _close(backend)
        raise
    return backend


def open_untested(name: str, options: OpenOptions) -> Backend:
    """The same without the self-test."""
    family = name.partition(":")[0]
    try:
        backend = provider(family).open(name, options)
    except MinerError:
        raise
    except Exception as error:
        if family in families():
            raise  # a bug of ours
        raise BackendUnavailable(name, f"{type(error).__name__}: {error}") from error
    if not _answers(name, backend):
        _close(backend)
        opened = backend.info.name
        raise BackendUnavailable(name, f"{family} opened {opened} instead; see `miner devices`")
    return backend


def _answers(asked: str, backend: Backend) -> bool:
    """Is this the backend of that name? Parts may be left out, the last be of its device's name."""
    parts, opened = asked.split(":"), backend.info.name.split(":")
    if len(parts) > len(opened) or parts[0] != opened[0]:
        return False
    *firsts, last = zip(parts[1:], opened[1:], strict=False) if parts[1:] else [("", "")]
    by_model = last[0].lower() in backend.info.device.lower()
    return (last[0] in ("", last[1]) or by_model) and all(want in ("", got) for want, got in firsts)


def _close(backend: Backend) -> None:
    with suppress(MinerError):  # it is being given up anyway
        backend.close()


def open_choice(names: Sequence[str], threads: int | None, options: OpenOptions) -> list[Backend]:
    """One opened backend for each worker: what `--backend` and `--threads` ask for.

    Each parallel backend is opened `threads` times (default: one for each core this process may
    use), the others once. `options.say` hears what was chosen and passed over, in words. A name
    works or raises; of what `auto` chose, whatever cannot be opened is told and left out.
    """
    names = names or (AUTO,)
    found = probe_all(for_auto=True, named=names) if AUTO in names else _probe_named(names)
    rows = {row.name: row for row in found}
    chosen: dict[str, bool] = {}  # name: must it work?
    for name in names:
        for one in auto(found, options) if name == AUTO else [name]:
            chosen[one] = chosen.get(one, False) or one in names
    threads = threads or cpu.cores()
    return _open_workers(chosen, rows, threads, replace(options, workers=threads))


def _open_workers(
    chosen: dict[str, bool], rows: dict[str, Candidate], threads: int, options: OpenOptions
) -> list[Backend]:
    backends: list[Backend] = []
    left = len(chosen)
    try:
        for name, needed in chosen.items():
            left -= 1
            try:
                first = open_named(name, options)
            except MinerError as error:
                if needed or not (backends or left):
                    raise
                options.say(f"{error}; going on without it")
                continue
            backends.append(first)
            row = rows.get(first.info.name)
            more = threads - 1 if row and row.parallel and row.kind is Kind.CPU else 0
            if any(backend.info.kind is Kind.GPU for backend in backends[:-1]):
                more -= 1  # a GPU's feeding thread wants a core's attention
            workers = "1 worker" if more < 1 else f"{more + 1} workers"
            options.say(f"{first.info.name}: {first.info.device}, {workers}")
            backends += [open_named(first.info.name, options) for _ in range(more)]
    except MinerError:
        for backend in backends:
            _close(backend)
        raise
    return backends


def auto(rows: list[Candidate], options: OpenOptions) -> list[str]:
    """The names that `auto` opens here; each row passed over is said.

    Raises BackendUnavailable when nothing is usable.
    """
    found = choice.choose(rows)
    for sentence in found.sentences():
        options.say(sentence)
    if found.better:
        options.say(f"without {found.better} hashing will be many times slower than it could be")
    names = [_fastest(group, options) for group in found.rivals]
    if not names:
        raise BackendUnavailable(AUTO, "nothing on this machine is usable; see `miner devices`")
    return names


def _fastest(names: Sequence[str], options: OpenOptions) -> str:
    """Of equals the one that is faster in a short trial; the others are said."""
    if len(names) == 1:
        return names[0]
    rates: dict[str, float] = {}
    for name in names:
        try:
            backend = open_named(name, options)
        except MinerError as error:
            options.say(f"{error}; going on without it")
            continue
        rates[name] = trial_rate(backend)
        _close(backend)
    best = max(names, key=lambda name: rates.get(name, 0.0))
    for name in rates.keys() - {best}:
        options.say(
            f"{name} not used: {best} is faster here, "
            f"{rates[best] / 1e6:.3g} against {rates[name] / 1e6:.3g} MH/s"
        )
    return best


def trial_rate(backend: Backend) -> float:
    """Hashes a second over a short run."""
    return speed.Timing(backend).sample(TRIAL_S)


def _external() -> list[EntryPoint]:
    return sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name)


def _load(entry: EntryPoint) -> Provider:
    try:
        loaded: Provider = entry.load()
        loaded.probe, loaded.open  # noqa: B018 - a stranger's object: has it the two methods?
    except Exception as error:
        raise BackendUnavailable(entry.name, f"{entry.value} cannot be loaded: {error}") from error
    return loaded


def _probe(family: str, get: Callable[[], Provider], for_auto: bool = False) -> list[Candidate]:
    """Its rows; one that is named for another family, or no row at all, is a row with a reason."""
    try:
        found = get()
        if for_auto and isinstance(found, Sparing) and (why := found.none_here()):
            return [Candidate(family, Kind.GPU, usable=False, why_not=why)]
        rows = found.probe()
        strange = next((row.name for row in rows if row.family != family), None)
    except Exception as error:  # noqa: BLE001 - a broken provider is a row with a reason
        return [_broken(family, f"{type(error).__name__}: {error}")]
    if strange is not None:
        return [_broken(family, f"its row {strange} is not named {family} or {family}:DETAIL")]
    return rows


def _probe_named(names: Sequence[str]) -> list[Candidate]:
    """The families asked for alone: a slow or broken one that nobody wants costs nothing."""
    asked = dict.fromkeys(name.partition(":")[0] for name in names)
    return [row for family in asked for row in _probe(family, partial(provider, family))]


def _broken(name: str, why: str) -> Candidate:
    return Candidate(name, Kind.CPU, usable=False, why_not=why)
