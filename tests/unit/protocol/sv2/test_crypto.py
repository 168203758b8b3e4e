"""The two libraries behind Stratum v2, held against the BIPs' and the RFC's own vectors."""

import pytest

from miner.errors import LocalProtocolError
from miner.protocol.sv2 import crypto
from miner.protocol.sv2.crypto import Cipher, DecryptionFailed, KeyPair
from tests.unit.protocol.sv2.vectors import VECTORS, unhex


@pytest.mark.parametrize("row", VECTORS["bip324_ellswift_decode"]["rows"], ids=range(76))
def test_every_64_bytes_are_a_key(row: dict[str, str]) -> None:
    public, x = unhex(row, "ellswift", "x")
    assert crypto.x_only(public) == x


def test_every_inverse_case_decodes_to_its_x() -> None:
    checked = 0
    for row in VECTORS["bip324_xswiftec_inv"]["rows"]:
        u, x = unhex(row, "u", "x")
        for case in range(8):
            if text := row[f"case{case}_t"]:
                assert crypto.x_only(u + bytes.fromhex(text)) == x
                checked += 1
    assert checked == 98


@pytest.mark.parametrize("row", VECTORS["bip324_ecdh"]["rows"], ids=range(7))
def test_key_agreement(row: dict[str, str]) -> None:
    secret, ours, theirs, x, wanted = unhex(
        row, "in_priv_ours", "in_ellswift_ours", "in_ellswift_theirs", "mid_x_theirs",
        "mid_shared_secret",
    )  # fmt: skip
    assert crypto.x_only(theirs) == x
    initiator = row["in_initiating"] == "1"
    assert crypto.shared_secret(KeyPair(secret, ours), theirs, initiator=initiator) == wanted


@pytest.mark.parametrize("row", VECTORS["bip340"]["rows"], ids=lambda row: row["index"])
def test_signatures(row: dict[str, str]) -> None:
    key, message, signature = unhex(row, "public key", "message", "signature")
    wanted = row["verification result"] == "TRUE"
    assert crypto.is_signed_by(key, message, signature) is wanted


def test_aead_and_what_it_refuses() -> None:
    row = VECTORS["rfc8439_aead"]
    key, nonce, associated, plain, sealed = unhex(
        row, "key", "nonce", "ad", "plain", "cipher_and_tag"
    )
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    assert ChaCha20Poly1305(key).encrypt(nonce, plain, associated) == sealed
    ours = Cipher(key).encrypt(plain, associated)
    assert ours == ChaCha20Poly1305(key).encrypt(bytes(12), plain, associated)
    for bad in (b"", ours[:15], ours[:-1], bytes([ours[0] ^ 1]) + ours[1:]):
        reader = Cipher(key)
        with pytest.raises(DecryptionFailed):
            reader.decrypt(bad, associated)
        assert reader.nonce == 0, "a failure uses no nonce up"
        assert reader.decrypt(ours, associated) == plain
        assert reader.nonce == 1


def test_the_last_nonce_is_never_used() -> None:
    cipher = Cipher(bytes(32))
    cipher.nonce = crypto.LAST_NONCE
    with pytest.raises(LocalProtocolError, match="used up"):
        cipher.encrypt(b"x")


def test_new_keys_are_made_from_the_bytes_given() -> None:
    one = crypto.new_key(bytes(range(1, 65)))
    assert one == crypto.new_key(bytes(range(1, 65)))
    assert one.public != crypto.new_key(bytes(range(1, 64)) + b"\0").public
    for bad in (bytes(64), b"\xff" * 64, bytes(63)):
        with pytest.raises(LocalProtocolError):
            crypto.new_key(bad)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert crypto.missing() is None
    monkeypatch.setattr(crypto, "LIBRARIES", ("cryptography", "no_such_library"))
    assert crypto.missing() == (
        "Stratum v2 needs no_such_library; install them: pip install no_such_library"
    )
