"""Lesson 0: why work? Hash, chain, and the price of changing the past."""

from collections.abc import Iterator
from dataclasses import replace

from miner.bitcoin.encoding import sha256d
from miner.bitcoin.header import Header
from miner.learn import ledger
from miner.learn.answers import number_judge, word_judge
from miner.learn.ledger import TRIES, Page
from miner.learn.steps import (
    Bars,
    Check,
    Question,
    Screen,
    Setting,
    Table,
    Text,
    code,
)  # fmt: skip

PAYMENTS = (
    "Ada pays Ben 5", "Ben pays Cem 3", "Cem pays Dia 2", "Dia pays Eli 2", "Eli pays Ada 1",
)  # fmt: skip
FORGED = "Ben pays Ben 3"  # he takes his payment back
CHANGED = 1  # the second block
UNTIL, QUICK_UNTIL = 14, 9  # blocks, at which the race is over
DIGITS = 18  # of a hash, on the screen


def screens(setting: Setting) -> Iterator[Screen]:
    """Fingerprints; who writes the book; five blocks; one changed; the race."""
    pages, tries = _write(setting.seed)
    yield _fingerprint(setting.text)
    yield _who_writes()
    yield _chain(pages, tries)
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


def _fingerprint(text: str) -> Screen:
    texts = (text, f"{text}!", "Ada pays Ben 5", "Ada pays Ben 6")
    return Screen(
        "A fingerprint for anything",
        (
            Text(
                "A **hash** function turns any text, of any length, into a number of 256 bits: its "
                "fingerprint. The same text always gives the same one. Change one letter, and "
                "nothing of it stays. Nobody knows a way back from the number to a text."
            ),
            Table(
                "",
                ("text", "its hash (SHA-256 twice), first digits"),
                tuple((one[:24], sha256d(one.encode()).hex()[:40] + "..") for one in texts),
                "your own words: miner learn 0 --text 'anything'",
            ),
            Check(
                "one letter more, and none of the first eight bytes is the same",
                all(
                    one != other
                    for one, other in zip(
                        sha256d(texts[2].encode())[:8], sha256d(texts[3].encode())[:8], strict=True
                    )
                ),
                "sha256d(b'Ada pays Ben 5') and sha256d(b'Ada pays Ben 6')",
            ),
            Question(
                "Two people hash the same text on different computers. Do they get the same "
                "number? (yes/no)",
                "yes",
                word_judge("yes", "y"),
                "Always. So anybody can check a fingerprint, and trust nobody for it.",
            ),
            code(sha256d),
        ),
    )


def _who_writes() -> Screen:
    return Screen(
        "Who writes the book?",
        (
            Text(
                "Money without a bank needs one book of payments that all agree on. But who writes "
                "the next page, when nobody is in charge, anyone may join under any number of "
                "names, and Ben would like to pay the same coin twice?\n\n"
                "Bitcoin's answer: whoever shows **work** may write. A page counts when its hash "
                "is small, below a **target**. A small hash can only be found by trying, so it "
                "costs time and energy; seeing that it is small costs one hash. Names are free, "
                "work is not."
            ),
            Question(
                f"A page here needs about {TRIES:,} hashes to write. How many does it need to "
                "check?",
                "1",
                number_judge(1),
                "That is what makes it a proof: hard to make, easy to check.",
            ),
            code(Header.meets),
        ),
    )


def _rows(pages: list[Page], faults: list[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            str(place + 1),
            page.payment,
            page.header.prev_hash[::-1].hex()[:DIGITS],
            page.header.hash_hex[:DIGITS],
            fault or "good",
        )
        for place, (page, fault) in enumerate(zip(pages, faults, strict=True))
    )


def _chain(pages: list[Page], tries: list[int]) -> Screen:
    return Screen(
        "Five blocks of your own",
        (
            Text(
                "Your computer just wrote five pages, with real 80-byte headers as Bitcoin has "
                "them; only the target is easy. Each page, a **block**, holds the hash of the one "
                "before. That is the whole **chain**."
            ),
            Table(
                "",
                ("block", "payment", "hash before", "its hash", ""),
                _rows(pages, ledger.whole(pages)),
                f"hashes each one took: {', '.join(f'{one:,}' for one in tries)}",
            ),
            Check(
                "every hash meets the target and every link holds",
                ledger.whole(pages) == [""] * len(pages),
                "ledger.whole(pages)",
            ),
            code(ledger.write),
        ),
    )


def _changed(pages: list[Page]) -> Screen:
    faults = ledger.whole(pages)
    return Screen(
        "Ben changes the past",
        (
            Text(
                f"Ben rewrites block {CHANGED + 1}: '{FORGED}'. Its fingerprint changes, so its "
                "header's hash does: it is no longer small, and block 3 still names the old one."
            ),
            Table("", ("block", "payment", "hash before", "its hash", ""), _rows(pages, faults)),
            Check(
                "one changed word is seen in two places, and nowhere before them",
                faults[CHANGED] != "" and faults[CHANGED + 1] != "" and not any(faults[:CHANGED]),
                "ledger.whole(pages)",
            ),
            Question(
                "How many of the five blocks must Ben mine again to have a good chain?",
                "4",
                number_judge(len(PAYMENTS) - CHANGED),
                "His own, and every one after it, since each names the one before.",
            ),
            code(ledger.whole),
        ),
    )


def _race(pages: list[Page], setting: Setting) -> Screen:
    until = QUICK_UNTIL if setting.quick else UNTIL
    fresh, spent = ledger.write(FORGED, pages[CHANGED - 1], setting.seed + 77)
    moments, ours, theirs = ledger.race(
        pages, [*pages[:CHANGED], fresh], until, setting.seed + 7_000_000
    )
    lead = [one.honest - one.cheater for one in moments]
    shown = moments[:: max(len(moments) // 8, 1)]
    result = "has caught up this time" if lead[-1] <= 0 else f"is still {lead[-1]} blocks behind"
    return Screen(
        "The race he has to win",
        (
            Text(
                "Ben mines them again. But the others do not wait: for each of his hashes they "
                "make two, and all follow the chain with the most work. He starts "
                f"{lead[0]} blocks behind."
            ),
            Bars(
                "blocks the honest chain is ahead",
                tuple(f"{one.hashes:,} hashes" for one in shown),
                tuple(float(max(one.honest - one.cheater, 0)) for one in shown),
                "blocks",
            ),
            Text(
                f"After {moments[-1].hashes:,} hashes the honest chain has {len(ours)} blocks and "
                f"Ben's {len(theirs)}: he {result}. With less than half of all work he falls "
                "further behind on average, whatever he does; the deeper a block, the dearer its "
                "change. **That is why there is work.** Lesson 14 computes his chances."
            ),
            Check(
                "both chains hold together, and no block in them was free",
                not any(ledger.whole(ours)) and not any(ledger.whole(theirs)) and spent > 0,
                "ledger.whole(chain) for each",
            ),
            code(ledger.race),
        ),
    )
