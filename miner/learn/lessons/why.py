"""Why work? Hash, chain, and the price of changing the past."""

from collections.abc import Iterator
from dataclasses import replace

from miner.bitcoin.encoding import sha256d
from miner.bitcoin.header import Header
from miner.learn import ledger
from miner.learn.ledger import TRIES, Page
from miner.learn.live import Live, Series, Shown, word
from miner.learn.steps import Setting

PAYMENTS = (
    "Ada -> Ben 5", "Ben -> Cem 3", "Cem -> Dia 2", "Dia -> Eli 2", "Eli -> Ada 1",
)  # fmt: skip
FORGED = "Ben -> Ben 3"  # he takes his payment back
CHANGED = 1  # the second block
UNTIL, QUICK_UNTIL = 14, 9  # blocks, at which the race is over
DIGITS = 16  # of a hash, on the screen


def screens(setting: Setting) -> Iterator[Live]:
    """Fingerprints; who writes the book; five blocks; one changed; the race."""
    pages, tries = _write(setting.seed)
    yield _fingerprint(setting.text)
    yield Live("book", tries=TRIES, code=Header.meets)
    counted = {f"tries_{letter}": count for letter, count in zip("abcde", tries, strict=True)}
    whole = ledger.whole(pages) == [""] * len(pages)
    yield Live("chain", pages=_rows(pages), **counted, whole=whole, code=ledger.write)
    yield _changed([*pages[:CHANGED], _forge(pages[CHANGED]), *pages[CHANGED + 1 :]])
    yield _race(pages, setting)


def _write(seed: int) -> tuple[list[Page], list[int]]:
    pages: list[Page] = []
    tries = []
    for place, payment in enumerate(PAYMENTS):
        page, count = ledger.write(payment, pages[-1] if pages else None, seed + 1000 * place)
        pages.append(page)
        tries.append(count)
    return pages, tries


def _forge(page: Page) -> Page:
    """The page with another payment, its root made to fit: a header that was never worked for."""
    payment = FORGED
    while True:
        changed = replace(page, payment=payment)
        changed = replace(changed, header=replace(page.header, merkle_root=changed.root))
        if not changed.is_worked:  # one in a thousand is, by luck
            return changed
        payment += "!"


def _fingerprint(text: str) -> Live:
    texts = (text, f"{text}!", "Ada -> Ben 5", "Ada -> Ben 6")
    one, other = (sha256d(each.encode())[:8] for each in texts[2:])
    return Live(
        "fingerprint",
        texts=[(each[:24], f"{sha256d(each.encode()).hex()[:40]}..") for each in texts],
        differ=all(a != b for a, b in zip(one, other, strict=True)),
        code=sha256d,
    )


def _rows(pages: list[Page]) -> list[tuple[Shown, ...]]:
    """Block, payment, hash before, own hash, and the first thing that is wrong."""
    return [
        (
            place,
            page.payment,
            page.header.prev_hash[::-1].hex()[:DIGITS],
            page.header.hash_hex[:DIGITS],
            word(fault.split()[0] if fault else "good"),
        )
        for place, (page, fault) in enumerate(zip(pages, ledger.whole(pages), strict=True), 1)
    ]


def _changed(pages: list[Page]) -> Live:
    faults = ledger.whole(pages)
    return Live(
        "changed",
        block=CHANGED + 1,
        after=CHANGED + 2,
        forged=FORGED,
        pages=_rows(pages),
        seen=faults[CHANGED] != "" and faults[CHANGED + 1] != "" and not any(faults[:CHANGED]),
        code=ledger.whole,
    )


def _race(pages: list[Page], setting: Setting) -> Live:
    until = QUICK_UNTIL if setting.quick else UNTIL
    fresh, spent = ledger.write(FORGED, pages[CHANGED - 1], setting.seed + 77)
    moments, ours, theirs = ledger.race(
        pages, [*pages[:CHANGED], fresh], until, setting.seed + 7_000_000
    )
    lead = [one.honest - one.cheater for one in moments]
    shown = moments[:: max(len(moments) // 8, 1)]
    return Live(
        "race",
        lead=lead[0],
        ahead=Series(
            [word("hashes", count=one.hashes) for one in shown],
            [max(one.honest - one.cheater, 0) for one in shown],
        ),
        hashes=moments[-1].hashes,
        ours=len(ours),
        theirs=len(theirs),
        result=word("caught") if lead[-1] <= 0 else word("behind", lead=lead[-1]),
        whole=not any(ledger.whole(ours)) and not any(ledger.whole(theirs)) and spent > 0,
        code=ledger.race,
    )
