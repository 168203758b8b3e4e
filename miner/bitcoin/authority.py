"""The text form of a Stratum v2 pool's authority key: base58check of 01 00 and 32 bytes.

The key is an x-only point of BIP 340; its text has some 51 characters and begins with 9.
Source: Stratum v2 specification, 4.7.1.
"""

from miner.bitcoin.address import AddressError, base58check_decode, base58check_encode

VERSION = b"\x01\x00"  # u16 1, little-endian
KEY_BYTES = 32
OLD_BRAIINS = "u95GE"  # how keys of Braiins' first protocol began: ed25519, no longer served


class AuthorityError(ValueError):
    """This text is no authority key; the error says why and what to do."""


def authority_from_text(text: str) -> bytes:
    """The 32 bytes of the key, big-endian. Raises AuthorityError."""
    if text.startswith(OLD_BRAIINS):
        raise AuthorityError(
            f"key {text[:60]!r} is of an old Braiins protocol; today's keys begin with 9: "
            "copy the new one from the pool's page"
        )
    try:
        data = base58check_decode(text)
    except AddressError:
        strange = next((sign for sign in text if not sign.isascii() or not sign.isalnum()), "")
        why = f"has {strange!r} in it" if strange else "does not match its checksum"
        raise AuthorityError(
            f"key {text[:60]!r} {why}: a character is mistyped or missing; copy it again"
        ) from None
    if len(data) != len(VERSION) + KEY_BYTES:
        raise AuthorityError(f"key {text[:60]!r} holds {len(data)} bytes, want {2 + KEY_BYTES}")
    if not data.startswith(VERSION):
        version = int.from_bytes(data[:2], "little")
        raise AuthorityError(f"key {text[:60]!r} has version {version}, want 1")
    return data[len(VERSION) :]


def authority_text(key: bytes) -> str:
    """The inverse of `authority_from_text`."""
    return base58check_encode(VERSION + key)
