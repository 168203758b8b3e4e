"""What a collection takes in, what it refuses, and the page made of it."""

import json
import socket
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from miner.errors import ConfigError
from miner.gap import collection, site
from miner.measure import environment, export, proof, store
from miner.measure.bench import Bench, Plan
from miner.measure.cases import Case
from miner.measure.result import Result, Slice
from miner.work.found import Share


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A real run of the host, a tenth of a second; as its file."""
    known = environment.collect() | {"cpu": "Test(R) CPU @ 3 GHz"}
    result = Result("2026-11-22T12:00:00+00:00", "0.1.0", "abc", known, 3, "quick")
    plan = Plan(samples=10, slice_s=0.01, warmup_s=0.05, seed=3)
    bench = Bench(plan, result, Path("/"), lambda step: None, lambda backend: None)
    bench.add(Case("hashlib", 1, False), tmp_path_factory.mktemp("cache"))
    bench.run()
    calm(result)
    return dict(json.loads(export.to_json(result)))


def calm(result: Result) -> None:
    """As if nobody else had been on the machine: the same hashes, in steady seconds."""
    case = result.cases[0]
    case.counters = {}
    case.slices = [
        Slice(one.hashes, one.hashes / 1e6, cpu_s=one.hashes / 1e6) for one in case.slices
    ]


def put(data: dict[str, Any], folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    fresh = json.loads(json.dumps(data))
    change(fresh)
    path = folder / "r.json"
    path.write_text(json.dumps(fresh))
    return path


def test_a_good_file_is_named_for_its_model(made: dict[str, Any], tmp_path: Path) -> None:
    path = put(made, tmp_path, lambda data: None)
    target, found = collection.submit(path, tmp_path / "all")
    assert target.parent.name == "test"
    assert target.name.startswith("2026-11-22-hashlib-x1-")
    assert store.to_dict(store.load(target)) == store.to_dict(store.load(path))
    assert any(text.startswith("cpu: Test") for text in collection.stays(found.result))
    with pytest.raises(ConfigError, match="submitted before"):
        collection.submit(path, tmp_path / "all")


def personal(key: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda data: data["environment"].update({key: value})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.update(partial=True), "interrupted"),
        (lambda data: data["cases"][0]["proof"]["shares"].clear(), "more is claimed"),
        (lambda data: data["cases"][0].update(proof=None), "no shares"),
        (lambda data: data.update(seed=4), "other work"),
        (lambda data: data["cases"][0]["counters"].update(throttles=3), "thermal throttle"),
        (lambda data: data["cases"][0]["gate"].update(passed=False, why="wrong"), "contradict"),
    ],
)
def test_what_is_not_taken(
    made: dict[str, Any], tmp_path: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    path = put(made, tmp_path, change)
    with pytest.raises(ConfigError, match=said):
        collection.submit(path, tmp_path / "all")
    assert not (tmp_path / "all").exists()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("os", "Debian of 192.168.1.7", "an address"),
        ("os", "me@example.org", "an address"),
        ("compiler", "/home/me/gcc", "a path"),
        ("kernel", "Linux muehle", "host or user name"),
        ("os", "Debian of fe80::1ff:fe23:4567:890a", "an address"),
        ("os", "Debian of 00:1a:2b:3c:4d:5e", "an address"),
        ("compiler", r"C:\Users\me\gcc", "a path"),
        ("hostname", "x", "none of a result's facts"),
    ],
)
def test_nothing_personal_is_taken(
    made: dict[str, Any], tmp_path: Path, key: str, value: str, said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The proof would fail as well, since the environment is bound to it: it is left out here."""
    monkeypatch.setattr(Share, "from_hit", lambda unit, version, nonce: object())
    monkeypatch.setattr(socket, "gethostname", lambda: "muehle")
    path = put(made, tmp_path, personal(key, value))
    with pytest.raises(ConfigError, match=said):
        collection.submit(path, tmp_path / "all")


def test_nothing_personal_hides_outside_the_environment(
    made: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Share, "from_hit", lambda unit, version, nonce: object())
    monkeypatch.setattr(socket, "gethostname", lambda: "debian")  # no person's choice
    path = put(made, tmp_path, lambda data: data["cases"][0].update(device="card of /home/me"))
    with pytest.raises(ConfigError, match=r"result\.cases\[0\]\.device holds an address or a path"):
        collection.submit(path, tmp_path / "all")
    put(made, tmp_path, personal("os", "PoCL 3.1+debian, driver 24.20.11.1, Vulkan v1.3.289.0"))
    collection.submit(path, tmp_path / "all")


def test_shares_must_prove_most_of_what_is_claimed(made: dict[str, Any], tmp_path: Path) -> None:
    """Half the shares of an honest run: no sign of forgery, and too little to be taken."""
    result = store.from_dict(made, "x")
    case = result.cases[0]
    assert case.proof is not None
    weak = proof.Finding(case, 100, 30, 25.0, 60.0)
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr(proof, "check", lambda result: [weak])
        with pytest.raises(ConfigError, match="prove 60 % of the hashes claimed"):
            collection.submit(put(made, tmp_path, lambda data: None), tmp_path / "all")


def test_a_cpu_without_a_model_name_has_its_numbers(made: dict[str, Any], tmp_path: Path) -> None:
    found = collection.entry(put(made, tmp_path, lambda data: None))
    found.result.environment |= {"cpu": "AMD EPYC", "cpu_id": "family 26 model 2 stepping 1"}
    assert found.model == "AMD EPYC (family 26 model 2 stepping 1)"
    found.result.environment["cpu"] = "AMD Ryzen 9 7950X"
    assert found.model == "AMD Ryzen 9 7950X"


def test_without_cpu_time_nobody_knows_who_else_was_there(
    made: dict[str, Any], tmp_path: Path
) -> None:
    """A forger leaves it out, and a run beside others looks steady."""
    result = store.from_dict(made, "x")
    result.cases[0].slices = [replace(one, cpu_s=None) for one in result.cases[0].slices]
    (tmp_path / "r.json").write_text(export.to_json(result))
    with pytest.raises(ConfigError, match="CPU time was not counted"):
        collection.submit(tmp_path / "r.json", tmp_path / "all")


@pytest.mark.parametrize(("spread", "taken"), [(0.001, True), (0.025, True), (0.06, False)])
def test_beside_others_a_rate_by_cpu_time_is_taken_while_it_holds_still(
    made: dict[str, Any], tmp_path: Path, spread: float, taken: bool
) -> None:
    """Others took 60 %: the rate by CPU time stands, also where it is called noisy for 2.5 %."""
    result = store.from_dict(made, "x")
    case = result.cases[0]
    case.slices = [
        replace(one, seconds=2.5 * one.seconds, cpu_s=one.seconds * (1 + spread * (-1) ** i))
        for i, one in enumerate(case.slices)
    ]
    (tmp_path / "r.json").write_text(export.to_json(result))
    if taken:
        assert collection.submit(tmp_path / "r.json", tmp_path / "all")[1].case.basis == "CPU time"
    else:
        with pytest.raises(ConfigError, match=r"others took 60 %.* CPU time varies by 6"):
            collection.submit(tmp_path / "r.json", tmp_path / "all")


def test_wonders_are_refused(made: dict[str, Any], tmp_path: Path) -> None:
    result = store.from_dict(made, "x")
    case = result.cases[0]
    fast = [replace(one, seconds=one.hashes / 1e12, cpu_s=None) for one in case.slices]
    assert "beyond any known" in collection.implausible(replace(case, slices=fast))
    many = [replace(one, cpu_s=3 * one.seconds) for one in case.slices]
    assert "more CPU time than 1" in collection.implausible(replace(case, slices=many))
    hot = [replace(one, clock_mhz=2e4) for one in case.slices]
    assert "clock of 20000 MHz" in collection.implausible(replace(case, slices=hot))


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if tag == "a" and name == "href"]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_site_leads_from_each_figure_to_its_file(made: dict[str, Any], tmp_path: Path) -> None:
    collection.submit(put(made, tmp_path, lambda data: None), tmp_path / "all")
    (tmp_path / "all" / "my own").mkdir()
    (tmp_path / "all" / "my own" / "forged.json").write_text("{}")
    entries, refused = collection.read(tmp_path / "all")
    index = site.write(entries, refused, tmp_path / "out")
    page = Page()
    page.feed(index.read_text())
    assert len(page.links) == 1  # a burst, and no sustained rate
    linked = store.load(index.parent / page.links[0])
    assert linked.cases[0].summary(3) == entries[0].summary
    assert "1 of 1" in page.texts  # no percentile of so few
    assert any(text.startswith("my own/forged.json is JSON, but not") for text in page.texts)
    assert "script" not in index.read_text()
    with pytest.raises(ConfigError, match="no folder"):
        collection.read(tmp_path / "absent")


def test_a_site_inside_its_collection_counts_nothing_twice(
    made: dict[str, Any], tmp_path: Path
) -> None:
    collection.submit(put(made, tmp_path, lambda data: None), tmp_path / "all")
    for _ in range(2):
        entries, refused = collection.read(tmp_path / "all", tmp_path / "all/public" / site.FILES)
        assert (len(entries), refused) == (1, [])
        site.write(entries, refused, tmp_path / "all/public")
    entries, refused = collection.read(tmp_path / "all")
    assert len(entries) == 1
    assert "is a copy of" in refused[0]


def test_a_percentile_needs_ten() -> None:
    assert collection.standing(1, 3) == "1 of 3"
    assert collection.standing(2, 9) == "2 of 9"
    assert collection.standing(3, 10) == "faster than 70 % of 10"


def test_shipped_results_are_proven() -> None:
    for one in collection.shipped():
        assert one.finding.passed
