"""The one home of the two libraries that Stratum v2's encryption needs.

`btclib_libsecp256k1` wraps Bitcoin Core's curve library: ElligatorSwift keys (BIP 324) and Schnorr
signatures (BIP 340). `cryptography` gives ChaCha20-Poly1305 (RFC 8439). They are optional, so they
are imported when first used; `missing` says what to install.
"""

import importlib.util
from typing import NamedTuple

from miner.errors import LocalProtocolError

LIBRARIES = ("btclib_libsecp256k1", "cryptography")
PUBLIC_BYTES = 64  # an ElligatorSwift public key; every 64 bytes are one
RANDOM_BYTES = 64  # what `new_key` takes
TAG_BYTES = 16  # what encryption adds
LAST_NONCE = 2**64 - 1  # reserved by the Noise specification


class KeyPair(NamedTuple):
    """One side's key: 32 secret bytes and the 64 ElligatorSwift bytes that the other side sees."""

    secret: bytes
    public: bytes


class DecryptionFailed(Exception):
    """The bytes were not made with this key and nonce, or were changed on their way."""


def missing() -> str | None:
    """What to install before a Stratum v2 pool can be used, in one line; None when all is here."""
    absent = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    if not absent:
        return None
    names = " and ".join(absent)
    return f"Stratum v2 needs {names}; install them: pip install {' '.join(absent)}"


def new_key(random: bytes) -> KeyPair:
    """A key pair from 64 random bytes: 32 for the secret, 32 for its encoding.

    Raises LocalProtocolError for another number of bytes, and, once in 2**128 tries, for bytes
    that are no secret key.
    """
    from btclib_libsecp256k1 import ellswift

    if len(random) != RANDOM_BYTES:
        raise LocalProtocolError(
            f"a key is made from {RANDOM_BYTES} random bytes, not {len(random)}"
        )
    secret = random[:32]
    try:
        return KeyPair(secret, ellswift.create(secret, random[32:]))
    except ValueError as error:
        raise LocalProtocolError(f"these random bytes make no key: {error}") from None


def shared_secret(own: KeyPair, theirs: bytes, *, initiator: bool) -> bytes:
    """BIP 324's x-only key agreement: 32 bytes that both sides compute alike.

    The initiator's public key is hashed first, whichever side computes.
    """
    from btclib_libsecp256k1 import ellswift

    first, second = (own.public, theirs) if initiator else (theirs, own.public)
    secret: bytes = ellswift.xdh(first, second, own.secret, 0 if initiator else 1)
    return secret


def x_only(public: bytes) -> bytes:
    """The 32-byte big-endian x coordinate that 64 ElligatorSwift bytes stand for."""
    from btclib_libsecp256k1 import ellswift

    point: bytes = ellswift.decode(public)
    return point[1:]


def is_signed_by(authority: bytes, message: bytes, signature: bytes) -> bool:
    """BIP 340: did the holder of this 32-byte x-only key sign? False for what is no key."""
    from btclib_libsecp256k1 import ssa

    try:
        return bool(ssa.verify(message, authority, signature))
    except ValueError:
        return False


class Cipher:
    """ChaCha20-Poly1305 with Noise's counting nonce: four zero bytes, then u64 little-endian.

    A nonce is used up by a success alone. One object serves one direction of one connection.
    """

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        self._aead = ChaCha20Poly1305(key)
        self.nonce = 0

    def encrypt(self, plain: bytes, associated: bytes = b"") -> bytes:
        """The ciphertext, 16 bytes longer. Raises LocalProtocolError after 2**64 - 1 uses."""
        sealed: bytes = self._aead.encrypt(self._nonce_bytes(), plain, associated)
        self.nonce += 1
        return sealed

    def decrypt(self, sealed: bytes, associated: bytes = b"") -> bytes:
        """The plain text. Raises DecryptionFailed."""
        from cryptography.exceptions import InvalidTag

        if len(sealed) < TAG_BYTES:
            raise DecryptionFailed(f"{len(sealed)} bytes hold no {TAG_BYTES}-byte tag")
        try:
            plain: bytes = self._aead.decrypt(self._nonce_bytes(), sealed, associated)
        except InvalidTag:
            raise DecryptionFailed("the authentication tag does not match") from None
        self.nonce += 1
        return plain

    def _nonce_bytes(self) -> bytes:
        if self.nonce >= LAST_NONCE:
            raise LocalProtocolError("the nonces of this connection are used up")
        return bytes(4) + self.nonce.to_bytes(8, "little")
