"""The Noise handshake of Stratum v2, as its client: Noise_NX_Secp256k1+EllSwift_ChaChaPoly_SHA256.

Act 1 is our ephemeral key, 64 bytes. Act 2 is the server's answer, 234 bytes: its ephemeral key,
its static key (encrypted), and a certificate (encrypted) in which the pool's authority signs that
static key for a span of time. There is no third act: the first frame follows at once.

Only the authority's key can be pinned, since servers make a new static key for each connection; and
the authority's key is never sent, so it must be known beforehand. Neither act carries a length, a
version or a mark: any 64 bytes are a key. What is no Stratum v2 server shows itself by bytes that
cannot be decrypted, by silence, or by hanging up.

Sources: Stratum v2 specification, chapter 4; the Noise Protocol Framework, revision 34, section 5.
"""

import hashlib
import hmac
from dataclasses import dataclass

from miner.errors import RemoteProtocolError
from miner.protocol.sv2.crypto import (
    PUBLIC_BYTES,
    TAG_BYTES,
    Cipher,
    DecryptionFailed,
    KeyPair,
    is_signed_by,
    shared_secret,
    x_only,
)

PROTOCOL_NAME = b"Noise_NX_Secp256k1+EllSwift_ChaChaPoly_SHA256"
ACT1_BYTES = PUBLIC_BYTES
STATIC_BYTES = PUBLIC_BYTES + TAG_BYTES
CERTIFICATE_BYTES = 74
ACT2_BYTES = PUBLIC_BYTES + STATIC_BYTES + CERTIFICATE_BYTES + TAG_BYTES  # 234
LEEWAY_S = 10  # how far two clocks may differ; the reference implementation's own


class HandshakeRefused(RemoteProtocolError):
    """The server's answer to our key is not acceptable; the text names the cause."""


class WrongAuthority(HandshakeRefused):
    """The certificate is not signed by the key the user gave."""


class CertificateNotValid(HandshakeRefused):
    """Outside of the certificate's time; `off_by_s` > 0: our clock is behind, < 0: ahead."""

    def __init__(self, text: str, off_by_s: int) -> None:
        super().__init__(text)
        self.off_by_s = off_by_s


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a pool's authority signed. Times are seconds since 1970, both ends included."""

    version: int
    valid_from: int
    not_valid_after: int
    signature: bytes

    @classmethod
    def parse(cls, raw: bytes) -> "Certificate":
        """74 bytes: u16, u32 and u32 little-endian, and 64 bytes of signature."""
        return cls(
            int.from_bytes(raw[:2], "little"),
            int.from_bytes(raw[2:6], "little"),
            int.from_bytes(raw[6:10], "little"),
            raw[10:],
        )

    def signed_hash(self, static_x: bytes) -> bytes:
        """The 32 bytes under the signature: SHA-256 of version, times and static key."""
        head = self.version.to_bytes(2, "little") + self.valid_from.to_bytes(4, "little")
        return hashlib.sha256(head + self.not_valid_after.to_bytes(4, "little") + static_x).digest()

    def check(self, static_x: bytes, authority: bytes | None, now: int) -> None:
        """Raises HandshakeRefused; without an authority nothing but the version can be checked."""
        if self.version != 0:
            raise HandshakeRefused(f"the server's certificate has version {self.version}, want 0")
        if authority is None:
            return
        if not is_signed_by(authority, self.signed_hash(static_x), self.signature):
            raise WrongAuthority(
                "this server is not signed by that key; compare the key in the URL with the "
                "pool's page (or somebody stands in between)"
            )
        if now + LEEWAY_S < self.valid_from:
            late = self.valid_from - now
            raise CertificateNotValid(
                f"your clock is {late} s behind the certificate's; set it by network time", late
            )
        if now - LEEWAY_S > self.not_valid_after:
            ahead = now - self.not_valid_after
            raise CertificateNotValid(
                f"the server's certificate ended {ahead} s ago by your clock; set the clock by "
                "network time, or tell the pool",
                -ahead,
            )


@dataclass(frozen=True, slots=True)
class Secured:
    """A finished handshake: one cipher a direction, and who the server showed itself to be."""

    sending: Cipher
    receiving: Cipher
    static_x: bytes
    certificate: Certificate


class Initiator:
    """The client's side of one handshake: send `act1`, then give the server's 234 bytes."""

    def __init__(self, ephemeral: KeyPair, authority: bytes | None) -> None:
        """`authority`: 32-byte x-only key of the pool, None to trust whoever answers."""
        self._ephemeral, self._authority = ephemeral, authority
        self._chain = hashlib.sha256(PROTOCOL_NAME).digest()  # the name is longer than 32 bytes
        self._hash = hashlib.sha256(self._chain).digest()  # with the empty prologue
        self._mix_hash(ephemeral.public)
        self._mix_hash(b"")  # act 1 carries an empty payload, not yet encrypted
        self.act1 = ephemeral.public

    def finish(self, act2: bytes, now: int) -> Secured:
        """Raises HandshakeRefused; `now` is the wall clock in seconds since 1970."""
        if len(act2) != ACT2_BYTES:
            raise HandshakeRefused(
                f"the handshake's answer has {len(act2)} bytes, want {ACT2_BYTES}"
            )
        theirs, rest = act2[:PUBLIC_BYTES], act2[PUBLIC_BYTES:]
        self._mix_hash(theirs)
        key = self._mix_key(shared_secret(self._ephemeral, theirs, initiator=True))
        static = self._decrypt_and_hash(key, rest[:STATIC_BYTES], act2)
        key = self._mix_key(shared_secret(self._ephemeral, static, initiator=True))
        certificate = Certificate.parse(self._decrypt_and_hash(key, rest[STATIC_BYTES:], act2))
        static_x = x_only(static)
        certificate.check(static_x, self._authority, now)
        sending, receiving = hkdf2(self._chain, b"")
        return Secured(Cipher(sending), Cipher(receiving), static_x, certificate)

    def _mix_hash(self, data: bytes) -> None:
        self._hash = hashlib.sha256(self._hash + data).digest()

    def _mix_key(self, material: bytes) -> bytes:
        self._chain, key = hkdf2(self._chain, material)
        return key

    def _decrypt_and_hash(self, key: bytes, sealed: bytes, act2: bytes) -> bytes:
        """Each key of the handshake is used once, with nonce 0."""
        try:
            plain = Cipher(key).decrypt(sealed, self._hash)
        except DecryptionFailed:
            raise HandshakeRefused(no_answer_text(act2)) from None
        self._mix_hash(sealed)
        return plain


def hkdf2(chain: bytes, material: bytes) -> tuple[bytes, bytes]:
    """Noise's key derivation with two outputs of 32 bytes (HMAC-SHA256)."""
    temporary = hmac.digest(chain, material, "sha256")
    first = hmac.digest(temporary, b"\x01", "sha256")
    return first, hmac.digest(temporary, first + b"\x02", "sha256")


def no_answer_text(received: bytes) -> str:
    """What a port that gave these bytes in place of act 2 most likely is, in one line."""
    start = received.lstrip()
    if start.startswith(b"{"):
        return "this is a Stratum v1 port; use stratum+tcp:// for it, or the v2 port"
    if start.startswith((b"HTTP/", b"<")):
        return "the port speaks HTTP; use the Stratum v2 port"
    if not received:
        return (
            "the server hung up in the handshake, or is silent: this is most likely a Stratum v1 "
            "or HTTP port; use the Stratum v2 port"
        )
    if len(received) < ACT2_BYTES:
        return f"the server hung up after {len(received)} of {ACT2_BYTES} bytes of the handshake"
    return "the handshake's answer cannot be decrypted; is this a Stratum v2 port?"
