"""Counts the vector operations of a hash in an object file: the roofline of its shape.

The system's disassembler reads the two functions of every kernel: `schedule`, called once a step,
and `survivors`, once a version. Each loop of theirs holds a label, turns_SEVERAL_ONE_n
(csrc/shape.h), which says how often it turns in a call, with several versions and with one; so may
a branch. What is not certain is not said: without a disassembler, or with a loop that has no label,
or that the compiler made twice, there is no number, and the miner prints no share of the limit.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

LIMIT_S = 60
FUNCTIONS = ("schedule", "survivors")
HEAD = re.compile(r"^[0-9a-f]+ <([^>]+)>:$")
LINE = re.compile(r"^\s*([0-9a-f]+):\s+([a-z][\w.]*)\s*(.*)$")
LABEL = re.compile(r"turns_(\d+)_(\d+)_\d+")
JUMP = re.compile(r"(?:j[a-z]+|b|b\.[a-z]+|cbn?z|tbn?z|(?:rep[a-z]* )?ret|ud2|br)$")
ALWAYS = re.compile(r"(?:jmp|b|ret|ud2|br)$")
TARGET = re.compile(r"\b(?:0x)?([0-9a-f]+) <")
REGISTER = re.compile(r"%[xyz]mm\d|\bv\d+\.\d+[bhsd]\b|\bq\d+\b")
# Copies, loads and stores: no arithmetic unit is busy with them.
COPY = re.compile(r"v?mov|v?p?broadcast|vzero|ld|st|dup|mvn?i|umov")
# The SHA variants' yardstick is their round instruction.
ROUND = {"shani": re.compile(r"sha256rnds2$")}
Pair = tuple[int, int]  # with several versions, with one


@dataclass(frozen=True, slots=True)
class Jump:
    to: int | None  # None: out of the function, or not known
    always: bool  # what follows is not reached from here


@dataclass
class Function:
    """Its instructions in order: address, counted or not, jump; and its labels."""

    lines: list[tuple[int, bool, Jump | None]] = field(default_factory=list)
    labels: list[tuple[int, Pair]] = field(default_factory=list)

    def operations(self) -> Pair | None:
        """In one call; None when a loop's turns are not known."""
        if any(jump and jump.to is None and not jump.always for *_, jump in self.lines):
            return None
        blocks = self.blocks()
        loops = natural_loops({first: block.after for first, block in blocks.items()})
        turns: dict[frozenset[int], Pair] = {}
        for at, pair in self.labels:
            home = max(first for first in blocks if first <= at)
            inner = min((one for one in loops if home in one), key=len, default=frozenset({home}))
            if inner in turns or pair in turns.values():
                return None  # the compiler made the loop twice
            turns[inner] = pair
        if not all(any(labelled <= loop for labelled in turns) for loop in loops):
            return None
        total = [0, 0]
        for first, block in blocks.items():
            inner = min((one for one in turns if first in one), key=len, default=frozenset())
            several, one = turns.get(inner, (1, 1))
            total[0] += several * block.counted
            total[1] += one * block.counted
        return total[0], total[1]

    def blocks(self) -> dict[int, "Block"]:
        """Runs of instructions that are entered at the first and left at the last, by address."""
        own = {at for at, *_ in self.lines}
        targets = {jump.to for *_, jump in self.lines if jump is not None and jump.to in own}
        found: dict[int, Block] = {}
        block = None
        for at, counted, jump in self.lines:
            if block is None or at in targets:
                if block is not None:
                    block.after.append(at)
                block = found[at] = Block()
            block.counted += counted
            if jump is not None:
                block.after += [jump.to] if jump.to in own and jump.to is not None else []
                last, block = block, None
                if not jump.always:
                    following = self.lines.index((at, counted, jump)) + 1
                    last.after += [one[0] for one in self.lines[following : following + 1]]
        return found


@dataclass
class Block:
    counted: int = 0
    after: list[int] = field(default_factory=list)  # blocks that may follow


def natural_loops(after: dict[int, list[int]]) -> list[frozenset[int]]:
    """Blocks of each loop: those from which a jump back to a block that all ways to them pass is
    reached without it (Aho, Lam, Sethi, Ullman: Compilers, section 9.6)."""
    before: dict[int, list[int]] = {one: [] for one in after}
    for one, following in after.items():
        for each in following:
            before[each].append(one)
    every, entry = set(after), min(after)
    over = {one: every if one != entry else {entry} for one in after}  # dominators
    changed = True
    while changed:
        changed = False
        for one in sorted(every - {entry}):
            ways = [over[each] for each in before[one]]
            new = {one} | (set.intersection(*ways) if ways else set())
            changed |= new != over[one]
            over[one] = new
    loops: dict[int, set[int]] = {}
    for one, following in after.items():
        for head in set(following) & over[one]:
            body, todo = loops.setdefault(head, {head}), [one]
            while todo:
                if (each := todo.pop()) not in body:
                    body.add(each)
                    todo += before[each]
    return [frozenset(body) for body in loops.values()]


def parse(listing: str, variant: str) -> dict[str, Function]:
    """The kernel's functions in a disassembler's listing."""
    found: dict[str, Function] = {}
    here: Function | None = None
    for line in listing.splitlines():
        if head := HEAD.match(line.strip()):
            label = LABEL.fullmatch(head[1])
            if label and here is not None:
                at = int(line.split()[0], 16)
                here.labels.append((at, (int(label[1]), int(label[2]))))
            elif not label:
                name = head[1].split(".")[0]
                here = found.setdefault(name, Function()) if name in FUNCTIONS else None
        elif here is not None and (words := LINE.match(line)):
            here.lines.append(_instruction(words, variant))
    return found


def _instruction(words: re.Match[str], variant: str) -> tuple[int, bool, Jump | None]:
    at, name, operands = int(words[1], 16), words[2], words[3]
    if JUMP.match(name):
        target = TARGET.search(operands)
        return at, False, Jump(int(target[1], 16) if target else None, bool(ALWAYS.match(name)))
    if variant in ROUND:
        return at, ROUND[variant].match(name) is not None, None
    return at, bool(REGISTER.search(operands)) and not COPY.match(name), None


def count(variant: str, object_file: Path) -> tuple[Pair, Pair] | None:
    """Operations in a call of schedule and in one of survivors; None: not known."""
    listing = _disassemble(object_file)
    found = parse(listing, variant) if listing else {}
    calls = [found[name].operations() if name in found else None for name in FUNCTIONS]
    return (calls[0], calls[1]) if calls[0] and calls[1] and calls[1][0] else None


def _disassemble(file: Path) -> str | None:
    """What this system's disassembler says; one may not know the processor."""
    for name in ("objdump", "llvm-objdump", "llvm-objdump-19", "gobjdump"):
        if (program := shutil.which(name)) is None:
            continue
        command = [program, "-d", "--no-show-raw-insn", str(file)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=LIMIT_S, check=False
            )
        except (OSError, subprocess.SubprocessError, ValueError):
            continue
        if done.returncode == 0 and "<survivors" in done.stdout:
            return done.stdout
    return None
