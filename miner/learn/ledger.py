"""A ledger of one payment a block, mined with real headers and an easy target: for lesson 0.

Each block is a real 80-byte header; its merkle root is the hash of one line of text, the payment.
Nothing here is Bitcoin's but the header and the rule that its hash must meet a target.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from miner.bitcoin.encoding import sha256d
from miner.bitcoin.header import Header
from miner.bitcoin.target import nbits_from_target, target_from_nbits

TRIES = 2**10  # hashes a block costs on average: some milliseconds of Python
NBITS = nbits_from_target(2**256 // TRIES)
TARGET = target_from_nbits(NBITS)
EPOCH = 1_296_688_602  # the time of the first block; a minute more for each that follows


@dataclass(frozen=True, slots=True)
class Page:
    """A block of the ledger: a payment in words, and the header that stands for it."""

    payment: str
    header: Header

    @property
    def root(self) -> bytes:
        """What the header's merkle root must be."""
        return sha256d(self.payment.encode())

    @property
    def is_worked(self) -> bool:
        """Does the header's hash meet the target?"""
        return self.header.meets(TARGET)

    @property
    def fits_payment(self) -> bool:
        return self.header.merkle_root == self.root


def work(payment: str, after: Page | None, seed: int) -> Iterator[Page | None]:
    """Yield None for each nonce that misses, then the page; each step is one hash."""
    previous = bytes(32) if after is None else after.header.hash
    time = EPOCH if after is None else after.header.time + 60
    header = Header(0x20000000, previous, sha256d(payment.encode()), time, NBITS, seed % 2**32)
    while True:
        page = Page(payment, header)
        if page.is_worked:
            yield page
            return
        yield None
        header = replace(header, nonce=(header.nonce + 1) % 2**32)


def write(payment: str, after: Page | None, seed: int) -> tuple[Page, int]:
    """The next page, and how many hashes it took."""
    for tries, page in enumerate(work(payment, after, seed), 1):
        if page is not None:
            return page, tries
    raise AssertionError("the search never ends without a page")


def whole(pages: list[Page]) -> list[str]:
    """What is wrong with each page: payment, link or work; "" where nothing is."""
    faults, before = [], bytes(32)
    for page in pages:
        wrong = []
        if not page.fits_payment:
            wrong.append("payment")
        if page.header.prev_hash != before:
            wrong.append("link")
        if not page.is_worked:
            wrong.append("work")
        faults.append(" ".join(wrong))
        before = page.header.hash
    return faults


@dataclass(frozen=True, slots=True)
class Moment:
    """How far both sides are after so many hashes together."""

    hashes: int
    honest: int  # blocks
    cheater: int


def race(
    honest: list[Page], forged: list[Page], until: int, seed: int
) -> tuple[list[Moment], list[Page], list[Page]]:
    """The cheater makes the chain again from his forged pages on, while two honest miners go on.

    For each hash of the cheater the others make two. Ends when either chain is `until` blocks long;
    returns the moments at which one of them grew, and both chains.
    """
    ours, theirs = list(honest), list(forged)
    moments = [Moment(0, len(ours), len(theirs))]
    mine = work(f"payment {len(ours) + 1}", ours[-1], seed)
    his = work(again(honest, len(theirs)), theirs[-1], seed + 1)
    hashes = 0
    while max(len(ours), len(theirs)) < until:
        hashes += 1
        turn_of_cheater = hashes % 3 == 0
        page = next(his if turn_of_cheater else mine)
        if page is None:
            continue
        (theirs if turn_of_cheater else ours).append(page)
        moments.append(Moment(hashes, len(ours), len(theirs)))
        if turn_of_cheater:
            his = work(again(honest, len(theirs)), page, seed + hashes)
        else:
            mine = work(f"payment {len(ours) + 1}", page, seed + hashes)
    return moments, ours, theirs


def again(honest: list[Page], place: int) -> str:
    """The payment that the cheater writes here: the honest chain's, or a new one past its end."""
    return honest[place].payment if place < len(honest) else f"payment {place + 1}"
