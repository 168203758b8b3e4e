"""A node behind https: trusted by authority or by pin, refused otherwise; the cause is named."""

import datetime
import hashlib
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from miner.errors import ConnectFailed
from miner.secret import Secret
from miner.transport.credentials import UserPassword
from miner.transport.endpoint import Endpoint
from miner.transport.rpc import Rpc
from miner.transport.tls import TlsSettings
from tests.fakes.exchange import http


@dataclass
class TlsNode:
    port: int
    certificate: Path
    pin: str
    seen: list[bytes]


def certificate(folder: Path) -> tuple[Path, Path, bytes]:
    """A throw-away self-signed certificate for 127.0.0.1: PEM file, key file, DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fake node")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, secret, made.public_bytes(serialization.Encoding.DER)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[TlsNode]:
    pem, key, der = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    with socket.create_server(("127.0.0.1", 0)) as server:
        fake = TlsNode(server.getsockname()[1], pem, hashlib.sha256(der).hexdigest(), [])

        def serve() -> None:
            try:
                with context.wrap_socket(server.accept()[0], server_side=True) as sock:
                    request = b""
                    while b'"id"' not in request:
                        if not (data := sock.recv(4096)):
                            return
                        request += data
                    fake.seen.append(request)
                    number = json.loads(request.split(b"\r\n\r\n", 1)[1])["id"]
                    body = {"result": 7, "error": None, "id": number}
                    sock.sendall(http(200, json.dumps(body).encode()))
            except OSError:
                return  # the client refused us

        thread = threading.Thread(target=serve)
        thread.start()
        yield fake
        thread.join(5)
        assert not thread.is_alive()


def call(node: TlsNode, tls: TlsSettings) -> object:
    endpoint = Endpoint("https", "127.0.0.1", node.port)
    rpc = Rpc(endpoint, UserPassword("alice", Secret("canary")), 5.0, tls)
    try:
        return rpc.call("getblockcount")
    finally:
        rpc.close()


def test_a_node_of_a_named_authority_is_trusted(node: TlsNode) -> None:
    assert call(node, TlsSettings(ca=node.certificate)) == 7


def test_a_pinned_node_is_trusted(node: TlsNode) -> None:
    assert call(node, TlsSettings(pin=node.pin)) == 7


def test_an_unknown_certificate_is_refused_before_any_credential_is_sent(node: TlsNode) -> None:
    with pytest.raises(ConnectFailed, match="self-signed"):
        call(node, TlsSettings())
    assert not node.seen


def test_another_pin_is_refused_before_any_credential_is_sent(node: TlsNode) -> None:
    with pytest.raises(ConnectFailed, match="check --tls-pin"):
        call(node, TlsSettings(pin="ab" * 32))
    assert not node.seen


def test_https_on_a_plain_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def plain() -> None:
            with server.accept()[0] as sock:
                sock.sendall(http(400, b"plain"))
                sock.recv(4096)

        thread = threading.Thread(target=plain)
        thread.start()
        endpoint = Endpoint("https", "127.0.0.1", server.getsockname()[1])
        with pytest.raises(ConnectFailed, match="TLS"):
            Rpc(endpoint, UserPassword("a", Secret("b"))).call("getblockcount")
        thread.join(5)
