"""Names of people and machines: what strangers send becomes a short, clean, unique name."""

import unicodedata
from collections.abc import Container

from miner.bitcoin.address import AddressError, decode
from miner.pool.values import NAME_BYTES, NAME_CHARS
from miner.text import scrub

NOBODY = "miner"  # who gave no name
# Letters and signs that show nothing: fillers of Hangul, the empty braille cell.
BLANKS = dict.fromkeys((0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800), " ")


def clean(wished: str) -> str:
    """One line of at most 24 printable characters and 40 bytes of UTF-8; never empty. What looks
    the same is the same: accents are composed, blanks of other scripts are blanks."""
    shown = unicodedata.normalize("NFC", scrub(wished, 4 * NAME_CHARS)).translate(BLANKS)
    name = " ".join(shown.split())[:NAME_CHARS]
    while len(name.encode()) > NAME_BYTES:
        name = name[:-1]
    return name.strip() or NOBODY


def unique(name: str, taken: Container[str]) -> str:
    """The clean name, or with a number behind it. `taken`: names in lower case (casefold)."""
    number, free = 1, name
    while free.casefold() in taken:
        number += 1
        tail = f" {number}"
        free = clean(name[: NAME_CHARS - len(tail)].rstrip())
        while len(f"{free}{tail}".encode()) > NAME_BYTES:
            free = free[:-1]
        free += tail
    return free


def of_user(user: str) -> tuple[str, bool]:
    """The name in a Stratum user, and whether an address stood in it: of ADDRESS.worker it is the
    worker, of a bare address its ends, and every other text is a name as it is."""
    account, _, worker = user.partition(".")
    try:
        decode(account)
    except AddressError:
        return clean(user), False
    return clean(worker or f"{account[:4]}…{account[-4:]}"), True
