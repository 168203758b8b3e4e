"""What the native provider says and refuses; hashing is the common suite's."""

import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

from miner.backends import native, selftest
from miner.backends.base import Backend, Hit, OpenOptions
from miner.backends.native import calibration, device
from miner.backends.native.device import variants
from miner.backends.native.library import Library
from miner.errors import BackendFault, BackendUnavailable

ROOT = Path(__file__).parents[2]
NAMES = ("avx512", "shani", "avx2", "sse2", "armv8", "neon", "portable")


@pytest.fixture
def clib() -> Library:
    if native.LIBRARY is None:
        pytest.skip(native.NOT_BUILT)
    return native.LIBRARY


@pytest.fixture
def usable(clib: Library) -> list[str]:
    return [name for name, why_not in variants(clib).items() if not why_not]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder that probe() reads."""
    monkeypatch.setenv("MINER_HOME", str(tmp_path))
    return tmp_path / "cache"


def remember(clib: Library, cache: Path, rates: dict[str, float]) -> None:
    """These rates of the variants, whatever the shape and the number of versions."""
    rows = {
        f"{row.name} x{n}": rates[row.variant]
        for row in device.usable(clib)
        if row.variant in rates
        for n in (1, row.versions_wanted)
    }
    calibration.save(cache, clib.file, rows)


def test_every_variant_has_a_row(clib: Library, home: Path) -> None:
    rows = {row.name: row for row in native.PROVIDER.probe()}
    assert tuple(rows) == tuple(f"native:{name}" for name in NAMES)
    assert rows["native:portable"].usable
    assert all(row.parallel for row in rows.values())
    assert all(bool(row.why_not) != row.usable for row in rows.values())
    assert sum(row.rank == 0 for row in rows.values()) == 1
    assert "chosen until measured" in next(row.detail for row in rows.values() if row.rank == 0)


def test_without_the_library_one_row_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(native, "LIBRARY", None)
    monkeypatch.setattr(native, "NOT_BUILT", "not built: no compiler")
    (row,) = native.PROVIDER.probe()
    assert (row.name, row.usable, row.why_not) == ("native", False, "not built: no compiler")
    with pytest.raises(BackendUnavailable, match="not built: no compiler"):
        native.PROVIDER.open("native", OpenOptions(tmp_path))


def test_the_compiler_that_built_it_is_named(
    clib: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = native.compiler()
    assert named and re.fullmatch(r"(gcc|clang) \d[\w.+ ()-]*", named)
    comment = clib.file.read_bytes()
    if named.startswith("gcc"):  # it signs what it makes
        assert re.search(rb"GCC: \([^)]*\) " + re.escape(named.split()[1].encode()), comment)
    monkeypatch.setattr(native, "LIBRARY", None)
    assert native.compiler() is None


def test_the_measured_shape_scans(clib: Library, home: Path) -> None:
    """Units of one version and of several may have different ones; both are shown."""
    rows = device.usable(clib, "sse2") or device.usable(clib, "neon")
    if len(rows) < 2:
        pytest.skip("no variant with several shapes here")
    first, second = rows[0], rows[1]
    kept = {f"{row.name} x{n}": 1e6 for row in rows for n in (1, row.versions_wanted)}
    kept |= {f"{first.name} x1": 2e6, f"{second.name} x{second.versions_wanted}": 3e6}
    calibration.save(home, clib.file, kept)
    opened = native.PROVIDER.open(f"native:{first.variant}", OpenOptions(home))
    assert isinstance(opened, device.NativeBackend)
    assert (opened.several, opened.one) == (second, first)
    row = next(row for row in native.PROVIDER.probe() if row.name == f"native:{first.variant}")
    assert f"3.0 MH/s a thread, shape {second.form} ({first.form} for one version)" in row.detail


def test_a_shape_can_be_forced(clib: Library, tmp_path: Path) -> None:
    for row in device.usable(clib):
        opened = native.PROVIDER.open(f"native:{row.name}", OpenOptions(tmp_path))
        assert isinstance(opened, device.NativeBackend)
        assert (opened.info.name, opened.several, opened.one) == (f"native:{row.name}", row, row)
    with pytest.raises(BackendUnavailable, match=r"native:portable:oval .* there are loops1"):
        native.PROVIDER.open("native:portable:oval", OpenOptions(tmp_path))


def test_a_wrong_shape_is_taken_out_loudly(
    clib: Library, home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rows = device.usable(clib)
    broken = next((row for row in rows if row.variant in ("sse2", "neon")), None)
    if broken is None:
        pytest.skip("no variant with several shapes here")
    check = selftest.check

    def fails(backend: Backend) -> None:
        if backend.info.name == f"native:{broken.name}":
            raise BackendFault(backend.info.name, "self-test: planted")
        check(backend)

    monkeypatch.setattr(selftest, "check", fails)
    with caplog.at_level(logging.ERROR):
        opened = native.PROVIDER.open(f"native:{broken.variant}", OpenOptions(home))
    assert isinstance(opened, device.NativeBackend)
    assert broken not in (opened.several, opened.one)
    assert f"native:{broken.name} failed: self-test: planted" in caplog.text


def test_unknown_variant_is_refused(clib: Library, tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match=r"native:mmx .* there are avx512, shani"):
        native.PROVIDER.open("native:mmx", OpenOptions(tmp_path))


def test_missing_feature_is_refused_by_name(clib: Library, tmp_path: Path) -> None:
    absent = {name: why for name, why in variants(clib).items() if why}
    assert absent, "no CPU has both x86's and ARM's"
    for name, why in absent.items():
        with pytest.raises(BackendUnavailable) as caught:
            native.PROVIDER.open(f"native:{name}", OpenOptions(tmp_path))
        assert caught.value.why == why


def test_measured_fastest_is_chosen_and_shown(clib: Library, usable: list[str], home: Path) -> None:
    slowest_first = {name: 1e6 * (place + 1) for place, name in enumerate(usable)}
    remember(clib, home, slowest_first)
    assert native.PROVIDER.open("native", OpenOptions(home)).info.name == f"native:{usable[-1]}"
    (chosen,) = (row for row in native.PROVIDER.probe() if row.rank == 0)
    assert chosen.name == f"native:{usable[-1]}"
    assert f"{len(usable)}.0 MH/s a thread, chosen" in chosen.detail


def test_first_use_measures_and_remembers(
    clib: Library, usable: list[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = native.PROVIDER.open("native", OpenOptions(home))
    kept = calibration.load(home, clib.file)
    rows = device.usable(clib)
    assert set(kept) == {f"{row.name} x{n}" for row in rows for n in (1, row.versions_wanted)}
    fastest = max(rows, key=lambda row: kept[f"{row.name} x{row.versions_wanted}"])
    assert opened.info.name == f"native:{fastest.variant}"

    def never(backends: object) -> dict[str, float]:
        raise AssertionError("measured twice")

    monkeypatch.setattr(calibration, "measure", never)
    assert native.PROVIDER.open("native", OpenOptions(home)).info.name == opened.info.name


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "[]", '{"key": 1}', '{"key": "other", "rates_hs": {"portable": 1}}'],
)
def test_bad_cache_is_no_cache(clib: Library, home: Path, text: str) -> None:
    home.mkdir(parents=True)
    (home / calibration.FILE).write_text(text)
    assert calibration.load(home, clib.file) == {}


def test_rates_that_are_no_rates_are_dropped(clib: Library, home: Path) -> None:
    path = clib.file
    home.mkdir(parents=True)
    rates = {"portable": 2.5, "sse2": "9", "avx2": True, "shani": None, "neon": -1.0}
    text = json.dumps({"key": calibration.key(path), "rates_hs": rates})
    (home / calibration.FILE).write_text(text)
    assert calibration.load(home, path) == {"portable": 2.5}


def test_unwritable_cache_is_no_error(clib: Library, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    remember(clib, file / "cache", {"portable": 1.0})


def test_wrong_variant_is_taken_out_loudly(
    clib: Library,
    usable: list[str],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = usable[0]
    if broken == "portable":
        pytest.skip("only portable is usable here")
    remember(clib, home, dict.fromkeys(usable, 1.0) | {broken: 2.0})
    check = selftest.check

    def fails(backend: Backend) -> None:
        if backend.info.name == f"native:{broken}":
            raise BackendFault(backend.info.name, "self-test: planted")
        check(backend)

    monkeypatch.setattr(selftest, "check", fails)
    with caplog.at_level(logging.ERROR):
        assert native.PROVIDER.open("native", OpenOptions(home)).info.name != f"native:{broken}"
    assert f"native:{broken} failed: self-test: planted" in caplog.text
    with pytest.raises(BackendFault, match="planted"):
        native.PROVIDER.open(f"native:{broken}", OpenOptions(home))


def test_planted_hit_in_every_lane(clib: Library, tmp_path: Path) -> None:
    """The genesis nonce, reached from every starting point of a step, alone under its target."""
    nonce = int.from_bytes(selftest.GENESIS[76:], "little")
    block = selftest.real_block(selftest.GENESIS, 0)
    for name in [row.name for row in device.usable(clib)]:
        backend = native.PROVIDER.open(f"native:{name}", OpenOptions(tmp_path))
        for before in range(64):
            got = backend.scan(block, nonce - before, 65)
            assert got.hits == (Hit(1, nonce),), f"{name}: {before} nonces before"
            assert got.hashes == 65


def test_random_triples_equal_portable(clib: Library) -> None:
    """The script at a hundredth of its full size."""
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "lab" / "triples.py", "--triples", "100000"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "equal to portable on 100000 triples" in done.stdout
