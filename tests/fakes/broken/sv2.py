"""Broken input for Stratum v2: messages, running sessions, and the handshake's answer."""

import json
import random

from miner.errors import RemoteProtocolError
from miner.protocol.pool import Notice, PoolEvent
from miner.protocol.sv2.crypto import new_key
from miner.protocol.sv2.frames import Frame
from miner.protocol.sv2.link import SecureLink
from miner.protocol.sv2.messages import parse
from miner.protocol.sv2.provider import ProviderSession, ProviderSettings
from miner.protocol.sv2.session import Sv2Session
from miner.protocol.sv2.template import Payout
from miner.protocol.sv2.terms import Settings
from tests.fakes import sv2_noise
from tests.fakes.broken.targets import VECTORS, Feed, gist
from tests.fakes.sv2_pool import AUTHORITY, CHANNEL_BIT, NOW, FakeSv2Pool
from tests.fakes.sv2_provider import FakeProvider

SETTINGS = Settings("pool", "user", "127.0.0.1", 3333)
PROVIDER = ProviderSettings("tp", "127.0.0.1", 8442, Payout(b"\x51", b"/t/"))


def recorded() -> list[bytes]:
    """Type and payload of every recorded message."""
    sessions = json.loads((VECTORS / "sv2.json").read_text(encoding="utf-8"))["transcripts"]
    rows = [
        row
        for name, one in sessions.items()
        if name != "source"
        for row in (one["messages"] if isinstance(one, dict) else one)
    ]
    return [bytes([row["msg_type"]]) + bytes.fromhex(row["payload"]) for row in rows]


def word_of(event: PoolEvent) -> str:
    """An event, and what it is about where it says so."""
    told = event.text if isinstance(event, Notice) else getattr(event, "why", "")
    return f"{type(event).__name__} {gist(told)}".strip()


def sv2_message(dice: random.Random) -> tuple[list[bytes], Feed]:
    """One frame, already decrypted."""

    def feed(data: bytes) -> str:
        try:
            message = parse(Frame(0, data[0] if data else 0, data[1:]))
        except RemoteProtocolError as error:
            return gist(error)
        return type(message).__name__

    return recorded(), feed


class Running:
    """A session that mines, made anew when it has closed."""

    def __init__(self) -> None:
        self.pool = FakeSv2Pool()
        link = SecureLink(
            new_key(bytes(range(1, 65))), sv2_noise.authority_x(AUTHORITY), lambda: NOW
        )
        self.session = Sv2Session(SETTINGS, 1, link, 0.0)
        self.session.open()
        self.exchange()
        for data in (self.pool.send_job(100), self.pool.send_tip(1, bytes(range(32)), NOW)):
            self.session.receive(data, 0.0)
        assert self.session.job is not None

    def exchange(self) -> None:
        while pieces := self.session.data_to_send():
            for piece in pieces:
                self.session.receive(self.pool.feed(piece), 0.0)


def sv2_session(dice: random.Random) -> tuple[list[bytes], Feed]:
    """A frame to a session that mines: its job stays, and what it says can be printed."""
    kept = [Running()]

    def feed(data: bytes) -> str:
        running = kept[0]
        sealed = running.pool.send(data[0] if data else 0, data[1:], CHANNEL_BIT)
        events = running.session.receive(sealed, 0.0)
        running.session.data_to_send()
        assert running.session.job is not None
        assert all(event.text.isprintable() for event in events if isinstance(event, Notice))
        if running.session.closed:
            kept[0] = Running()
        return " ".join(map(word_of, events[:3]))

    return recorded(), feed


class Provided:
    """A session with a template provider that has work, made anew when it has closed."""

    def __init__(self) -> None:
        self.provider = FakeProvider()
        link = SecureLink(
            new_key(bytes(range(1, 65))), sv2_noise.authority_x(AUTHORITY), lambda: NOW
        )
        self.session = ProviderSession(PROVIDER, 1, link, 0.0)
        self.session.open()
        while pieces := self.session.data_to_send():
            for piece in pieces:
                self.session.receive(self.provider.feed(piece), 0.0)
        for data in (
            self.provider.send_template(1, 100), self.provider.send_tip(1, bytes(range(32)))
        ):  # fmt: skip
            self.session.receive(data, 0.0)
        assert self.session.job is not None


def sv2_provider(dice: random.Random) -> tuple[list[bytes], Feed]:
    """A frame of a template provider: there is always a job that can be mined."""
    kept = [Provided()]

    def feed(data: bytes) -> str:
        provided = kept[0]
        sealed = provided.provider.send(data[0] if data else 0, data[1:])
        events = provided.session.receive(sealed, 0.0)
        provided.session.data_to_send()
        job = provided.session.job
        assert job is not None and job.target > 0
        job.merkle.root_with(bytes(job.merkle.extranonce2_size))
        assert all(event.text.isprintable() for event in events if isinstance(event, Notice))
        if provided.session.closed:
            kept[0] = Provided()
        return " ".join(map(word_of, events[:3]))

    return recorded(), feed


def sv2_handshake(dice: random.Random) -> tuple[list[bytes], Feed]:
    """The server's answer to our key."""
    static, key = sv2_noise.Key(b"\x05" * 32), new_key(bytes(range(1, 65)))
    signed = sv2_noise.certificate(AUTHORITY, static.public, NOW - 60, NOW + 3600)
    good, _, _ = sv2_noise.respond(key.public, sv2_noise.Key(b"\x06" * 32), static, signed)

    def feed(data: bytes) -> str:
        link = SecureLink(key, sv2_noise.authority_x(AUTHORITY), lambda: NOW)
        link.open()
        try:
            link.feed(data)
        except RemoteProtocolError as error:
            return gist(error)
        return "secured" if link.secured is not None else "waits"

    return [good, b'{"id":1,"result":true}\n' * 20, b"HTTP/1.1 400 Bad Request\r\n" * 20], feed
