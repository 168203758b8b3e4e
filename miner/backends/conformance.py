"""What every backend must do, ours or a stranger's: `miner devices --check NAME` asks it all.

Each check is a function of an opened backend that raises Broken with what went wrong. The answers
come from hashlib, header by header, and from nothing that the backends share.
"""

import math
import random
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from miner.backends import registry, selftest
from miner.backends.audit import audit
from miner.backends.base import NONCES, Backend, Candidate, Kind, OpenOptions, ScanResult
from miner.backends.selftest import Question
from miner.bitcoin.encoding import sha256d
from miner.errors import MinerError

SEED = 2009  # the same questions each time, so that a failure can be repeated
TAIL = bytes(range(72))  # of a header, after its version
SOME = 2**253  # a target that one hash in eight meets
RARE = 2**250
FLOOD = 2**255
AT_ONCE = 4  # instances that scan side by side


class Broken(Exception):
    """What a backend did wrong, in words."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An opened backend, how `miner devices` lists it, and how to open another one."""

    backend: Backend
    row: Candidate | None
    again: Callable[[], Backend]


@dataclass(frozen=True, slots=True)
class Result:
    """One check; `why` is empty when it passed."""

    check: str
    why: str = ""


Check = Callable[[Subject], None]


@contextmanager
def opened(name: str, options: OpenOptions) -> Iterator[Subject]:
    """Open a backend as mining does, but for its self-test: the checks tell more.

    Raises BackendUnavailable or BackendFault.
    """

    def again() -> Backend:
        return registry.open_untested(name, replace(options, workers=AT_ONCE))

    backend = again()
    family = name.partition(":")[0]
    rows = {row.name: row for row in registry.provider(family).probe()}
    try:
        yield Subject(backend, rows.get(backend.info.name), again)
    finally:
        backend.close()


def run(subject: Subject) -> Iterator[Result]:
    """Every check, in order; what a backend raises is what it did wrong."""
    for name, check in CHECKS.items():
        try:
            check(subject)
        except Broken as broken:
            yield Result(name, str(broken))
        except Exception as error:  # noqa: BLE001 - a stranger's code may raise anything
            yield Result(name, f"{type(error).__name__}: {error}")
        else:
            yield Result(name)


def require(holds: bool, otherwise: str) -> None:
    """Raise Broken in these words unless it holds."""
    if not holds:
        raise Broken(otherwise)


def ask(backend: Backend, question: Question) -> None:
    """Scan a whole range as a worker would, and compare with hashlib's answer."""
    try:
        got = selftest.scan_all(backend, question)
    except MinerError as error:
        raise Broken(str(error)) from error
    want = question.answer()
    if got != want:
        lost = [hit for hit in want.hits if hit not in got.hits]
        false = [hit for hit in got.hits if hit not in want.hits]
        what = (
            f"lost {lost[0]}" if lost
            else f"made {false[0]} up" if false
            else "hits are not ordered by nonce, then version, or one stands twice"
        )  # fmt: skip
        raise Broken(f"{what}; {_about(question)}")


def _about(question: Question) -> str:
    return (
        f"nonces {question.start} .. {question.start + question.count - 1}, "
        f"{len(question.versions)} versions, target {question.target:#x}"
    )


def unit(target: int, versions: int, start: int, count: int) -> Question:
    """A range of a fixed header with versions 1, 2, 3 ..."""
    numbers = tuple(range(1, 1 + versions))
    return Question(struct.pack("<I", 1) + TAIL, numbers, target, start, count)


def known_answers(subject: Subject) -> None:
    """Blocks of the chain, floods, the first nonces and the last."""
    try:
        selftest.check(subject.backend)
    except MinerError as error:
        raise Broken(str(error)) from error


def names_itself(subject: Subject) -> None:
    """Name, device, lanes and versions are told and make sense."""
    info, row = subject.backend.info, subject.row
    require(bool(info.name and info.device), f"name {info.name!r}, device {info.device!r}: empty")
    require(info.lanes >= 1, f"lanes {info.lanes} is below 1")
    wanted = info.versions_wanted
    require(1 <= wanted <= 2**16, f"versions_wanted {wanted} is not in 1 .. 65536")
    require(0 < info.scan_s <= 1, f"scan_s {info.scan_s} is not in 0 .. 1 s")
    require(isinstance(info.kind, Kind), f"kind {info.kind!r} is no Kind")
    require(row is None or row.kind is info.kind, f"probe says another kind than {info.kind}")


def no_nonce(subject: Subject) -> None:
    """A scan of nothing finds nothing and counts nothing."""
    got = subject.backend.scan(unit(SOME, 2, 0, 1), 0, 0)
    require(got == ScanResult((), 0), f"count 0 gave {got}")


def range_refused(subject: Subject) -> None:
    """ValueError where a range leaves the 32-bit nonces."""
    for start, count in ((-1, 2), (0, -1), (1, NONCES), (NONCES, 1)):
        try:
            subject.backend.scan(unit(SOME, 1, 0, 1), start, count)
        except ValueError:
            continue
        raise Broken(f"nonces {start} + {count} were accepted; want ValueError")


def ends_of_the_nonces(subject: Subject) -> None:
    """Hits at the first and the last nonce, and on both sides of the sign bit."""
    for nonce in (0, 2**31 - 1, 2**31, NONCES - 1):
        for versions in (1, 3):
            best = min(_values(unit(0, versions, nonce, 1)))
            first, last = max(nonce - 17, 0), min(nonce + 17, NONCES - 1)
            for start, end in ((nonce, nonce), (nonce, last), (first, nonce)):
                ask(subject.backend, unit(best, versions, start, end - start + 1))


def _values(question: Question) -> list[int]:
    """The hashes of a range as numbers."""
    return [
        int.from_bytes(sha256d(question.header(version, nonce)), "little")
        for nonce in range(question.start, question.start + question.count)
        for version in question.versions
    ]


def odd_ranges(subject: Subject) -> None:
    """Ranges that are no multiple of any number of lanes, at odd places."""
    for count in (1, 2, 3, 5, 7, 15, 17, 31, 33, 63, 65):
        for start in (0, 3, NONCES - count):
            ask(subject.backend, unit(SOME, 2, start, count))


def odd_versions(subject: Subject) -> None:
    """Any number of versions, one below and above the wanted one too, of all 32 bits."""
    rng, wanted = random.Random(SEED), subject.backend.info.versions_wanted
    for count in sorted({1, 2, 3, 5, 9, 17, 33, max(1, wanted - 1), wanted, wanted + 1}):
        versions = tuple(sorted(rng.sample(range(2**32), count)))
        prefix = struct.pack("<I", versions[0]) + rng.randbytes(72)
        ask(subject.backend, Question(prefix, versions, SOME, rng.randrange(2**31), 9))


def random_units(subject: Subject) -> None:
    """Random headers, versions, targets and ranges."""
    rng = random.Random(SEED)
    for _ in range(12):
        versions = tuple(sorted(rng.sample(range(2**32), rng.choice((1, 2, 7, 20)))))
        prefix = struct.pack("<I", versions[0]) + rng.randbytes(72)
        target, start = 2 ** rng.randrange(248, 256), rng.randrange(NONCES - 64)
        ask(subject.backend, Question(prefix, versions, target, start, rng.randrange(1, 24)))


def flood(subject: Subject) -> None:
    """More hits than a buffer holds: a scan may stop early, none is lost."""
    slow = subject.backend.info.lanes == 1
    for target, versions in ((FLOOD, 1), (2**256 - 1, 5)):
        ask(subject.backend, unit(target, versions, 5, 64 if slow else 1500))


def targets(subject: Subject) -> None:
    """All 256 bits count: a hash equal to the target is a hit, one above it is not."""
    ask(subject.backend, unit(0, 2, 0, 40))
    ask(subject.backend, unit(2**256 - 1, 1, NONCES - 1, 1))
    values = sorted(_values(unit(0, 2, 100, 40)))
    for value in values[:3]:
        ask(subject.backend, unit(value, 2, 100, 40))
        ask(subject.backend, unit(value - 1, 2, 100, 40))


def units_change(subject: Subject) -> None:
    """Units alternate from scan to scan, as at a job switch: what is kept is kept by value."""
    pieces = [
        question
        for start in range(0, 12, 3)
        for question in (
            unit(SOME, 2, start, 3), unit(RARE, 2, start, 3), unit(SOME, 5, start, 3),
            Question(bytes(4) + TAIL[::-1], (0, 7), SOME, start, 3),
        )
    ]  # fmt: skip
    for question in pieces:
        ask(subject.backend, question)


def planted(subject: Subject) -> None:
    """The audit of mining: hundreds of hits anywhere in the range."""
    try:
        audit(subject.backend, random.Random(SEED))
    except MinerError as error:
        raise Broken(str(error)) from error


def side_by_side(subject: Subject) -> None:
    """Several instances at once, where the row says that it is parallel."""
    if subject.row is None or not subject.row.parallel:
        return
    failures: list[str] = []
    backends = [subject.again() for _ in range(AT_ONCE)]

    def work(backend: Backend, seed: int) -> None:
        try:
            for step in range(8):
                start = (seed << 20) + 64 * step
                ask(backend, unit(SOME, 1 + (seed + step) % 5, start, 40))
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(str(error))

    threads = [
        threading.Thread(target=work, args=(backend, seed), daemon=True)
        for seed, backend in enumerate(backends)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for backend in backends:
        backend.close()
    require(not failures, f"with {AT_ONCE} at once: {'; '.join(failures[:1])}")


def sensors(subject: Subject) -> None:
    """None, or numbers where they are known."""
    told = subject.backend.sensors()
    if told is None:
        return
    for value in (told.clock_mhz, told.temperature_c, told.power_w):
        require(value is None or math.isfinite(value), f"a sensor reads {value}")


def closes(subject: Subject) -> None:
    """Closing twice does nothing, and the device can be opened anew."""
    backend = subject.again()
    backend.close()
    backend.close()
    again = subject.again()
    ask(again, unit(SOME, 2, 0, 9))
    again.close()


CHECKS: dict[str, Check] = {
    "known answers": known_answers,
    "names itself": names_itself,
    "a scan of nothing": no_nonce,
    "ranges outside the nonces": range_refused,
    "first and last nonces": ends_of_the_nonces,
    "odd ranges": odd_ranges,
    "odd numbers of versions": odd_versions,
    "random units": random_units,
    "flood of hits": flood,
    "targets of 256 bits": targets,
    "units that change": units_change,
    "planted answers": planted,
    "several at once": side_by_side,
    "sensors": sensors,
    "closing": closes,
}
