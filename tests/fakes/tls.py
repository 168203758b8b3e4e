"""A throw-away certificate authority and servers' certificates of every quality."""

import hashlib
import ipaddress
import ssl
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Served:
    """A server's TLS set-up and what a client needs to know of it."""

    context: ssl.SSLContext
    fingerprint: str  # SHA-256 of the certificate


class Authority:
    """Signs certificates for 127.0.0.1 and localhost; `ca` is its PEM file."""

    def __init__(self, folder: Path, name: str = "throw-away CA") -> None:
        self._folder, self._name = folder, named(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            certificate_for(self._name, self._name, self._key, -DAY, DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(key_usage(sign=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.ca = folder / f"{name.replace(' ', '-')}.pem"
        self.ca.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def serve(
        self,
        names: tuple[str, ...] = ("127.0.0.1", "localhost"),
        start: timedelta = -DAY,
        end: timedelta = DAY,
        self_signed: bool = False,
    ) -> Served:
        """A server with a certificate for these names, valid from start to end from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = named(names[0])
        alternatives = x509.SubjectAlternativeName([general_name(name) for name in names])
        certificate = (
            certificate_for(subject, subject if self_signed else self._name, key, start, end)
            .add_extension(alternatives, critical=False)
            .add_extension(key_usage(sign=False), critical=True)
            .sign(key if self_signed else self._key, hashes.SHA256())
        )
        file = self._folder / f"{certificate.serial_number}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        der = certificate.public_bytes(serialization.Encoding.DER)
        return Served(context, hashlib.sha256(der).hexdigest())


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def certificate_for(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    start: timedelta,
    end: timedelta,
) -> x509.CertificateBuilder:
    """Not signed yet; valid from start to end, counted from now."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + start)
        .not_valid_after(now + end)
    )


def key_usage(sign: bool) -> x509.KeyUsage:
    """A CA signs certificates; a server signs handshakes."""
    return x509.KeyUsage(
        digital_signature=not sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign,
        crl_sign=sign,
        encipher_only=False,
        decipher_only=False,
    )


def general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def only_old_tls(served: Served) -> Served:
    """The same server, speaking TLS 1.1 at most."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        served.context.minimum_version = ssl.TLSVersion.TLSv1
        served.context.maximum_version = ssl.TLSVersion.TLSv1_1
    served.context.set_ciphers("ALL:@SECLEVEL=0")
    return served
