"""A result says what was measured, whatever its version says: code, C library, compiler, flags."""

import shlex
from pathlib import Path

import pytest

from miner.backends import native
from miner.backends.native import library
from miner.measure import environment


def test_the_record_of_the_c_library_says_how_each_shape_was_compiled() -> None:
    if native.LIBRARY is None:
        pytest.skip(native.NOT_BUILT)
    flags = native.compiler_flags()
    assert flags is not None
    assert "-std=gnu11" in shlex.split(flags["all"])
    rows = {row.name for row in native.device.shapes(native.LIBRARY)}
    built = {
        row.name
        for row in native.device.shapes(native.LIBRARY)
        if not row.why_not.startswith("not built")
    }
    assert built <= flags.keys() - {"all"} <= rows
    assert "/" not in "".join(flags.values())  # a folder may name its owner
    assert environment.collect()["compiler_flags"] == flags


def test_a_record_without_flags_is_no_fault(tmp_path: Path) -> None:
    for text in ("", "[]", "{}", '{"flags": 3}', '{"flags": null}'):
        (tmp_path / "record.json").write_text(text)
        assert library.flags(tmp_path / "record.json") is None
    assert library.flags(tmp_path / "absent.json") is None


def test_python_code_is_told_apart_by_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of(text: str) -> str | None:
        (tmp_path / "miner/measure").mkdir(parents=True, exist_ok=True)
        (tmp_path / "miner/a.py").write_text(text)
        monkeypatch.setattr(environment, "__file__", str(tmp_path / "miner/measure/x.py"))
        environment.code_hash.cache_clear()
        return environment.code_hash()

    first, second = of("a = 1"), of("a = 2")
    assert (len(first or ""), first == second, of("a = 1") == first) == (16, False, True)
    environment.code_hash.cache_clear()


def test_how_a_case_was_compiled_is_said_in_words() -> None:
    known = {"compiler": "gcc 12.2.0", "compiler_flags": {"all": "-O3", "avx2:loops2": "-mavx2"}}
    assert environment.compiled(known, "avx2", "loops2") == "gcc 12.2.0 -O3 -mavx2"
    assert environment.compiled(known, "sse2", "loops1") == "gcc 12.2.0 -O3"
    assert environment.compiled({"compiler": "gcc 9"}, "avx2", "loops2") == "gcc 9"
    assert environment.compiled(known, "", "") == ""


def test_of_two_sets_of_flags_only_the_difference_is_said() -> None:
    flags = {"all": "-O3", "avx2:loops2": "-mavx2"}
    other = flags | {"all": "-O2"}
    found = environment.differences({"compiler_flags": flags}, {"compiler_flags": other})
    assert found == ["compiler_flags: all -O3 -> -O2"]
    found = environment.differences({"load_1min": 0.1, "threads": 2}, {"load_1min": 1.9})
    assert found == ["load before the start: 0.1 -> 1.9"]
