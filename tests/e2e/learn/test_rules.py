"""Each rule that the page's script copies, held against the product's own in a real browser."""

import hashlib
import json
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

from miner.bitcoin.header import Header
from miner.bitcoin.sha256 import sha256d
from miner.bitcoin.target import (
    DIFF1_TARGET,
    UINT256_MAX,
    nbits_from_target,
    next_target,
    target_from_difficulty,
    target_from_nbits,
)  # fmt: skip
from miner.learn.answers import number
from tests.e2e.learn.kit import js
from tests.fakes.browser import NEEDS_BROWSER
from tests.unit.learn.answer_cases import asked, strange

pytestmark = NEEDS_BROWSER
VECTORS = Path(__file__).parents[2] / "vectors"


def test_sha256_is_hashlibs(browser: Any) -> None:
    rng = random.Random(80)
    messages = [rng.randbytes(size) for size in (*range(130), 1000, 4096)]
    got = js(
        browser, "arguments[0].map((m) => { const { sha256, hex, unhex } = homehash.sha256;"
        "return hex(sha256(unhex(m))); })", [one.hex() for one in messages],
    )  # fmt: skip
    assert got == [hashlib.sha256(one).hexdigest() for one in messages]
    rows = json.loads((VECTORS / "mainnet_headers.json").read_text())["headers"]
    headers = [bytes.fromhex(row["header"]) for row in rows]
    headers += [rng.randbytes(80) for _ in range(1000)]
    got = js(
        browser, "arguments[0].map((m) => { const { sha256d, display, unhex } = homehash.sha256;"
        "return display(sha256d(unhex(m))); })", [one.hex() for one in headers],
    )  # fmt: skip
    assert got == [Header.parse(raw).hash_hex for raw in headers]


def test_the_search_hashes_as_the_product_does(browser: Any) -> None:
    """The words of each hash, and the comparison with a target that it equals or misses by one."""
    rng = random.Random(4)
    headers = [rng.randbytes(80) for _ in range(200)]
    hashes = [int.from_bytes(sha256d(raw), "little") for raw in headers]
    targets = [one - place % 2 for place, one in enumerate(hashes)]
    got = js(
        browser, "arguments[0].map(([raw, target]) => { const {Search, wordsOf} = homehash.search;"
        "const search = new Search(homehash.sha256.unhex(raw));"
        "const nonce = parseInt(raw.slice(152).match(/../g).reverse().join(''), 16);"
        "const met = search.meets(nonce, wordsOf(BigInt(target)));"
        "const words = [...search.hash].map((one) => one.toString(16).padStart(8, '0'));"
        "return [words.join(''), met]; })",
        [[raw.hex(), hex(target)] for raw, target in zip(headers, targets, strict=True)],
    )  # fmt: skip
    assert got == [[f"{one:064x}", place % 2 == 0] for place, one in enumerate(hashes)]


def test_no_nonce_is_tried_twice(browser: Any) -> None:
    """Runs of tried nonces against a set; the next free one, over the end and when all are done."""
    rng = random.Random(2)
    steps = [(rng.randrange(60), rng.randrange(1, 9)) for _ in range(200)]
    got = js(
        browser, "(() => { const tried = new homehash.search.Tried(); return arguments[0].map("
        "([from, count]) => { tried.add(from, count); const free = tried.free(from);"
        "return [tried.count, free[0]]; }); })()", steps,
    )  # fmt: skip
    seen: set[int] = set()
    for (start, count), (total, free) in zip(steps, got, strict=True):
        seen.update(range(start, start + count))
        assert total == len(seen)
        assert free == next(one for one in range(start, 100) if one not in seen)
    ends = js(
        browser, "(() => { const tried = new homehash.search.Tried(); tried.add(5, 2 ** 32 - 5);"
        "const first = tried.free(9); tried.add(0, 5); return [first, tried.free(0)]; })()"
    )  # fmt: skip
    assert ends == [[0, 5], None]


def test_targets_are_the_products(browser: Any) -> None:
    rng = random.Random(3)
    numbers = [rng.randrange(1, 2 ** rng.randrange(1, 257)) for _ in range(500)]
    numbers += [1, 0x7F, 0x80, 0x7FFF, 0x8000, DIFF1_TARGET, UINT256_MAX]
    got = js(
        browser, "arguments[0].map((one) => { const { nbitsFromTarget, targetFromNbits } = "
        "homehash.numbers; const nbits = nbitsFromTarget(BigInt(one));"
        "let back; try { back = targetFromNbits(nbits).toString(16); } catch (e) { back = null; }"
        "return [nbits, back]; })", [hex(one) for one in numbers],
    )  # fmt: skip
    for one, (nbits, back) in zip(numbers, got, strict=True):
        assert nbits == nbits_from_target(one)
        assert back == f"{target_from_nbits(nbits):x}"
    compacts = [rng.randrange(2**32) for _ in range(500)] + [0, 0x01003456, 0x04923456, 0x21010000]
    compacts += [rng.randrange(36) << 24 | rng.randrange(2**24) for _ in range(500)]
    got = js(
        browser, "arguments[0].map((one) => { try { return homehash.numbers.targetFromNbits(one)"
        ".toString(16); } catch (error) { return null; } })", compacts,
    )  # fmt: skip
    assert got == [_target(one) for one in compacts]


def _target(nbits: int) -> str | None:
    try:
        return f"{target_from_nbits(nbits):x}"
    except ValueError:
        return None


def test_difficulties_and_adjustments_are_the_products(browser: Any) -> None:
    rng = random.Random(5)
    pairs = [(rng.randrange(1, 2**90), rng.randrange(1, 2**40)) for _ in range(200)]
    got = js(
        browser, "arguments[0].map((pair) => homehash.numbers.targetFromDifficulty("
        "pair.map(BigInt)).toString(16))", [list(map(str, pair)) for pair in pairs],
    )  # fmt: skip
    assert got == [f"{target_from_difficulty(Fraction(*pair)):x}" for pair in pairs]
    periods = [
        (target_from_nbits(rng.randrange(3, 0x1D) << 24 | rng.randrange(0x10000, 0x800000)),
         rng.choice([rng.randrange(1, 10**7), 302400, 302399, 4838400, 4838401]))
        for _ in range(200)
    ]  # fmt: skip
    got = js(
        browser, "arguments[0].map(([old, span]) => homehash.numbers.nextTarget(BigInt(old), "
        "BigInt(span), homehash.numbers.DIFFICULTY_1).toString(16))",
        [[hex(old), span] for old, span in periods],
    )  # fmt: skip
    assert got == [f"{next_target(old, span, DIFF1_TARGET):x}" for old, span in periods]


def test_decimals_are_exact(browser: Any) -> None:
    rng = random.Random(6)
    pairs = [
        (rng.randrange(1, 2 ** rng.randrange(1, 250)), rng.randrange(1, 2 ** rng.randrange(1, 250)))
        for _ in range(300)
    ]
    got = js(
        browser, "arguments[0].map((pair) => homehash.numbers.decimal(...pair.map(BigInt)))",
        [list(map(str, pair)) for pair in pairs],
    )  # fmt: skip
    for (above, below), one in zip(pairs, got, strict=True):
        exact, shown = Fraction(above, below), Fraction(one["text"])
        assert 0 <= exact - shown < exact * Fraction(10) ** -14
        assert one["exact"] is (exact == shown)


def test_the_judge_is_the_products(browser: Any) -> None:
    table = asked()
    got = js(
        browser, "arguments[0].map((one) => homehash.answers.takes(one[0], one[2], one[1]))", table
    )
    assert [one for one, met in zip(table, got, strict=True) if met is not one[3]] == []
    for lang in ("en", "de"):
        answers = strange(3000, 19)
        values = js(
            browser, "arguments[0].map((one) => { const found = homehash.answers.number(one, "
            "arguments[1]); return found && found.map(String); })", answers, lang,
        )  # fmt: skip
        read = [None if one is None else Fraction(*map(int, one)) for one in values]
        wrong = [
            (answer, mine, number(answer, lang))
            for answer, mine in zip(answers, read, strict=True)
            if mine != number(answer, lang)
        ]
        assert wrong == []
        assert sum(one is not None for one in read) > 1000
