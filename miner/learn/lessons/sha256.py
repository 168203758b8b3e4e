"""SHA-256 with its 64 rounds, opened, on the learner's own text and on a real header."""

import hashlib
import random
import re
from collections.abc import Iterator
from statistics import mean

from miner.bitcoin.encoding import display_hex, sha256d
from miner.bitcoin.sha256 import (
    ROUNDS,
    K,
    big_sigma0,
    big_sigma1,
    compress,
    digest,
    schedule,
    sha256,
)  # fmt: skip
from miner.learn import opened, trace
from miner.learn.chain import FAMOUS, by_height
from miner.learn.live import Live, Series, Shown, Steps, word
from miner.learn.steps import Setting, Tell

FLIPS, QUICK_FLIPS = 640, 64  # header bits flipped one by one
SHOWN_ROUNDS = (0, 1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48)  # after the one that reads the bit
TOLD_EACH = 20  # flips
SHOWN_CONSTANTS = (0, 1, 2, 3, 62, 63)


def screens(setting: Setting) -> Iterator[Live]:
    """Own text, one round and one word opened, three compressions, the avalanche."""
    block = by_height(FAMOUS) if setting.header is None else setting.header
    message = setting.text.encode()
    yield _own_text(message, setting.text)
    first = opened.first_round(message)
    yield _t1(first, _quoted(message))
    yield _t2(first, _quoted(message))
    yield _word(trace.record(message)[0].schedule, _quoted(message))
    yield _constants()
    whole = trace.padded(block)
    parts = {"one": whole[:64], "two": whole[64:80], "padding": whole[80:128]}
    yield Live("cut", parts=parts)
    steps = trace.record_double(block)
    names: list[Shown] = [word("chunk1"), word("chunk2"), word("second")]
    yield Live("rounds", rounds=_steps(steps, names, (0, 67, 191)))
    yield _flip(block, setting)
    yield _end(steps, block)


def _steps(steps: list[trace.Compression], names: list[Shown], shown: tuple[int, ...]) -> Steps:
    return Steps(len(steps) * ROUNDS, lambda place: trace.round_moment(steps, names, place), shown)


def _quoted(message: bytes) -> str:
    """The learner's text as a shell takes it inside double quotes; another where it would not."""
    return repr(message) if re.fullmatch(rb"[\w .,-]{0,16}", message) else "b'abc'"


def _own_text(message: bytes, text: str) -> Live:
    steps = trace.record(message)
    names: list[Shown] = [word("chunk", number=place + 1) for place in range(len(steps))]
    return Live(
        "own",
        message=text,
        rounds=_steps(steps, names, (0, 63)),
        hash=sha256(message).hex(),
        same=sha256(message) == hashlib.sha256(message).digest(),
        code=compress,
    )


def _rows(rows: list[opened.Row]) -> list[tuple[Shown, ...]]:
    """A name and its bits; operations are named by the text."""
    named: list[tuple[Shown, ...]] = []
    for row in rows:
        label: Shown = row.name if row.how is None else word(row.how, name=row.name, by=row.by)
        named.append((label, trace.bits(row.value)))
    return named


def _sum(parts: dict[str, int], words: dict[str, str]) -> list[tuple[Shown, ...]]:
    return [(name, f"{value:08x}", word(words[name])) for name, value in parts.items()]


def _t1(first: opened.Round, quoted: str) -> Live:
    e, f, g = first.before[4:7]
    came = {
        "h": "from_h", "Sigma1": "sigma", "Ch": "chosen", "K[0]": "constant", "W[0]": "given",
        "T1": "added",
    }  # fmt: skip
    rows: list[tuple[Shown, ...]] = [
        (name, f"{value:08x}", word(came[name], prime=2, t=0))
        for name, value in {**first.t1_parts, "T1": first.t1}.items()
    ]
    return Live(
        "opened",
        quoted=quoted,
        sigma1=_rows(opened.rotations("e", e, (6, 11, 25))),
        ch=[
            *_rows([opened.Row("e", e), opened.Row("f", f), opened.Row("g", g)]),
            *_rows([opened.Row("Ch", first.t1_parts["Ch"])]),
        ],
        t1=rows,
        sums=first.t1 == first.seen_t1,
        code=big_sigma1,
    )


def _t2(first: opened.Round, quoted: str) -> Live:
    a, b, c = first.before[:3]
    came = {
        "Sigma0": "sigma_a", "Maj": "majority", "T2": "added2", "a": "new_a", "e": "new_e",
    }  # fmt: skip
    values = {**first.t2_parts, "T2": first.t2, "a": first.new_a, "e": first.new_e}
    return Live(
        "half",
        quoted=quoted,
        sigma0=_rows(opened.rotations("a", a, (2, 13, 22))),
        maj=_rows([
            opened.Row("a", a), opened.Row("b", b), opened.Row("c", c),
            opened.Row("Maj", first.t2_parts["Maj"]),
        ]),
        t2=_sum(values, came),
        new=(first.new_a, first.new_e) == (first.after[0], first.after[4]),
        code=big_sigma0,
    )  # fmt: skip


def _word(words: list[int], quoted: str) -> Live:
    parts = opened.word_parts(words, 16)
    rows: list[tuple[Shown, ...]] = [(name, f"{value:08x}") for name, value in parts.items()]
    return Live(
        "words",
        quoted=quoted,
        sigma=_rows(opened.rotations("W[1]", words[1], (7, 18), 3)),
        w16=[*rows, ("W[16]", f"{words[16]:08x}")],
        sums=sum(parts.values()) % 2**32 == words[16],
        code=schedule,
    )


def _constants() -> Live:
    roots = opened.cube_roots()
    return Live(
        "constants",
        roots=[
            (t, roots[t][0], word("root", x=float(roots[t][1])), f"{K[t]:08x}")
            for t in SHOWN_CONSTANTS
        ],
        k=[opened.fraction_bits(root) for _, root in roots] == list(K),
        code=opened.cube_roots,
    )


def _flip(block: bytes, setting: Setting) -> Live:
    places = list(range(FLIPS))
    if setting.quick:
        places = random.Random(setting.seed).sample(places, QUICK_FLIPS)
    spread, final = _flip_all(block, places, setting.progress)
    error = 8 / len(final) ** 0.5  # one hash: the deviation of 256 fair coins is 8
    return Live(
        "flip",
        flips=len(places),
        spread=Series([word("later", t=t) for t in SHOWN_ROUNDS], [mean(one) for one in spread]),
        mean=mean(final),
        error=error,
        half=abs(mean(final) - 128) < 4 * error,
    )


def _flip_all(block: bytes, places: list[int], tell: Tell) -> tuple[list[list[int]], list[int]]:
    """Differing bits: by shown round, and in the final double hash, for each flipped bit."""
    plain = trace.record(block)
    spread: list[list[int]] = [[] for _ in SHOWN_ROUNDS]
    final = []
    for done, place in enumerate(places):
        if done % TOLD_EACH == 0:
            tell(word("flipping", place=done + 1, total=len(places)))
        changed = bytearray(block)
        changed[place // 8] ^= 0x80 >> place % 8
        chunk = place // 512
        other = trace.record(bytes(changed))[chunk]
        read = place % 512 // 32  # the round that reads the word of this bit
        for row, t in zip(spread, SHOWN_ROUNDS, strict=True):
            row.append(trace.differing_bits(plain[chunk].states[read + t], other.states[read + t]))
        one, two = (int.from_bytes(sha256d(raw)) for raw in (block, bytes(changed)))
        final.append((one ^ two).bit_count())
    return spread, final


def _end(steps: list[trace.Compression], block: bytes) -> Live:
    double = hashlib.sha256(hashlib.sha256(block).digest()).digest()
    return Live(
        "end",
        hash=display_hex(double),
        double=digest(steps[-1].after) == double,
        abc=sha256(b"abc").hex().startswith("ba7816bf8f01cfea"),
        height=FAMOUS,
        code=sha256,
    )
