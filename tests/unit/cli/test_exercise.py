"""`miner learn exercise`: list, task, skeleton, judging a file, solution after two runs."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from miner.cli import exercise as command
from miner.cli.learn import learn
from miner.errors import ConfigError, NodeError
from miner.learn import progress
from miner.learn.exercises import catalogue, find
from miner.learn.tasks import miner as mining

WRONG = "def target(nbits):\n    return 0\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINER_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, lang: str = "en") -> Result:
    return CliRunner().invoke(learn, ["exercise", *words, "--lang", lang])


def refused(*words: str) -> str:
    done = run(*words)
    assert isinstance(done.exception, ConfigError), done.output
    return str(done.exception)


def test_the_list_has_ticks_and_says_what_is_next(home: Path) -> None:
    listed = run().output
    assert listed.count("[ ]") == 10 and "Next: miner learn exercise 1" in listed
    Path("header.py").write_text(find("header").solution)
    assert run("header", "header.py").exit_code == 0
    listed = run().output
    assert "[x]  1  header" in listed and "Next: miner learn exercise 2" in listed
    assert "Übungen" in run(lang="de").output


@pytest.mark.parametrize("lang", ["en", "de"])
def test_tasks_fit_a_terminal_of_eighty_columns(lang: str) -> None:
    for one in catalogue(lang):
        shown = run(one.name, lang=lang).output
        assert one.skeleton.rstrip() in shown and f"my_{one.name}.py" in shown
        assert max(map(len, shown.splitlines())) <= 80
        assert max(map(len, run(lang=lang).output.splitlines())) <= 80


def test_from_nothing_to_solved() -> None:
    assert "add --skeleton to begin one there" in refused("2", "mine.py")
    begun = run("2", "mine.py", "--skeleton")
    assert begun.exit_code == 0 and Path("mine.py").read_text() == find("target").skeleton
    assert "the skeleton would replace it" in refused("2", "mine.py", "--skeleton")
    first = run("2", "mine.py")
    assert first.exit_code == 1 and "NOT YET the first target of all" in first.output
    assert "is there a `return`" in first.output and "0 of 6 cases are right." in first.output
    assert "so far: 1" in refused("2", "--solution")
    Path("mine.py").write_text(WRONG)
    second = run("2", "mine.py")
    assert second.exit_code == 1 and "miner learn exercise 2 --solution" in second.output
    solution = run("2", "--solution").output
    assert solution.strip() == find("target").solution.strip()
    Path("mine.py").write_text(solution)
    third = run("2", "mine.py")
    assert third.exit_code == 0 and third.output.count("ok      ") == 6
    assert "Solved: 6 of 6 cases." in third.output and "miner learn exercise 3" in third.output


def test_a_miner_is_judged_by_the_node() -> None:
    Path("mine.py").write_text(find("miner").solution)
    done = run("miner", "mine.py")
    assert done.exit_code == 0, done.output
    assert "block 1: accepted by Bitcoin Core's engine" in done.output
    assert "block 2: accepted by Bitcoin Core's engine" in done.output


def test_results_are_recorded_where_one_asks_for_it() -> None:
    Path("mine.py").write_text(find("target").solution)
    Path("wrong.py").write_text(WRONG)
    for file in ("mine.py", "wrong.py"):
        run("2", file, "--report", "class.csv", "--pupil", "Ada")
    Path("block.py").write_text(find("miner").solution)
    run("6", "block.py", "--report", "class.csv", "--pupil", "Ada")
    run("6", "--report", "class.csv")  # nothing was tried
    rows = [line.split(",", 1)[1] for line in Path("class.csv").read_text().splitlines()]
    assert rows == ["pupil,lesson,right,asked", "Ada,exercise target,6,6",
                    "Ada,exercise target,0,6", "Ada,exercise miner,3,3"]  # fmt: skip


def test_a_block_that_the_node_refuses_is_not_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    """A miner that knows the cases by heart and mines nothing else."""
    cases = {case.given[0]["curtime"]: case.want for case in find("miner").cases}
    wants = [case.want.hex() for case in find("miner").cases]
    assert len(cases) == 1  # told apart by bits
    Path("mine.py").write_text(
        "def mine(work):\n"
        f"    easy, harder = map(bytes.fromhex, {wants!r})\n"
        "    return easy if work['bits'] == '2000ffff' else harder\n"
    )
    done = run("6", "mine.py")
    assert done.exit_code == 1 and "NOT YET block 1: the engine refuses it:" in done.output
    assert not progress.tried(Path("home/state"))["miner"].solved


def test_a_miner_that_fails_at_the_node_is_told_where(capsys: pytest.CaptureFixture[str]) -> None:
    start = "    coinbase = bytes"
    trap = f"    if work['bits'] == '207fffff':\n        return None\n{start}"
    Path("mine.py").write_text(find("miner").solution.replace(start, trap))
    done = run("6", "mine.py")
    assert done.exit_code == 1 and "NOT YET what the node asks for" in done.output
    assert "2 of 3 cases are right." in done.output
    assert "previousblockhash" in done.output and "Nothing came back" in done.output


def test_without_a_node_the_cases_alone_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_node(mine: object) -> list[mining.Sent]:
        raise NodeError("no wheel")

    monkeypatch.setattr(mining, "on_node", no_node)
    Path("mine.py").write_text(find("miner").solution)
    done = run("6", "mine.py")
    assert done.exit_code == 0 and "cannot run here (no wheel)" in done.output


def test_files_and_names_that_will_not_do() -> None:
    assert "did you mean merkle" in refused("merkel")
    assert "Is a directory" in refused("2", ".")
    assert "cannot be written: No such file" in refused("2", "none/x.py", "--skeleton")
    assert "cannot be written" in refused("2", "x" * 300, "--skeleton")
    assert "not 'c' too" in refused("2", "b", "c")
    assert "--skeleton needs a file" in refused("2", "--skeleton")
    for words in (["header", "x"], ["header", "--skeleton"], ["--solution"]):
        done = CliRunner().invoke(learn, words)
        assert done.exit_code == 2, done.output


def test_where_nothing_can_be_kept_the_judge_judges(home: Path) -> None:
    (home / "home").write_text("a file where the folder should be")
    Path("mine.py").write_text(WRONG)
    assert run("2", "mine.py").exit_code == 1


def test_runs_are_counted(home: Path) -> None:
    state = home / "state"
    assert progress.note(state, "target", False) == progress.Tried(1, False)
    assert progress.note(state, "target", True) == progress.Tried(1, True)
    assert progress.note(state, "header", False) == progress.Tried(1, False)
    assert progress.note(state, "target", False) == progress.Tried(2, True)
    assert progress.tried(state) == {
        "target": progress.Tried(2, True), "header": progress.Tried(1, False),
    }  # fmt: skip
    (state / progress.TRIED_FILE).write_text("target two\n\nx\nheader 3 solved\n")
    assert progress.tried(state) == {"header": progress.Tried(3, True)}


def test_long_lines_are_cut_at_blanks() -> None:
    assert command.cut("one two three", 8) == ["one two", "three"]
    assert command.cut("0123456789", 4) == ["0123", "4567", "89"]
    assert command.cut("", 4) == [""]
