"""A lesson's text: one Markdown-like file a language, without Python or numbers of lessons.

    # Why work?
    about: What a hash is for
    minutes: 7
    level: start

    ## A fingerprint for anything {#fingerprint}

    A **hash** turns any text into a number of {bits} bits. See lesson {lesson:attack}.

    [table texts]
    origin: computed
    | text | its hash |

A paragraph ends at a blank line; a part in brackets does too. {name} is a value of the lesson's
Python, {name:.2f} says its digits. [if name] or [if not name] above a paragraph or part shows it
only then; {#name if watts} does so for a screen, when the learner gave that figure.

    text       a paragraph
    [table N]  title, note, origin; rows in |: from Python when it gives N, else these
    [bars N], [axis N]   title, unit, note, origin, label (a template with {x})
    [bytes N]  title; rows | key | name | meaning |, with the bytes from Python
    [steps N]  title; frames from Python
    [check N]  a claim that Python tested; again: a line that runs when pasted
    [question N]  a prompt; judge: yes | no | number 72 | near 0.9 1.1 | words a, b;
                  answer, why, and hint JUDGE: what to say to that wrong answer
    [code]     where the function stands that Python names
    [words]    key: text lines, for what Python says by key
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from miner.errors import ConfigError

KINDS = ("table", "bars", "axis", "bytes", "steps", "check", "question", "code", "words")
LEVELS = ("start", "deeper", "hard")
ORIGINS = ("measured", "seen", "simulated", "quoted", "computed")
FIELDS = ("title", "note", "unit", "label", "origin", "again", "answer", "judge", "why")
HEADING = re.compile(r"## (?P<title>.*?)\s*\{#(?P<name>[a-z0-9-]+)(?: if (?P<when>[a-z]+))?\}")
OPENING = re.compile(r"\[([a-z]+)(?: ([a-z0-9_]+))?\]")
CONDITION = re.compile(r"\[if (not )?([a-z_]+)\]")
FIELD = re.compile(r"(hint [^:]+|[a-z0-9_.-]+): ?(.*)")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph or a part, as it stands in the text."""

    kind: str  # "text" or one of KINDS
    name: str  # of a part; of a paragraph its place in the screen: "1"
    fields: dict[str, str]  # "" is what stands before any field
    rows: tuple[tuple[str, ...], ...] = ()
    when: str = ""  # a condition: "met" or "not met"

    @property
    def key(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Page:
    """A screen's text."""

    name: str
    title: str
    blocks: tuple[Block, ...]
    when: str = ""  # the figure that the learner must have given


@dataclass(frozen=True, slots=True)
class Script:
    """A lesson's text in one language, completed from another where it has gaps."""

    title: str
    head: dict[str, str]  # about, minutes, level
    words: dict[str, str]
    pages: tuple[Page, ...]
    missing: tuple[str, ...] = ()  # keys taken from the other language
    texts: int = 0  # how many keys there are

    def page(self, name: str) -> Page:
        """Raises ConfigError for a screen that the text does not have."""
        for page in self.pages:
            if page.name == name:
                return page
        raise ConfigError(f"lesson text {self.title!r} has no screen {{#{name}}}")


@dataclass(slots=True)
class _Reader:
    """Lines with their numbers, for errors that name them, and how many paragraphs a screen has."""

    where: str
    lines: list[str]
    place: int = 0
    counted: dict[str, int] = field(default_factory=dict)

    def wrong(self, what: str) -> ConfigError:
        return ConfigError(f"{self.where}:{self.place}: {what}")

    def chunks(self) -> Iterator[list[str]]:
        """Runs of lines between blank ones; a heading is a run of its own."""
        run: list[str] = []
        for number, line in enumerate(self.lines, 1):
            text = line.strip()
            if run and (not text or text.startswith("## ")):
                yield run
                run = []
            self.place = number
            if text.startswith("## "):
                yield [text]
            elif text:
                run.append(text)
        if run:
            yield run


def parse(text: str, where: str) -> Script:
    """The text of a lesson. Raises ConfigError naming the line."""
    reader = _Reader(where, text.splitlines())
    title, head, words = "", dict[str, str](), dict[str, str]()
    pages: list[Page] = []
    for run in reader.chunks():
        if run[0].startswith("## "):
            pages.append(_heading(reader, run[0], pages))
        elif not pages and run[0].startswith("# "):
            title, head = run[0][2:].strip(), _pairs(reader, run[1:])
        else:
            block = _block(reader, run)
            if block.kind == "words":
                words |= {key: one for key, one in block.fields.items() if key}
            elif not pages:
                raise reader.wrong("text before the first screen (## Title {#name})")
            else:
                pages[-1] = replace(pages[-1], blocks=(*pages[-1].blocks, block))
    if not title:
        raise ConfigError(f"{where}: no title line, want # Title")
    return Script(title, head, words, tuple(pages), (), len(_keys(head, words, tuple(pages))))


def _heading(reader: _Reader, line: str, pages: list[Page]) -> Page:
    found = HEADING.fullmatch(line)
    if found is None:
        raise reader.wrong(f"a screen's heading is {line!r}, want ## Title {{#name}}")
    if found["name"] in [page.name for page in pages]:
        raise reader.wrong(f"screen {found['name']!r} stands there twice")
    reader.counted.clear()
    return Page(found["name"], found["title"], (), found["when"] or "")


def _pairs(reader: _Reader, lines: list[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        key, colon, value = line.partition(":")
        if not colon:
            raise reader.wrong(f"{line!r}: want name: value")
        found[key.strip()] = value.strip()
    if found.get("level", "start") not in LEVELS:
        raise reader.wrong(f"level {found['level']!r}: want {', '.join(LEVELS)}")
    if not found.get("minutes", "1").isdigit():
        raise reader.wrong(f"minutes {found['minutes']!r}: want a number")
    return found


def _block(reader: _Reader, run: list[str]) -> Block:
    when = ""
    if condition := CONDITION.fullmatch(run[0]):
        when, run = f"{condition[1] or ''}{condition[2]}", run[1:]
        if not run:
            raise reader.wrong("a condition stands right above what it is for")
    opening = OPENING.fullmatch(run[0])
    if opening is None:
        number = reader.counted["text"] = reader.counted.get("text", 0) + 1
        return Block("text", str(number), {"": " ".join(run)}, (), when)
    kind, name = opening[1], opening[2] or opening[1]
    if kind not in KINDS:
        raise reader.wrong(f"[{kind}]: want one of {', '.join(KINDS)}")
    return _fields(reader, Block(kind, name, {}, (), when), run[1:])


def _fields(reader: _Reader, block: Block, lines: list[str]) -> Block:
    fields, rows, current = dict[str, str](), list[tuple[str, ...]](), ""
    for line in lines:
        found = FIELD.fullmatch(line)
        named = found is not None and (
            found[1] in FIELDS or found[1].startswith("hint ") or block.kind == "words"
        )
        if line.startswith("|") and block.kind != "words":
            rows.append(tuple(cell.strip() for cell in line.strip("|").split("|")))
        elif named and found is not None:
            current = found[1]
            fields[current] = found[2]
        else:
            fields[current] = f"{fields.get(current, '')} {line}".strip()
    if fields.get("origin", ORIGINS[0]) not in ORIGINS:
        raise reader.wrong(f"origin {fields['origin']!r}: want {', '.join(ORIGINS)}")
    return replace(block, fields=fields, rows=tuple(rows))


def _keys(head: dict[str, str], words: dict[str, str], pages: tuple[Page, ...]) -> list[str]:
    """Every text that a translation must have."""
    found = ["title", "about", *(f"word {key}" for key in words)]
    for page in pages:
        found.append(page.name)
        for block in page.blocks:
            found += [f"{page.name}/{block.key}/{key}" for key in _words_of(block)]
    return found


def _words_of(block: Block) -> list[str]:
    """The fields of a block that are language: not judges, origins and commands."""
    keys = [key.partition(" ")[0] for key in block.fields]
    named = dict.fromkeys(key for key in keys if key not in ("judge", "origin", "again"))
    return [*named, *(["rows"] if block.rows else [])]


def complete(script: Script, base: Script) -> Script:
    """A translation, with every text it lacks taken from `base`, and their keys in `missing`."""
    missing: list[str] = []
    own = {page.name: page for page in script.pages}
    pages = []
    for page in base.pages:
        if page.name not in own:
            missing += [key for key in _keys({}, {}, (page,)) if "/" in key or key == page.name]
            pages.append(page)
            continue
        pages.append(_complete_page(own[page.name], page, missing))
    missing += [f"word {key}" for key in base.words if key not in script.words]
    missing += [key for key in ("about",) if key not in script.head]
    return Script(
        script.title, {**base.head, **script.head}, {**base.words, **script.words}, tuple(pages),
        tuple(missing), base.texts,
    )  # fmt: skip


def _complete_page(own: Page, base: Page, missing: list[str]) -> Page:
    mine = {block.key: block for block in own.blocks}
    blocks = []
    for block in base.blocks:
        other = mine.pop(block.key, Block(block.kind, block.name, {}))
        has = _words_of(other)
        missing += [f"{base.name}/{block.key}/{key}" for key in _words_of(block) if key not in has]
        hints = any(key.startswith("hint ") for key in other.fields)
        kept = {k: v for k, v in block.fields.items() if not (hints and k.startswith("hint "))}
        blocks.append(
            replace(block, fields={**kept, **other.fields}, rows=other.rows or block.rows)
        )
    return Page(base.name, own.title, (*blocks, *mine.values()), base.when)
