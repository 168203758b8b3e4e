"""The server's side of Stratum v2's handshake, written apart from the product's.

It calls the two libraries itself and keeps its own hashes and nonces, so that a mistake in
`miner.protocol.sv2` cannot hide in shared code. Keys may be given, to replay recorded handshakes.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from btclib_libsecp256k1 import ellswift, ssa
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

NAME = b"Noise_NX_Secp256k1+EllSwift_ChaChaPoly_SHA256"


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def two_keys(chain: bytes, secret: bytes) -> tuple[bytes, bytes]:
    root = hmac.new(chain, secret, hashlib.sha256).digest()
    one = hmac.new(root, b"\x01", hashlib.sha256).digest()
    return one, hmac.new(root, one + b"\x02", hashlib.sha256).digest()


def counted(number: int) -> bytes:
    return number.to_bytes(12, "big")[:4] + number.to_bytes(8, "little")


@dataclass
class Key:
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    public: bytes = b""

    def __post_init__(self) -> None:
        if not self.public:
            self.public = ellswift.create(self.secret)


def authority_x(secret: bytes) -> bytes:
    """The public key that users pin, 32 bytes."""
    return bytes(ellswift.decode(ellswift.create(secret))[1:])


def certificate(
    authority: bytes, static: bytes, valid_from: int, not_valid_after: int, version: int = 0
) -> bytes:
    """74 bytes, signed; `static` is the ElligatorSwift key."""
    head = version.to_bytes(2, "little") + valid_from.to_bytes(4, "little")
    head += not_valid_after.to_bytes(4, "little")
    digest = sha256(head + bytes(ellswift.decode(static)[1:]))
    return head + bytes(ssa.sign(digest, authority))


@dataclass
class Box:
    """One direction: encrypts and decrypts blocks, counting."""

    key: bytes
    count: int = 0

    def seal(self, plain: bytes) -> bytes:
        self.count += 1
        return ChaCha20Poly1305(self.key).encrypt(counted(self.count - 1), plain, None)

    def open(self, sealed: bytes) -> bytes:
        self.count += 1
        return ChaCha20Poly1305(self.key).decrypt(counted(self.count - 1), sealed, None)

    def seal_frame(self, head: bytes, payload: bytes) -> bytes:
        """`head`: extension and type, three bytes."""
        blocks = [payload[at : at + 65519] for at in range(0, len(payload), 65519)]
        sealed = self.seal(head + len(payload).to_bytes(3, "little"))
        return sealed + b"".join(self.seal(block) for block in blocks)

    def open_frames(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """Whole frames alone; each as its three bytes of head and its payload."""
        found = []
        while data:
            head, data = self.open(data[:22]), data[22:]
            left, payload = int.from_bytes(head[3:6], "little"), b""
            while left:
                size = min(left, 65519)
                payload += self.open(data[: size + 16])
                data, left = data[size + 16 :], left - size
            found.append((head[:3], payload))
        return found


def respond(act1: bytes, ephemeral: Key, static: Key, signed: bytes) -> tuple[bytes, Box, Box]:
    """Act 2, then what the client sends and what it receives."""
    chain = sha256(NAME)
    digest = sha256(sha256(chain) + act1)
    digest = sha256(digest)
    digest = sha256(digest + ephemeral.public)
    chain, key = two_keys(chain, ellswift.xdh(act1, ephemeral.public, ephemeral.secret, 1))
    first = ChaCha20Poly1305(key).encrypt(bytes(12), static.public, digest)
    digest = sha256(digest + first)
    chain, key = two_keys(chain, ellswift.xdh(act1, static.public, static.secret, 1))
    second = ChaCha20Poly1305(key).encrypt(bytes(12), signed, digest)
    from_client, to_client = two_keys(chain, b"")
    return ephemeral.public + first + second, Box(from_client), Box(to_client)
