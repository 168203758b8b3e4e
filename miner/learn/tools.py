"""The living parts of the page: which tools a lesson has, their HTML, and what their script knows.

A tool is NAME.html and NAME.js in data/page/, a row of OF_LESSON, and its words in page.toml. It
stands in the first lesson of a page that uses it; later ones link there.
"""

import json
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from miner.gap import hardware
from miner.learn import answers, bundle, network
from miner.learn.chain import FAMOUS, real_headers
from miner.learn.own_node import OwnNode
from miner.learn.steps import Lesson, Setting
from miner.learn.voice import Voice

PAGE = files("miner.learn") / "data" / "page"
SAY = re.compile(r"<!--say:([a-z_0-9]+)-->")
OF_LESSON = {
    "why": ("text",),
    "header": ("bench",),
    "target": ("nbits", "bench"),
    "search": ("bench",),
    "verdict": ("bench",),
    "shares": ("bench",),
    "joules": ("speed",),
    "sha256": ("text", "bench", "rounds"),
    "ladder": ("speed",),
    "coinbase": ("tree",),
    "retarget": ("retarget", "nbits"),
    "asicboost": ("text", "bench", "rounds"),
}
MACHINES = {  # of the dated table; those without a brand have a name in each language
    "Pencil and paper (human)": "machine_pencil",
    "Desktop PC on a power meter (2010)": "machine_desktop",
    "Radeon HD 7970": "",
    "Avalon Batch 1": "",
    "Antminer S9": "",
    "Antminer S21": "",
}
ASIC = "Antminer S21"
JS = "js_"  # begins the keys of words that the script says


def template(name: str, said: Voice) -> str:
    """An HTML file of the page with its words."""
    text = (PAGE / f"{name}.html").read_text(encoding="utf-8")
    return SAY.sub(lambda found: said.say(found[1]), text)


def script() -> str:
    """Every module of the page as one script."""
    modules = sorted(one.name for one in PAGE.iterdir() if one.name.endswith(".js"))
    return bundle.script(
        {name.removesuffix(".js"): (PAGE / name).read_text(encoding="utf-8") for name in modules}
    )


def placed(chosen: Sequence[Lesson]) -> dict[str, str]:
    """Each tool of these lessons with the name of the lesson it stands in."""
    found: dict[str, str] = {}
    for lesson in chosen:
        for tool in OF_LESSON.get(lesson.name, ()):
            found.setdefault(tool, lesson.name)
    return found


def shown(lesson: Lesson, places: dict[str, str], said: Voice) -> str:
    """A lesson's tools: those that stand in it, and links to those that stand before it."""
    parts = []
    for tool in OF_LESSON.get(lesson.name, ()):
        title = said.say(f"tool_{tool}")
        if places[tool] == lesson.name:
            parts.append(
                f'<section class="tool" id="tool-{tool}" hidden><h3>{title}</h3>'
                f"{template(tool, said)}</section>"
            )
        else:
            words = said.say("page_try_elsewhere", tool=title)
            parts.append(f'<p class="needs-script" hidden><a href="#tool-{tool}">{words}</a></p>')
    return "".join(parts)


def listed(places: dict[str, str], said: Voice) -> str:
    """Links to the tools, for the head of the page."""
    return "".join(
        f'<li><a href="#tool-{tool}">{said.say(f"tool_{tool}")}</a></li>' for tool in places
    )


def facts(places: dict[str, str], setting: Setting, said: Voice) -> str:
    """What the script needs, as JSON that can stand inside HTML."""
    known: dict[str, Any] = {
        "lang": said.lang,
        "decimal": said.words["decimal"],
        "thousands": said.words["thousands"],
        "answers": answers.tables(),
        "words": _words(said),
    }
    if "text" in places:
        known["text"] = setting.text
    if "bench" in places:
        known["headers"] = _headers(setting, said)
    if "speed" in places:
        known |= _machines(setting, said)
    return json.dumps(known, ensure_ascii=False).replace("<", "\\u003c")


def _words(said: Voice) -> dict[str, str]:
    units = ("years", "days", "hours", "minutes", "seconds")
    own = {key.removeprefix(JS): one for key, one in said.words.items() if key.startswith(JS)}
    return own | {unit: said.words[unit] for unit in units}


def _headers(setting: Setting, said: Voice) -> list[dict[str, str]]:
    """The learner's own first, else a famous block: on a toy chain half of all nonces win."""
    heights = (FAMOUS, 0, max(real_headers()))
    found = [
        {"name": said.say("page_block", height=one), "hex": real_headers()[one].hex()}
        for one in heights
    ]
    raw, name = _own_block(setting, said)
    found.insert(0 if setting.header else len(found), {"name": name, "hex": raw.hex()})
    return found


def _own_block(setting: Setting, said: Voice) -> tuple[bytes, str]:
    """A block mined now, accepted by the embedded node; or the learner's own header."""
    if setting.header is not None:
        return setting.header, said.say("page_given")
    with OwnNode() as own:
        share, _ = own.mine(setting.seed)
        own.submit_share(share)
    return share.header, said.say("page_own")


def _machines(setting: Setting, said: Voice) -> dict[str, Any]:
    """Published speeds, and what the network asks for a block."""
    rates = {row.name: row.hashrate_hs for row in hardware.load()}
    net = network.difficulty(setting)
    machines = [
        {"name": said.say(key) if key else name, "rate": rates[name]}
        for name, key in MACHINES.items()
    ]
    machines.append({"name": said.say("machine_network"), "rate": net.value * 2**32 / 600})
    asic = {"name": ASIC, "rate": rates[ASIC]}
    return {
        "machines": machines,
        "network": {"difficulty": net.value, "date": net.as_of, "asic": asic},
    }
