"""Where the reward of a solo block goes."""

from miner.bitcoin.address import Address, AddressError, decode
from miner.errors import ConfigError


def read_payout(payout: str | bytes) -> tuple[Address | None, bytes]:
    """The address, if one was given, and the script to pay. Raises ConfigError."""
    if isinstance(payout, bytes):
        return None, payout
    try:
        address = decode(payout)
    except AddressError as error:
        raise ConfigError(str(error)) from None
    return address, address.script
