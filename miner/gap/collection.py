"""A collection of proven results: what is taken in, under which name, and how it is ranked.

A file is taken as it is, since its shares are bound to every value in it: what is not a result's is
refused, never stripped.
"""

import getpass
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from miner import files, units
from miner.errors import ConfigError
from miner.measure import environment, export, proof, stats, store
from miner.measure.result import CPU_TIME, CaseResult, Result
from miner.measure.trust import INTERRUPTED, SHARED

MOST_THREAD_HS = 1e9  # of a CPU thread: a wide multiple of the fastest known
MOST_GPU_HS = 1e12
MOST_CLOCK_MHZ = 10_000
LEAST_J_PER_TH = {"package": 1e3, "board": 1e2, "machine": 1e3, "wall": 1e3}
CPU_SHARE = 1.02  # CPU seconds a second and thread: clocks are not read at the same instant
NOISY = "noisy"
TRUSTED = ("steady", NOISY)
BESIDE_OTHERS = {SHARED, INTERRUPTED, NOISY}  # doubts that CPU time answers
MOST_CPU_TIME_SD = 0.03  # of a rate by CPU time that may stand for a quiet one
ADDRESS = re.compile(
    r"(?<![\d.v])(?<!driver )(?<!version )(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"  # IPv4
    r"|(?:[0-9a-f]{1,4}:){4}|[0-9a-f]{1,4}::[0-9a-f]"  # IPv6, and what cards and modems have
    r"|[\w.+-]+@[\w-]+\.\w+|/(?:home|Users|root|mnt|media)/|[A-Z]:\\",
    re.IGNORECASE,
)
# Names that systems give themselves, and whose words stand in their versions too.
EVERYBODY = {"", "root", "localhost", "debian", "ubuntu", "fedora", "linux", "user", "admin"}
LEAST_PROVEN = 0.7  # of the hashes claimed; an honest run of 200 shares proves 84 %
FROM_COUNT = 10  # files; a percentile of fewer would be a boast


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a collection: its best case in figures."""

    path: Path
    result: Result
    case: CaseResult
    summary: stats.Summary
    finding: proof.Finding

    @property
    def gpu(self) -> bool:
        return self.case.on_gpu

    @property
    def model(self) -> str:
        """The CPU's or the card's name; a CPU whose name tells no model, as in many virtual
        machines, with its numbers."""
        if self.gpu:
            return self.case.device
        known = self.result.environment
        named, numbers = str(known.get("cpu")), known.get("cpu_id")
        vague = isinstance(numbers, str) and not re.search(r"\d", named)
        return f"{named} ({numbers})" if vague else named

    @property
    def bound(self) -> str:
        """What its work is derived from; two files never share it."""
        return proof.commitment(self.result, self.case, self.case.proof.target if self.case.proof
                                else 0)  # fmt: skip

    @property
    def rate_hs(self) -> float:
        """Sustained where the run was long enough, else its burst; `case.length` says which."""
        return self.case.sustained_hs or self.summary.median

    @property
    def burst_hs(self) -> float:
        """What ranks it: every file has one, so that like stands beside like."""
        return self.case.burst_hs or self.summary.median

    @property
    def per_core_hs(self) -> float | None:
        """By the physical cores in use, as far as they are known."""
        cores = self.result.environment.get("cores")
        if self.gpu or type(cores) is not int or cores < 1:
            return None
        return self.burst_hs / min(cores, self.case.fills)


def entry(path: Path) -> Entry:
    """A file that may stand in a collection. Raises ConfigError saying why it may not."""
    result = store.load(path)
    case = result.best()
    summary = case.summary(result.seed) if case else None
    if case is None or summary is None:
        raise ConfigError(f"{path} holds no valid measurement: its gate did not pass")
    try:
        proof.seed_of(result)
        findings = proof.check(result)
        why = _refuse(result, case, findings)
    except ConfigError as error:
        why = str(error)
    if why:
        raise ConfigError(f"{path} is not taken: {why}")
    own = next(one for one in findings if one.case is case)
    return Entry(path, result, case, summary, own)


def _refuse(result: Result, case: CaseResult, findings: list[proof.Finding]) -> str:
    """The first of proof, trust, plausibility and privacy that fails, in words."""
    wrong = next((one for one in findings if not one.passed), None)
    if wrong is not None:
        return f"{wrong.case.spelled}: {wrong.why}"
    weak = next((one for one in findings if one.share_proven < LEAST_PROVEN), None)
    if weak is not None:
        return (
            f"{weak.case.spelled}: its {weak.shares} shares prove "
            f"{units.percent(weak.share_proven)} of the hashes claimed, fewer than "
            f"{units.percent(LEAST_PROVEN)}: measure again, for longer"
        )
    if result.partial:
        return "the run was interrupted"
    return _mistrust(case) or implausible(case) or _personal(result)


def _mistrust(case: CaseResult) -> str:
    trust = case.trust()
    if not case.on_gpu and not case.cpu_rates():
        return "CPU time was not counted, so it is not known what other programs took"
    if trust.word in TRUSTED or (case.sustained_hs is not None and not trust.disturbed):
        return ""
    reason = trust.reasons[0]
    if case.basis == CPU_TIME and set(trust.words) <= BESIDE_OTHERS:
        spread = stats.relative_sd(case.cpu_rates())
        if spread <= MOST_CPU_TIME_SD:
            return ""
        return f"{reason}, and CPU time varies by {units.percent(spread, 1)}"
    return f"{trust.word}: {reason}"


def implausible(case: CaseResult) -> str:
    most = MOST_GPU_HS if case.on_gpu else MOST_THREAD_HS * case.fills
    for index, one in enumerate(case.slices):
        if one.rate_hs > most:
            return f"slice {index}: {units.rate(one.rate_hs)} is beyond any known machine"
        if not case.on_gpu and (one.cpu_s or 0) > CPU_SHARE * one.seconds * case.fills:
            return f"slice {index}: more CPU time than {case.fills} threads have"
        if (one.clock_mhz or 0) > MOST_CLOCK_MHZ:
            return f"slice {index}: a clock of {one.clock_mhz:g} MHz"
    if case.energy and case.energy.gross_j_per_th < LEAST_J_PER_TH.get(case.energy.boundary, 0.0):
        return f"{units.energy(case.energy.gross_j_per_th)} is below any known machine of its kind"
    return ""


def _personal(result: Result) -> str:
    """What would tell who measured; keys that a result does not have are not taken either."""
    known = {*environment.collect(), "devices"}
    strange = sorted(set(result.environment) - known)
    if strange:
        return f"environment.{strange[0]} is none of a result's facts"
    names = {name for name in (socket.gethostname(), _user()) if name.lower() not in EVERYBODY}
    for place, text in _texts(store.to_dict(result), "result"):
        if ADDRESS.search(text):
            return f"{place} holds an address or a path: {text[:60]!r}"
        if any(re.search(rf"\b{re.escape(name)}\b", text) for name in names if len(name) > 2):
            return f"{place} holds a host or user name: {text[:60]!r}"
    return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _texts(value: object, place: str) -> Iterator[tuple[str, str]]:
    """Every text below a value, with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from _texts(below, f"{place}.{key}")
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _texts(below, f"{place}[{index}]")


def slug(text: str) -> str:
    """A name for folders: lower-case letters, digits and hyphens, 60 at most."""
    plain = re.sub(r"\((r|tm)\)|@.*| cpu\b| processor\b", "", text.lower())
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "unknown"


def name(found: Entry) -> Path:
    """model/date-backend-xN-hash.json: two files never share one."""
    case, result = found.case, found.result
    parts = (result.created[:10], slug(case.name), f"x{case.threads}", found.bound[:8])
    return Path(slug(found.model)) / f"{'-'.join(parts)}.json"


def submit(path: Path, folder: Path) -> tuple[Path, Entry]:
    """Check a file and put it where it belongs. Raises ConfigError; then nothing is written."""
    found = entry(path)
    target = folder / name(found)
    if target.exists():
        raise ConfigError(f"{target} is there already: this result was submitted before")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        files.replace(target, export.to_json(found.result).encode())
        target.chmod(0o644)  # for everybody
    except OSError as error:
        raise ConfigError(f"{target} cannot be written: {error.strerror or error}") from error
    return target, found


def stays(result: Result) -> list[str]:
    """Everything that a submitted file tells beside figures."""
    cases = [f"case: {case.spelled}, on {case.device}" for case in result.cases]
    facts = [f"{key}: {value}" for key, value in result.environment.items() if value is not None]
    return [f"measured: {result.created}", *cases, *facts]


def read(folder: Path, copies: Path | None = None) -> tuple[list[Entry], list[str]]:
    """Every file of a collection, the fastest burst first, and why others are left out. `copies`:
    a folder below it that is not of the collection.

    Raises ConfigError when the folder is none.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder of result files")
    found: dict[str, Entry] = {}
    refused = []
    for path in sorted(folder.rglob("*.json")):
        if copies is not None and path.resolve().is_relative_to(copies.resolve()):
            continue
        try:
            one = entry(path)
            if one.bound in found:
                raise ConfigError(f"{path} is a copy of {found[one.bound].path.name}")
            found[one.bound] = one
        except ConfigError as error:
            refused.append(str(error).replace(str(path), str(path.relative_to(folder))))
    return sorted(found.values(), key=lambda one: -one.burst_hs), refused


def shipped() -> list[Entry]:
    """The results that come with homehash."""
    with resources.as_file(resources.files("miner.gap") / "data" / "results") as folder:
        return read(folder)[0] if folder.is_dir() else []


def standing(rank: int, count: int) -> str:
    """`rank` counts from 1 = fastest. A percentile needs enough files to be one."""
    if count < FROM_COUNT:
        return f"{rank} of {count}"
    return f"faster than {100 * (count - rank) / count:.0f} % of {count}"
