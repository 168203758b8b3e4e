"""The commands as a user types them, short runs on real backends."""

import csv
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from miner.cli.main import cli
from miner.errors import BackendFault, BackendUnavailable, ConfigError, MinerError
from miner.measure import export, runs, schema, session, store
from miner.measure.bench import Plan

from .test_proof import GENESIS_HEADER
from .test_result import sample

Run = Callable[..., Result]
SHORT = Plan(samples=16, slice_s=0.1, warmup_s=0.1)
SHORT_MINER = """
import sys
from miner.__main__ import main
from miner.measure import bench, session
session.QUICK = bench.Plan(samples=16, slice_s=0.1, warmup_s=0.1)
main()
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Invoke `miner ...` in a home of its own; our errors are raised."""
    monkeypatch.setenv("MINER_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(session, "QUICK", SHORT)
    monkeypatch.setattr(session.verify, "__defaults__", (SHORT,))

    def invoke(*words: object) -> Result:
        done = CliRunner().invoke(cli, [str(word) for word in words])
        if isinstance(done.exception, MinerError):
            raise done.exception
        return done

    return invoke


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "r.json"
    path.write_text(json.dumps(store.to_dict(sample(cases=2))))
    return path


def test_bench_exports_and_saves(run: Run, tmp_path: Path) -> None:
    words = ("bench", "--backend", "hashlib", "--threads", 1, "--samples", 1)
    done = run(*words, "--export", "out.json", "--save")
    assert done.exit_code == 0, done.output
    assert "hashlib x1 v1" in done.stdout
    assert "fewer than 8" in done.stdout  # one slice: never a bare rate
    assert "a block every" in done.stdout
    data = json.loads((tmp_path / "out.json").read_text())
    jsonschema.validate(data, schema.load())
    assert len(data["cases"][0]["slices"]) == 1
    assert (tmp_path / "home/state/baseline.json").exists()


def test_exports_agree(run: Run, tmp_path: Path) -> None:
    found = sample(cases=2)
    for suffix in export.FORMS:
        export.write(found, tmp_path / f"r{suffix}")
    rows = list(csv.DictReader((tmp_path / "r.csv").read_text().splitlines()))
    assert [row["threads"] for row in rows] == ["1", "2"]
    assert float(rows[0]["median_hs"]) == pytest.approx(1.002e6)
    assert rows[0]["boundary"] == "package"
    text = (tmp_path / "r.md").read_text()
    assert "| native:avx2 x1 v8 | 1.002 MH/s | [" in text
    assert "package (powercap)" in text


def test_verify_repeats_the_digest(run: Run, tmp_path: Path) -> None:
    run("bench", "--backend", "hashlib", "--samples", 1, "--seed", 5, "--export", "out.json")
    done = run("bench", "--verify", "out.json", "--samples", 1)
    assert done.exit_code == 0
    assert "same" in done.stdout
    data = json.loads((tmp_path / "out.json").read_text())
    old = store.load(tmp_path / "out.json")
    short = Plan(samples=1, slice_s=0.05, warmup_s=0.05)
    good = session.verify(old, tmp_path, lambda step: None, lambda text: None, short)
    assert good[0].digest == "same"
    data["cases"][0]["gate"]["digest"] = "00" * 32
    data["cases"].append(data["cases"][0] | {"backend": "abacus", "proof": None})
    again = store.from_dict(data, "x")
    (tmp_path / "bad.json").write_text(json.dumps(data))
    with pytest.raises(BackendFault, match=r"other hits than bad\.json"):
        run("bench", "--verify", "bad.json", "--samples", 1)
    bad = session.verify(again, tmp_path, lambda step: None, lambda text: None, short)
    assert bad[0].digest == "DIFFERENT"
    assert bad[1].digest.startswith("not here")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bench", "--samples", "0"], "0 slices"),
        (["bench", "--soak", "0m"], "duration '0m'"),
        (["bench", "--soak", "soon"], "duration 'soon'"),
        (["bench", "--watts", "-5"], "--watts -5"),
        (["bench", "--watts", "nan"], "--watts nan"),
        (["bench", "--fail-below", "0.97"], "--against"),
        (["bench", "--against", "a'b"], "No closing quotation"),
        (["bench", "--against", " "], "--against is empty"),
        (["bench", "--threads", "0"], "--threads '0'"),
        (["bench", "--threads", "2,x"], "--threads '2,x'"),
        (["bench", "--export", "out.xls"], "must end in"),
        (["bench", "--quick", "--full"], "exclude each other"),
        (["bench", "--verify", "absent.json"], "cannot be read"),
        (["bench", "compare", "absent.json", "absent.json"], "cannot be read"),
        (["gap", "--from", "absent.json"], "cannot be read"),
        (["gap", "--plot", "gap.gif"], "must end in .png, .svg"),
        (["gap", "--html", "no/such/folder/gap.html"], "folder does not exist"),
        (["gap", "--difficulty", "-1"], "--difficulty -1"),
        (["gap", "--price", "nan"], "--price nan"),
        (["gap", "--tokens", "0"], "--tokens 0"),
        (["gap", "--watts", "nan"], "--watts nan"),
        (["gap", "--from", "absent.json", "--soak", "10m"], "leave out"),
        (["gap", "--tariff", "mars"], "presets:"),
        (["hardware", "--kind", "abacus"], "choose one of"),
        (["hardware", "--year", "soon"], "not a year"),
        (["hardware", "--sort", "beauty"], "choose one of"),
    ],
)
def test_bad_input_is_one_line(run: Run, words: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        run(*words)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_backend(run: Run) -> None:
    with pytest.raises(BackendUnavailable, match="abacus"):
        run("bench", "--backend", "abacus", "--samples", "1")


def test_a_wrong_backend_exits_4(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from miner.backends import registry

    from .test_bench import Liar

    monkeypatch.setattr(registry, "open_named", lambda name, cache: Liar())
    with pytest.raises(BackendFault, match="hashlib has"):
        run("bench", "--backend", "hashlib", "--samples", "1")
    assert BackendFault.exit_code == 4


def test_interrupt_exports_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "short.py").write_text(SHORT_MINER)
    out = tmp_path / "out.json"
    words = ["bench", "--backend", "hashlib", "--samples", "500", "--export", str(out)]
    env = {"MINER_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(
        [sys.executable, "-P", tmp_path / "short.py", *words],
        env=env,
        stderr=subprocess.PIPE,
        text=True,
        stdout=subprocess.DEVNULL,
        cwd=Path(__file__).parents[3],
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("slice"):
                break
        time.sleep(1)  # time for a slice of a tenth of a second on a busy machine
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 130
    found = store.load(out)
    assert found.partial
    assert 1 <= len(found.cases[0].slices) < 100


def test_compare_prints_a_word(run: Run, file: Path, tmp_path: Path) -> None:
    done = run("bench", "compare", file, file)
    assert done.exit_code == 0
    assert done.stdout.count("can't tell") == 2
    assert "measure with --runs 3" in done.stdout
    fast, slow = (
        [tmp_path / f"{name}-{index}.json" for index in range(4)] for name in ("fast", "slow")
    )
    for index, (one, other) in enumerate(zip(fast, slow, strict=True)):
        one.write_text(json.dumps(store.to_dict(sample(1e6 + index, cases=2))))
        other.write_text(json.dumps(store.to_dict(sample(0.9e6 + index, cases=2))))
    done = run("bench", "compare", *fast[:3], *reversed(fast[1:]))
    assert done.stdout.count("same within 1 %") == 2
    assert "where the true ratio of the two builds lies" in done.stdout
    done = run("bench", "compare", *fast[:3], "vs", *slow, "--fail-below", "0.97", "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert [row["word"] for row in found["rows"]] == ["slower"] * 2
    assert found["rows"][0]["runs"] == [3, 4]
    assert "Student's t" in found["method"]
    done = run("bench", "compare", "--machines", file, slow[0])
    assert done.exit_code == 0
    assert "0.900" in done.stdout
    assert json.loads(run("bench", "compare", "--machines", file, slow[0], "--json").stdout)
    for words, said in (
        ([file] * 3, "no two halves"),
        (["vs", file], "nothing to compare"),
        ([file, file, "vs", slow[0]], "hold the same run"),
        (["--machines", file, file], "each file once"),
        (["--machines", file, slow[0], "--fail-below", "0.9"], "judges nothing"),
    ):
        with pytest.raises(ConfigError, match=said):
            run("bench", "compare", *words)


def test_runs_are_processes_that_take_turns(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "short.py").write_text(SHORT_MINER)
    monkeypatch.setattr(runs, "THIS", (sys.executable, str(tmp_path / "short.py")))
    words = ("bench", "--backend", "hashlib", "--samples", 1, "--export", "out.json")
    done = run(*words, "--against", f"{sys.executable} {tmp_path}/short.py", "--json")
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)["rows"]
    assert row["word"] == "can't tell"  # one slice a run, but three runs a side: an interval
    turns = re.findall(r"run \d of 3 (old|new)", done.stderr)
    assert turns == ["old", "new", "new", "old", "old", "new"]
    assert len(list(tmp_path.glob("out-old-*.json"))) == 3
    for words_, said in (
        (("--runs", "2", "--against", "x"), "not between 3"),
        (("--runs", "3", "--save"), "one run's result"),
        (("--against", "/no/such/miner"), "cannot be started"),
        (("--fail-below", "-1"), "not a ratio"),
    ):
        with pytest.raises(ConfigError, match=said):
            run("bench", "--samples", 1, *words_)


def test_a_run_measures_what_is_installed_not_what_lies_there(tmp_path: Path) -> None:
    (tmp_path / "miner").mkdir()
    (tmp_path / "miner/__init__.py").touch()
    (tmp_path / "miner/__main__.py").write_text("print('a tree without its C library')")
    done = subprocess.run(
        [*runs.THIS, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "homehash" in done.stdout


def test_verify_needs_no_machine_and_refuses_what_is_forged(run: Run, tmp_path: Path) -> None:
    run("bench", "--backend", "hashlib", "--samples", 2, "--export", "out.json",
        "--seed-block", GENESIS_HEADER)  # fmt: skip
    done = run("bench", "verify", "out.json")
    assert done.exit_code == 0, done.output
    assert "were done with 95 % confidence" in done.stdout
    assert "not before block 000000000019d668" in done.stdout
    assert "2009-01-03 18:15" in done.stdout
    assert "not proven" in done.stdout
    data = json.loads((tmp_path / "out.json").read_text())
    jsonschema.validate(data, schema.load())
    (case,) = data["cases"]
    hashes = sum(one["hashes"] for one in case["slices"])
    expected = hashes * (int(case["proof"]["target"], 16) + 1) / 2**256  # 400, had the rate stayed
    assert abs(len(case["proof"]["shares"]) - expected) < 6 * expected**0.5
    data["cases"][0]["proof"]["shares"].append(data["cases"][0]["proof"]["shares"][0])
    (tmp_path / "bad.json").write_text(json.dumps(data))
    for words in ("bench verify", "bench --verify", "bench compare out.json",
                  "bench compare --machines out.json", "gap --from"):  # fmt: skip
        with pytest.raises(ConfigError, match="stands there twice"):
            run(*words.split(), "bad.json")


def test_gap_as_text(run: Run, file: Path) -> None:
    done = run("gap", "--from", file, "--difficulty", "1e14", "--tariff", "0.30 EUR")
    for words in ("Antminer S23 XP Hyd", "package (powercap)", "given by user", "0.3 EUR/kWh",
                  "1.000e14", "measured here", "quoted", "Germany, homes"):  # fmt: skip
        assert words in done.stdout, words


def test_gap_without_joules_guesses_nothing(run: Run, file: Path) -> None:
    data = json.loads(file.read_text())
    data["cases"] = [case | {"energy": None} for case in data["cases"]]
    file.write_text(json.dumps(data))
    done = run("gap", "--from", file)
    assert "give --watts W from a wall meter" in done.stdout
    assert "wall (given by user)" in run("gap", "--from", file, "--watts", "60").stdout


def test_gap_measures_when_it_has_no_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "QUICK", Plan(samples=2, slice_s=0.1, warmup_s=0.1))
    done = run("gap", "--backend", "python", "--watts", "50")
    assert done.exit_code == 0
    assert "python, 1 thread, 1 header version" in done.stdout
    assert "wall (given by user)" in done.stdout


class Page(HTMLParser):
    """Collects what the page would fetch, its tables, pictures and ids."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            if name in ("src", "srcset", "data") or (name.endswith("href") and tag != "a"):
                self.fetched.append(value or "")


def test_page_and_pictures(run: Run, file: Path, tmp_path: Path) -> None:
    data = json.loads(file.read_text())
    data["environment"]["cpu"] = "<script>alert(1)</script>"
    data["cases"][0]["device"] = "\x1b[31mred"
    file.write_text(json.dumps(data))
    done = run("gap", "--from", file, "--html", "gap.html", "--plot", "gap.png")
    assert done.exit_code == 0, done.exception
    text = (tmp_path / "gap.html").read_text("utf-8")
    page = Page()
    page.feed(text)
    assert all(link.startswith("#") for link in page.fetched)  # nothing leaves the file
    assert "url(http" not in text
    assert "@import" not in text
    assert "script" not in page.tags
    assert page.tags.count("svg") == 12  # six pictures, each broad and narrow
    assert page.tags.count("table") == 7
    assert "details" not in page.tags  # paper opens nothing: every source is printed
    assert text.count("<li>") > 120
    assert len(page.ids) == len(set(page.ids))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(page.ids)
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    names = sorted(path.name for path in tmp_path.glob("*.png"))
    assert names == ["gap-costs.png", "gap-other-way.png", "gap-pays.png", "gap-scaling.png",
                     "gap-stability.png", "gap.png"]  # fmt: skip
    for name in names:
        header = (tmp_path / name).read_bytes()[:24]
        assert header[:8] == b"\x89PNG\r\n\x1a\n"
        assert int.from_bytes(header[16:20], "big") == 1200


def test_every_axis_has_a_unit() -> None:
    from miner.gap import arithmetic, economics, essay, hardware, twogaps

    found, table, known = sample(cases=2), hardware.load(), economics.load()
    own = arithmetic.own_from(found)
    bars = twogaps.bars(own, table, known)
    network = arithmetic.network_from(known)
    drawn = essay.draw(essay.Findings(found, own, table, known, network, [], bars))
    units = {
        "rates": ["H/s"],
        "costs": ["J/TH"],
        "scaling": ["H/s"],
        "stability": ["%", "%"],
    }
    for name, wanted in units.items():
        labels = [axes.get_ylabel() for axes in drawn[name].axes]
        assert all(unit in label for unit, label in zip(wanted, labels, strict=True)), labels
        assert drawn[name].axes[-1].get_xlabel()
    assert "USD/kWh" in drawn["pays"].axes[-1].get_xlabel()
    assert "times better" in drawn["other-way"].axes[-1].get_xlabel()
    assert [axes.get_title(loc="left") for axes in drawn["other-way"].axes] == [
        "per joule", "per second",
    ]  # fmt: skip
    assert "threads" in drawn["scaling"].axes[0].get_xlabel()
    assert drawn["stability"].axes[-1].get_xlabel().endswith(", s")


def test_hardware_lists_with_source(run: Run) -> None:
    done = run("hardware", "--kind", "asic", "--sort", "efficiency")
    lines = done.stdout.splitlines()
    first = next(index for index, line in enumerate(lines) if "S23 XP Hyd" in line)
    second = next(index for index, line in enumerate(lines) if "A4 Ultra" in line)
    assert first < second
    assert "announced" in lines[first]
    assert "J/TH" in lines[first]
    assert "Pencil" not in done.stdout
    assert "flatters the ASIC" in done.stderr


def test_own_hardware_row_shows_in_list_and_gap(run: Run, file: Path, tmp_path: Path) -> None:
    from miner.gap.hardware import COLUMNS

    config = tmp_path / "home/config"
    config.mkdir(parents=True)
    row = "My box,cpu,me,2024-05,1e6,50,5e7,,,https://example.org/box,own meter,P"
    (config / "hardware.csv").write_text(f"{','.join(COLUMNS)}\n{row}\n")
    assert "My box" in run("hardware", "--year", "2024").stdout
    assert "My box" in run("gap", "--from", file).stdout
