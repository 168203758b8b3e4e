"""Just enough secp256k1 to sign for tests: ECDSA (SEC 1), Schnorr (BIP 340); not constant-time."""

import hashlib
import struct

from tests.node.kit import Tx, sha256d, size, sized

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
G = (
    0x79BE667E_F9DCBBAC_55A06295_CE870B07_029BFCDB_2DCE28D9_59F2815B_16F81798,
    0x483ADA77_26A3C465_5DA4FBFC_0E1108A8_FD17B448_A6855419_9C47D08F_FB10D4B8,
)
Point = tuple[int, int] | None


def add(a: Point, b: Point) -> Point:
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    if a == b:
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P) % P
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def times(scalar: int, point: Point = G) -> tuple[int, int]:
    total: Point = None
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point, scalar = add(point, point), scalar >> 1
    assert total is not None
    return total


def public_key(secret: int) -> bytes:
    """Compressed."""
    x, y = times(secret)
    return bytes([2 + y % 2]) + x.to_bytes(32, "big")


def ecdsa(secret: int, digest: bytes) -> bytes:
    """DER with low s, and SIGHASH_ALL behind it."""
    k = int.from_bytes(hashlib.sha256(secret.to_bytes(32, "big") + digest).digest(), "big") % N
    r = times(k)[0] % N
    s = pow(k, -1, N) * (int.from_bytes(digest, "big") + r * secret) % N
    s = min(s, N - s)
    numbers = [number.to_bytes(number.bit_length() // 8 + 1, "big") for number in (r, s)]
    body = b"".join(b"\x02" + sized(number) for number in numbers)
    return b"\x30" + sized(body) + b"\x01"


def tagged(tag: str, data: bytes) -> bytes:
    prefix = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(prefix + prefix + data).digest()


def schnorr(secret: int, digest: bytes) -> bytes:
    x, y = times(secret)
    secret = secret if y % 2 == 0 else N - secret
    nonce = tagged("BIP0340/nonce", secret.to_bytes(32, "big") + x.to_bytes(32, "big") + digest)
    k = int.from_bytes(nonce, "big") % N
    rx, ry = times(k)
    k = k if ry % 2 == 0 else N - k
    data = rx.to_bytes(32, "big") + x.to_bytes(32, "big") + digest
    e = int.from_bytes(tagged("BIP0340/challenge", data), "big") % N
    return rx.to_bytes(32, "big") + ((k + e * secret) % N).to_bytes(32, "big")


def parts(tx: Tx) -> tuple[bytes, bytes, bytes]:
    """All outpoints, sequences and outputs, serialized."""
    points = b"".join(txid + struct.pack("<I", index) for txid, index, _, _ in tx.inputs)
    sequences = b"".join(struct.pack("<I", sequence) for *_, sequence in tx.inputs)
    outputs = b"".join(struct.pack("<q", value) + sized(script) for value, script in tx.outputs)
    return points, sequences, outputs


def legacy_digest(tx: Tx, place: int, script: bytes) -> bytes:
    inputs = [
        (txid, index, script if place == at else b"", sequence)
        for at, (txid, index, _, sequence) in enumerate(tx.inputs)
    ]
    whole = Tx(inputs, tx.outputs, version=tx.version, locktime=tx.locktime)
    return sha256d(whole.bare() + struct.pack("<I", 1))


def segwit_digest(tx: Tx, place: int, script: bytes, amount: int) -> bytes:
    """BIP 143."""
    points, sequences, outputs = parts(tx)
    txid, index, _, sequence = tx.inputs[place]
    return sha256d(
        struct.pack("<I", tx.version)
        + sha256d(points)
        + sha256d(sequences)
        + txid
        + struct.pack("<I", index)
        + sized(script)
        + struct.pack("<qI", amount, sequence)
        + sha256d(outputs)
        + struct.pack("<II", tx.locktime, 1)
    )


def taproot_digest(tx: Tx, place: int, spent: list[tuple[int, bytes]]) -> bytes:
    """BIP 341, key path, SIGHASH_DEFAULT."""
    points, sequences, outputs = parts(tx)
    amounts = b"".join(struct.pack("<q", amount) for amount, _ in spent)
    scripts = b"".join(sized(script) for _, script in spent)
    hashed = (points, amounts, scripts, sequences, outputs)
    return tagged(
        "TapSighash",
        b"\x00\x00"
        + struct.pack("<II", tx.version, tx.locktime)
        + b"".join(hashlib.sha256(part).digest() for part in hashed)
        + b"\x00"
        + struct.pack("<I", place),
    )


def push(data: bytes) -> bytes:
    return size(len(data)) + data
