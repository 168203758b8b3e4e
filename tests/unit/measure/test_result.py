import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from miner.errors import ConfigError
from miner.measure import export, schema, screen, stats, store
from miner.measure.result import CaseResult, Energy, Gate, Result, Slice


def sample(rate: float = 1e6, cases: int = 1) -> Result:
    found = Result("2026-11-22T12:00:00+00:00", "0.1.0", "abc", {"cpu": "x"}, 1, "quick")
    for index in range(cases):
        case = CaseResult(
            "native", "avx2", "CPU", index + 1, 8, "cpu", Gate(25, "ab" * 32, True),
            overhead=0.001,
        )  # fmt: skip
        rates = [rate * (1 + 0.001 * (i % 5)) for i in range(10)]
        case.slices = [
            Slice(int(one), 1.0, 45.0, 3000.0, None, float(i), cpu_s=float(index + 1))
            for i, one in enumerate(rates)
        ]
        case.warmup = case.slices[:2]
        hashes = sum(one.hashes for one in case.slices)
        case.energy = Energy(450.0, hashes, 10.0, "package", "powercap", 15.0)
        found.cases.append(case)
    return found


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.load())


def test_round_trip_and_schema() -> None:
    found = sample(cases=2)
    data = json.loads(json.dumps(store.to_dict(found)))
    jsonschema.validate(data, schema.load())
    again = store.from_dict(data, "file")
    assert store.to_dict(again) == data
    assert again.cases[0].slices == found.cases[0].slices
    assert again.cases[0].label == "native:avx2 x1 v8"


def test_an_invalid_and_an_empty_case_have_no_rate() -> None:
    found = sample()
    found.cases[0].gate = Gate(25, "", False, "self-test: wrong")
    data = store.to_dict(found)
    jsonschema.validate(data, schema.load())
    assert data["cases"][0]["stats"] is None
    assert data["cases"][0]["verdict"] == {"word": "INVALID", "reasons": ["self-test: wrong"]}
    assert found.best() is None


def test_a_share_of_the_limit_is_said_where_it_is_known() -> None:
    """The rate of all threads over what their cores could reach; a file keeps it."""
    case = sample(1e6).cases[0]
    assert screen.details(sample()) == [
        line for line in screen.details(sample()) if "compiled" not in line
    ]
    case.shape, case.counters["limit_hs"] = "loops2", 1.25e6
    assert case.share_of_limit == pytest.approx(0.8016, abs=1e-4)
    found = Result("2026-11-22T12:00:00+00:00", "0.1.0", "abc", {"cpu": "x"}, 1, "quick", [case])
    words = "native:avx2 x1 v8: compiled as loops2; 80 % of what this core's vector units can do"
    assert f"{words} at most" in screen.details(found)
    assert f"{words} at most" in screen.details(store.from_dict(store.to_dict(found), "file"))
    case.variant, case.threads = "shani", 2
    assert "compiled as loops2; 40 % of what these cores' SHA units can" in "\n".join(
        screen.details(found)
    )
    case.counters.clear()
    assert "native:shani x2 v8: compiled as loops2" in screen.details(found)


def test_energy_gross_and_net() -> None:
    energy = Energy(450.0, 10_000_000, 10.0, "package", "powercap", 15.0)
    assert energy.gross_j_per_th == 45e6
    assert energy.net_j_per_th == 30e6
    assert Energy(450.0, 10, 10.0, "wall", "given", None).net_j_per_th is None
    assert Energy(450.0, 10, 10.0, "wall", "given", 50.0).net_j_per_th is None


def without(data: dict[str, Any], path: str) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(data))
    *way, last = path.split(".")
    part: Any = copy
    for step in way:
        part = part[int(step)] if step.isdigit() else part[step]
    del part[last]
    return copy


@pytest.mark.parametrize(
    "path",
    ["seed", "cases.0.threads", "cases.0.gate.digest", "cases.0.slices.3.seconds",
     "cases.0.energy.boundary", "cases.0.stats.median", "homehash.version"],
)  # fmt: skip
def test_a_missing_key_is_named_and_jsonschema_agrees(path: str) -> None:
    broken = without(store.to_dict(sample()), path)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema.load())
    with pytest.raises(ConfigError, match=rf"{path.rpartition('.')[2]} is missing"):
        store.from_dict(broken, "file")


@pytest.mark.parametrize(
    ("key", "value"),
    [("seed", -1), ("seed", True), ("seed", "1"), ("partial", 0), ("cases", {}),
     ("created", None)],
)  # fmt: skip
def test_a_wrong_value_is_refused_and_jsonschema_agrees(key: str, value: object) -> None:
    broken = store.to_dict(sample()) | {key: value}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema.load())
    with pytest.raises(ConfigError, match=f"file.{key}"):
        store.from_dict(broken, "file")


def test_unknown_keys_are_ignored() -> None:
    data = store.to_dict(sample()) | {"future": 1}
    data["cases"][0]["slices"][0]["volts"] = 3
    store.from_dict(data, "file")


def test_foreign_files_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    newer = store.to_dict(sample()) | {"schema": 2}
    for text, said in (
        ("", "cannot be read"),
        ("[1]", "not from"),
        ('{"a": 1}', "not from"),
        ("[" * 100_000, "cannot be read"),
        (json.dumps(newer), "schema 2 is newer"),
        (json.dumps(newer | {"schema": "1"}), "want 1"),
    ):
        path.write_text(text)
        with pytest.raises(ConfigError, match=said) as caught:
            store.load(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        store.load(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"seconds": 1.0', '"seconds": NaN', "NaN is not JSON"),
        ('"seconds": 1.0', '"seconds": 1e999', "finite number"),
        ('"seconds": 1.0', '"seconds": -Infinity', "is not JSON"),
        ('"hashes": 1000000,', f'"hashes": 1{"0" * 400},', "a number of 401 digits, want at most"),
        ('"joules": 45.0', '"joules": 1e308', "want at most"),
        ('"joules": 45.0', '"joules": -1', "want at least 0"),
        ('"2026-11-22T12:00:00+00:00"', '"yesterday"', "want a time in UTC"),
        ('"2026-11-22T12:00:00+00:00"', '"2026-02-31T12:00:00+00:00"', "no such time"),
        ('"joules": 450.0', '"joules": 4.5', r"energy.joules is 4.5, the slices say 450"),
        ('"proof": null', '"proof": {"target": "' + "0" * 64 + '", "shares": []}', "64 hex digits"),
        ('"2026-11-22T12:00:00+00:00"', '""', "want a time in UTC"),
        ('"median": 1002000.0', '"median": 1e12', "the slices say"),
        ('"n": 10', '"n": 11', "the slices say 10"),
        ('"schema": 1', '"schema": 2', "newer"),
        ('"threads": 2', '"threads": 1', "a second native:avx2 x1 v8"),
        ('"seed": 1', f'"seed": {"9" * 5000}', "cannot be read"),
    ],
)
def test_what_is_wrong_is_one_line(old: str, new: str, said: str, tmp_path: Path) -> None:
    text = json.dumps(store.to_dict(sample(cases=2)))
    assert old in text
    path = tmp_path / "bad.json"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError, match=said) as caught:
        store.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_one_line(share: float, tmp_path: Path) -> None:
    text = json.dumps(store.to_dict(sample()))
    path = tmp_path / "part.json"
    path.write_text(text[: int(share * len(text))])
    with pytest.raises(ConfigError, match=r"cannot be read|from `miner bench"):
        store.load(path)


def test_an_interrupt_before_the_first_case_is_a_file_of_ours() -> None:
    found = sample()
    found.cases.clear()
    found.partial = True
    assert store.from_dict(store.to_dict(found), "x").cases == []


def test_summaries_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = stats.summarize

    def counted(rates: list[float], seed: int) -> stats.Summary:
        calls.append(seed)
        return real(rates, seed)

    monkeypatch.setattr(stats, "summarize", counted)
    case = sample().cases[0]
    first = case.summary(1)
    assert case.summary(1) is first
    assert len(calls) == 1
    case.slices.append(case.slices[0])  # it grew
    assert case.summary(1) is not first


def test_burst_and_sustained_are_two_figures() -> None:
    case = sample().cases[0]
    assert (case.sustained_hs, case.length) == (None, "10 s burst")
    case.slices = [Slice(2_000_000 if i < 30 else 1_500_000, 1.0) for i in range(180)]
    assert case.burst_hs == 2e6
    assert case.sustained_hs == 1.5e6
    assert case.length == "sustained over 3.00 minutes"
    (said,) = export.burst_and_sustained(case)
    assert said.endswith(
        "burst 2 MH/s (first 16 s), sustained 1.500 MH/s (later half of 3.00 minutes)"
    )
    found = sample()
    found.cases = [case]
    assert said in export.to_markdown(found)
    assert said in screen.details(found)  # whatever the run was called
