"""What the page is made of: small, whole, from nowhere else; no text becomes markup."""

import hashlib
import re
from pathlib import Path

import pytest

import miner.board
import miner.views.web

BOARD = Path(miner.board.__file__).parent / "static"
STATIC = Path(miner.views.web.__file__).parent / "static"
UPLOT = "uplot.js"
# dist/uPlot.iife.min.js of uPlot 1.6.32
UPLOT_SHA256 = "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"
MOST_BYTES = 120 * 1024
OURS = sorted(path for path in [*STATIC.iterdir(), *BOARD.iterdir()] if path.name != UPLOT)
# Words by which scanners know other firmware; ours is met later than these.
OTHERS = (
    "antMiner blackMiner Daoge luci Braiins Luxor 用户界面 Lucky cloud-box AnthillOS "
    "Dashboard Avalon DragonMint Fluminer"
).split()


def loaded(page: Path) -> set[Path]:
    """Every file that a page brings in, by its links and imports."""
    found, waiting = {page}, [page]
    while waiting:
        text = waiting.pop().read_text("utf-8")
        for name in re.findall(r'(?:src|href)="/([\w.-]+)"|from "/([\w.-]+)"', text):
            for one in filter(None, name):
                file = STATIC / one if (STATIC / one).is_file() else page.parent / one
                assert file.is_file(), one
                if file not in found:
                    found.add(file)
                    waiting += [file] if file.suffix == ".js" and one != UPLOT else []
    return found


def test_uplot_is_what_its_authors_published_with_its_licence_beside_it() -> None:
    assert hashlib.sha256((STATIC / UPLOT).read_bytes()).hexdigest() == UPLOT_SHA256
    licence = (STATIC / "uplot-license.txt").read_text()
    assert "MIT" in licence and "Leon Sorokin" in licence


def test_all_that_a_page_loads_is_at_most_120_kb() -> None:
    for folder, unseen in ((STATIC, {"uplot-license.txt"}), (BOARD, set[str]())):
        files = loaded(folder / "index.html")
        assert sum(file.stat().st_size for file in files) <= MOST_BYTES
        assert {file.name for file in set(folder.iterdir()) - files} == unseen


def test_no_text_ever_becomes_markup_and_nothing_comes_from_elsewhere() -> None:
    for path in OURS:
        text = path.read_text("utf-8")
        for way in (
            "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(",
            "createContextualFragment", "DOMParser", "setHTML", "srcdoc", "<style", "style=",
            "javascript:", " on", "@import", "url(",
        ):  # fmt: skip
            if way == " on":
                assert not re.search(r"<[^>]* on\w+=", text), path.name
                continue
            assert way not in text, f"{way} in {path.name}"
        urls = set(re.findall(r"https?://[^\s\"'<>)]+", text))
        licence = {"https://opensource.org/licenses/MIT"}
        assert urls <= {"http://www.w3.org/2000/svg"} | licence, path.name


def test_the_miners_page_says_axeos_once_and_no_other_firmwares_word() -> None:
    text = (STATIC / "index.html").read_text("utf-8")
    assert text.count("AxeOS") == 1 and re.search(r'<meta [^>]*content="[^"]*AxeOS', text)
    assert not [word for word in OTHERS if word in text]


@pytest.mark.parametrize("folder", [STATIC, BOARD], ids=["miner", "board"])
def test_every_part_has_a_name_and_every_name_its_part(folder: Path) -> None:
    html = (folder / "index.html").read_text("utf-8")
    ids = re.findall(r'id="([\w-]+)"', html)
    assert len(ids) == len(set(ids))
    used = set()
    for file in loaded(folder / "index.html") - {STATIC / UPLOT}:
        used |= set(re.findall(r'\bat\("([\w-]+)"\)', file.read_text("utf-8")))
    assert used and used - set(ids) == set()
    assert html.count("<!-- first numbers -->") == 1
