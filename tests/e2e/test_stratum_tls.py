"""TLS to pools: what is trusted, what is refused and why; never a fallback to plain text."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from miner.errors import ConfigError
from miner.sources.base import Health
from miner.transport.tls import TlsSettings
from tests.e2e.stratum_kit import pools, source
from tests.fakes.hasher import Hasher
from tests.fakes.pool import FakePool
from tests.fakes.tls import DAY, Authority, Served, only_old_tls
from tests.faults import fault


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def test_a_verified_pool_mines(authority: Authority) -> None:
    with FakePool(tls=authority.serve().context) as pool:
        with Hasher(source(pool, tls=TlsSettings(ca=authority.ca))) as miner:
            miner.accepted(5)
            pool.notify(tip=True, coinb2="ab" * 100_000)  # many TLS records
            miner.wait(lambda: len(miner.jobs[-1].coinbase.part2) == 100_000)
        assert pool.shares(accepted=False) == []


def refused(miner: Hasher, pool: FakePool, cause: str) -> str:
    """The state that names the cause; nothing was sent."""
    text = miner.said(cause).text
    assert not miner.jobs
    assert all(connection.received == [] for connection in pool.connections)
    assert miner.states[-1].health in (Health.DOWN, Health.CONNECTING)
    return text


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "expired": ({"start": -3 * DAY, "end": -DAY}, "has expired"),
    "not yet valid": ({"start": DAY, "end": 3 * DAY}, "not valid yet: check this computer's clock"),
    "wrong host": ({"names": ("pool.example",)}, "is for another"),
    "self-signed": ({"self_signed": True}, "is self-signed"),
}


@pytest.mark.parametrize("case", CASES)
@fault("S35")
def test_a_bad_certificate_is_refused_by_cause_and_fingerprint(
    case: str, authority: Authority
) -> None:
    options, cause = CASES[case]
    served = authority.serve(**options)
    with (
        FakePool(tls=served.context) as pool,
        Hasher(source(pool, tls=TlsSettings(ca=authority.ca))) as miner,
    ):
        assert served.fingerprint in refused(miner, pool, cause)


@fault("S35")
def test_an_unknown_authority_is_refused_by_the_systems_list(authority: Authority) -> None:
    with FakePool(tls=authority.serve().context) as pool, Hasher(source(pool)) as miner:
        refused(miner, pool, "trust it with --tls-ca")


@fault("S35")
def test_old_tls_is_refused(authority: Authority) -> None:
    with (
        FakePool(tls=only_old_tls(authority.serve()).context) as pool,
        Hasher(source(pool, tls=TlsSettings(ca=authority.ca))) as miner,
    ):
        refused(miner, pool, "only TLS versions before 1.2")


@contextmanager
def talker(line: bytes) -> Iterator[int]:
    """A server that speaks plain text first and keeps what it hears; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        heard: list[bytes] = []
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    sock, _ = listener.accept()
                except OSError:
                    continue
                with sock:
                    sock.settimeout(0.5)
                    sock.sendall(line)
                    try:
                        heard.append(sock.recv(4096))
                    except OSError:
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        over.set()
        thread.join()
        assert all(not data.startswith(b"{") for data in heard)  # never a fallback to plain


@fault("S35")
def test_plain_text_on_the_tls_port_is_named() -> None:
    with (
        talker(b'{"id":null,"method":"mining.notify","params":[]}\n') as port,
        Hasher(source(f"stratum+ssl://127.0.0.1:{port}")) as miner,
    ):
        miner.said("does not speak TLS on this port: is stratum+tcp:// meant?")


@fault("S36")
def test_silence_in_the_tls_handshake_has_a_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        url = f"stratum+tls://127.0.0.1:{port}"
        with Hasher(source(url, handshake_s=0.4)) as miner:
            miner.said("the TLS handshake was not answered in time", 3.0)


def served_and_pin(authority: Authority, right: bool) -> tuple[Served, str]:
    served = authority.serve(names=("pool.example",), self_signed=True)
    pin = served.fingerprint if right else "00" * 32
    return served, ":".join(pin[i : i + 2] for i in range(0, 64, 2)).upper()


def test_a_pin_replaces_chain_and_host(authority: Authority) -> None:
    served, pin = served_and_pin(authority, right=True)
    with (
        FakePool(tls=served.context) as pool,
        Hasher(source(pool, tls=TlsSettings(pin=pin))) as miner,
    ):
        miner.accepted(2)


def test_a_wrong_pin_is_refused_and_the_right_one_named(authority: Authority) -> None:
    served, pin = served_and_pin(authority, right=False)
    with (
        FakePool(tls=served.context) as pool,
        Hasher(source(pool, tls=TlsSettings(pin=pin))) as miner,
    ):
        assert served.fingerprint in refused(miner, pool, "has the pin")


def test_insecure_takes_any_certificate(authority: Authority) -> None:
    served = authority.serve(end=-timedelta(hours=1), self_signed=True)
    with (
        FakePool(tls=served.context) as pool,
        Hasher(source(pool, tls=TlsSettings(insecure=True))) as miner,
    ):
        miner.accepted(2)


def test_a_redirect_keeps_tls(authority: Authority) -> None:
    context = authority.serve().context
    with FakePool(tls=context, seed=1) as pool, FakePool(seed=2) as plain:
        with Hasher(source(pool, tls=TlsSettings(ca=authority.ca))) as miner:
            miner.accepted(1)
            pool.live[0].call("client.reconnect", "", plain.port, 0)
            miner.wait(lambda: any("TLS" in state.text for state in miner.states))
        assert all(connection.received == [] for connection in plain.connections)


@pytest.mark.parametrize(
    "settings", [{"pin": "12"}, {"pin": "zz" * 32}, {"ca": Path("/nonexistent/ca.pem")}]
)
def test_settings_that_cannot_be_used_are_configuration_errors(settings: Any) -> None:
    with pytest.raises(ConfigError, match="--tls-"):
        TlsSettings(**settings)


def test_an_authority_file_of_junk_is_a_configuration_error(tmp_path: Path) -> None:
    junk = tmp_path / "ca.pem"
    junk.write_text("junk")
    with pytest.raises(ConfigError, match="--tls-ca"):
        pools("127.0.0.1:1", tls=TlsSettings(ca=junk))
