"""TLS for pools: verified by default, pinned or trusted by file on request, never downgraded."""

import hashlib
import os
import re
import ssl
from dataclasses import dataclass
from pathlib import Path

from miner.errors import ConfigError

PIN = re.compile(r"[0-9a-f]{64}")
# X509_V_ERR_* of OpenSSL, in words that say what to do.
CAUSES = {
    9: "its certificate is not valid yet: check this computer's clock",
    10: "its certificate has expired",
    18: "its certificate is self-signed: trust it with --tls-pin or --tls-ca",
    19: "its chain ends in an unknown authority: trust it with --tls-ca",
    20: "its certificate is from an unknown authority: trust it with --tls-ca or --tls-pin",
    21: "its chain is incomplete: trust it with --tls-ca or --tls-pin",
    62: "its certificate is for another host name",
    64: "its certificate is for another IP address",
}
PLAIN_TEXT = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH")
TOO_OLD = ("UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "VERSION_TOO_LOW", "NO_PROTOCOLS_AVAILABLE")


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How to trust a pool's certificate. A pin replaces chain and host name."""

    ca: Path | None = None  # PEM file of authorities, instead of the system's
    pin: str | None = None  # SHA-256 of the certificate (DER), hex, colons allowed
    insecure: bool = False  # trust anything: for experiments, said loudly by whoever sets it

    def __post_init__(self) -> None:
        if self.pin is not None:
            pin = self.pin.replace(":", "").lower()
            if not PIN.fullmatch(pin):
                raise ConfigError(f"--tls-pin {self.pin[:80]!r}: want 64 hex digits of SHA-256")
            object.__setattr__(self, "pin", pin)
        if self.ca is not None and not os.path.isfile(self.ca):  # as Path it may raise
            raise ConfigError(f"--tls-ca {str(self.ca)!r}: no such file")

    def context(self) -> ssl.SSLContext:
        """A client context. Raises ConfigError when the authority file cannot be read."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except (OSError, ssl.SSLError) as error:
            what = "TLS" if self.ca is None else f"--tls-ca {str(self.ca)!r}"
            raise ConfigError(f"{what} cannot be used: {error}") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.pin is not None or self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def pin_failure(self, certificate: bytes | None) -> str | None:
        """Why the peer's certificate (DER) does not match the pin; None when it does."""
        if self.pin is None:
            return None
        seen = fingerprint(certificate)
        return None if seen == self.pin else f"its certificate has the pin {seen}, not {self.pin}"


UNVERIFIED = TlsSettings(insecure=True)  # only to read a fingerprint for an error text


def fingerprint(certificate: bytes | None) -> str:
    """SHA-256 of a DER certificate, hex."""
    return "(none)" if certificate is None else hashlib.sha256(certificate).hexdigest()


def failure_cause(error: OSError) -> str:
    """What went wrong in a TLS handshake, in plain words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return CAUSES.get(error.verify_code, f"its certificate fails: {error.verify_message}")
    if isinstance(error, ssl.SSLEOFError | ConnectionError):
        return "it closed the connection during the TLS handshake: is this its TLS port?"
    reason = str(getattr(error, "reason", "") or error)
    if any(word in reason for word in TOO_OLD):
        return "it offers only TLS versions before 1.2"
    if any(word in reason for word in PLAIN_TEXT):
        return "it does not speak TLS on this port: is stratum+tcp:// meant?"
    return f"TLS failed: {reason[:120]}"
