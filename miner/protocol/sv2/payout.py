"""Where the money of an extended job goes, and user names that give it away.

On an extended channel the coinbase is visible: which of its outputs is ours, and how much. Servers
of the reference implementation read the user name as ADDRESS[.worker], sri/solo/ADDRESS/worker or
sri/donate/PERCENT/ADDRESS/worker, and take everything else, an empty name too, for "donate all".
Source: SRI pool 0.4.0, seen to do so.
"""

from dataclasses import dataclass

from miner.bitcoin.address import Address, AddressError, decode
from miner.protocol.decode import decode_coinbase, per_cent, user_address
from miner.text import scrub
from miner.work.job import Job

PREFIX = "sri"
SOLO, DONATE = "solo", "donate"


@dataclass(frozen=True, slots=True)
class PayoutWord:
    """One line about the payout; `alarm`: the user should act."""

    text: str
    alarm: bool


def address_in(user: str) -> Address | None:
    """The address a server of the reference implementation would pay; None: it would pay none."""
    parts = user.split("/")
    if parts[0] != PREFIX:
        return user_address(user)
    place = {SOLO: 2, DONATE: 3}.get(parts[1] if len(parts) > 1 else "")
    if place is None or len(parts) <= place:
        return None
    try:
        return decode(parts[place])
    except AddressError:
        return None


def about(job: Job, user: str) -> PayoutWord:
    """What the coinbase of an extended job means for this user."""
    own, shown = address_in(user), scrub(user, 60)
    if own is None:
        return PayoutWord(
            f"user name '{shown}' names no address: unless this pool keeps accounts by name, it "
            "takes the whole reward for itself; use ADDRESS or ADDRESS.worker",
            alarm=True,
        )
    try:
        coinbase = decode_coinbase(job, own, own.chains[0])
    except ValueError as error:
        return PayoutWord(f"the coinbase cannot be read ({error}): nobody knows who is paid", True)
    paid, total = coinbase.paid_to_user or 0, coinbase.total
    if paid:
        return PayoutWord(f"a block would pay {per_cent(paid, total)} to {own.text}", alarm=False)
    text = f"this pool's coinbase pays 0 % to {own.text}"
    if user.startswith(f"{PREFIX}/{SOLO}/"):
        return PayoutWord(f"{text}, though the user name asks for solo mining: leave it", True)
    return PayoutWord(f"{text}: normal where a pool pays later, wrong for solo mining", False)
