"""Template providers as a source, over real sockets: silence, sending again, verdicts."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from miner.errors import ConfigError
from miner.protocol.sv2 import fates
from miner.protocol.sv2.template import Payout
from miner.sources.base import Health
from miner.sources.pool.failover import Failover
from miner.sources.pool.options import PoolOptions
from miner.sources.pool.pools import pool_source
from miner.sources.sv2.templates import template_source
from miner.transport.urls import PoolLogin, parse_pool_url
from miner.work.found import NO_SIGN, Answer
from tests.fakes.pool import FakePool
from tests.fakes.sink import Sink, solve, until
from tests.fakes.sv2_tp import ProviderServer

PAYOUT = Payout(bytes.fromhex("0014751e76e8199196d454941c45d1b3a323f1433bd6"), b"/t/")
KEY = "9bXiEd8boQVhq7WddEcERUL5tyyJVFYdU8th3HfbNXK3Yw6GRXh"
OPTIONS = PoolOptions(noun="node", least_delay_s=0.0, most_delay_s=0.05)


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


@pytest.fixture
def source(server: ProviderServer) -> Iterator[Failover]:
    made = template_source([parse_pool_url(server.url)], PAYOUT, OPTIONS)
    yield made
    made.stop(0.0)


def test_no_sign_is_unknown_and_sent_again_until_the_chain_has_it(
    server: ProviderServer, source: Failover, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fates, "ANSWER_S", 0.2)
    server.deaf, sink = True, Sink()
    source.start(sink)
    block = source.pack(solve(sink.job_at(501)))
    source.send(block)
    sink.wait(lambda: sink.verdicts)
    first = sink.verdicts[0]
    assert (first.answer, first.reason, first.final) == (Answer.UNKNOWN, NO_SIGN, False)
    assert first.is_block and not first.of_share
    server.deaf = False
    source.send(block.again)
    (verdict,) = sink.final()
    assert (verdict.answer, verdict.hash_hex) == (Answer.ACCEPTED, block.hash_hex)
    assert [digest[::-1].hex() for digest in server.good] == [block.hash_hex] * 2
    assert server.bad == []


def test_a_cut_connection_is_made_again_and_sends_what_was_open(
    server: ProviderServer, source: Failover
) -> None:
    server.deaf, sink = True, Sink()
    source.start(sink)
    block = source.pack(solve(sink.job_at(501)))
    source.send(block)
    until(lambda: server.good)
    server.deaf = False
    server.cut()
    (verdict,) = sink.final()
    assert (verdict.answer, verdict.hash_hex) == (Answer.ACCEPTED, block.hash_hex)
    assert len(server.providers) >= 2
    sink.job_at(502)


def test_what_it_says_is_about_a_node(server: ProviderServer, source: Failover) -> None:
    sink = Sink()
    source.start(sink)
    sink.job_at(501)
    sink.wait(lambda: sink.states[-1].health is Health.READY)
    assert not any("pool" in state.text for state in sink.states)


def test_no_key_is_an_error_before_anything_is_opened() -> None:
    bare = parse_pool_url("stratum2+tcp://127.0.0.1:9", "node")
    with pytest.raises(ConfigError, match="from the provider's log"):
        template_source([bare], PAYOUT, OPTIONS)


@pytest.mark.parametrize("role", ["templates", "pool"])
@pytest.mark.parametrize("kind", ["v1", "http"])
def test_another_kind_of_port_is_named(kind: str, role: str) -> None:
    """It waits for the end of a line, so it gets one when it is silent for too long."""
    web = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    with FakePool() as v1, web:
        threading.Thread(target=web.serve_forever, args=(0.01,), daemon=True).start()
        port = v1.url.rpartition(":")[2] if kind == "v1" else web.server_port
        url = parse_pool_url(f"stratum2+tcp://127.0.0.1:{port}/{KEY}")
        options = replace(OPTIONS, handshake_s=0.6, retries=0)
        made, sink = template_source([url], PAYOUT, options), Sink()
        if role == "pool":
            made = pool_source([PoolLogin(url, "user")], options)
        made.start(sink)
        words = "Stratum v1 or HTTP port" if kind == "v1" else "the port speaks HTTP"
        try:
            state = sink.state_with(words)
        finally:
            made.stop(0.0)
            web.shutdown()
    assert state.fatal is not None and "pool" not in state.text


class Quiet(BaseHTTPRequestHandler):
    """A web server that keeps no log."""

    def log_message(self, format: str, *args: object) -> None: ...
