"""What the page is made of: small, whole, from nowhere else; no text becomes markup."""

import hashlib
import re
from pathlib import Path

import miner.views.web

STATIC = Path(miner.views.web.__file__).parent / "static"
UPLOT = "uplot.js"
# dist/uPlot.iife.min.js of uPlot 1.6.32
UPLOT_SHA256 = "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"
MOST_BYTES = 120 * 1024
OURS = sorted(path for path in STATIC.iterdir() if path.name != UPLOT)
# Words by which scanners know other firmware; ours is met later than these.
OTHERS = (
    "antMiner blackMiner Daoge luci Braiins Luxor 用户界面 Lucky cloud-box AnthillOS "
    "Dashboard Avalon DragonMint Fluminer"
).split()


def loaded(page: str) -> set[str]:
    """Every file that a page brings in, by its links and imports."""
    found, waiting = {page}, [page]
    while waiting:
        text = (STATIC / waiting.pop()).read_text("utf-8")
        for name in re.findall(r'(?:src|href)="/([\w.-]+)"|from "/([\w.-]+)"', text):
            for one in name:
                if one and one not in found:
                    assert (STATIC / one).is_file(), one
                    found.add(one)
                    waiting += [one] if one.endswith(".js") and one != UPLOT else []
    return found


def test_uplot_is_what_its_authors_published_with_its_licence_beside_it() -> None:
    assert hashlib.sha256((STATIC / UPLOT).read_bytes()).hexdigest() == UPLOT_SHA256
    licence = (STATIC / "uplot-license.txt").read_text()
    assert "MIT" in licence and "Leon Sorokin" in licence


def test_all_that_a_page_loads_is_at_most_120_kb() -> None:
    files = loaded("index.html")
    assert sum((STATIC / name).stat().st_size for name in files) <= MOST_BYTES
    assert {path.name for path in STATIC.iterdir()} - files == {"uplot-license.txt"}


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


def test_every_part_has_a_name_and_every_name_its_part() -> None:
    html = (STATIC / "index.html").read_text("utf-8")
    ids = re.findall(r'id="([\w-]+)"', html)
    assert len(ids) == len(set(ids))
    used = set()
    for name in loaded("index.html") - {UPLOT}:
        used |= set(re.findall(r'\bat\("([\w-]+)"\)', (STATIC / name).read_text("utf-8")))
    assert used and used - set(ids) == set()
    assert html.count("<!-- first numbers -->") == 1
