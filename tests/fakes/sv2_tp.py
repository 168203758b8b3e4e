"""A template provider behind a real socket, with a chain that its clients' solutions extend."""

import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Self

from miner.bitcoin.authority import authority_text
from tests.fakes import sv2_noise
from tests.fakes.sv2_pool import AUTHORITY
from tests.fakes.sv2_provider import FakeProvider

GENESIS = bytes(range(32))


@dataclass
class Chain:
    """What the providers stand on; it outlives them."""

    hashes: list[bytes] = field(default_factory=lambda: [GENESIS])
    height: int = 500  # of the last of them

    def grow(self, block: bytes) -> None:
        self.hashes.append(block)
        self.height += 1


class ProviderServer:
    """Listens on a free port of loopback. `deaf`: solutions are judged and lead to nothing."""

    def __init__(self, chain: Chain | None = None, nbits: int = 0x207FFFFF) -> None:
        self.chain, self.nbits, self.deaf = chain or Chain(), nbits, False
        self.ahead_s = 0  # of our clock, its block times
        self.transactions: tuple[bytes, ...] = ()
        self.providers: list[FakeProvider] = []
        self.given: dict[int, tuple[bytes, bytes, int]] = {}  # templates, known to all connections
        self._sockets: list[socket.socket] = []
        self._numbers = 0  # of the newest template
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.key = authority_text(sv2_noise.authority_x(AUTHORITY))
        self.url = f"stratum2+tcp://127.0.0.1:{self.port}/{self.key}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """End every connection."""
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    @property
    def good(self) -> list[bytes]:
        """Hashes of the valid solutions, as hashed."""
        return [digest for provider in self.providers for digest in provider.good]

    @property
    def bad(self) -> list[str]:
        return [why for provider in self.providers for why in provider.bad]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        provider = FakeProvider(
            nbits=self.nbits,
            transactions=self.transactions,
            valid_from=int(time.time()) - 3600,
            given=self.given,
        )
        self.providers.append(provider)
        self._sockets.append(connection)
        try:
            while data := connection.recv(65536):
                before = len(provider.good), provider.received.count(0x70)
                answer = provider.feed(data)
                with self._lock:
                    answer += self._news(provider, *before)
                connection.sendall(answer)
        except OSError:
            return  # cut, or the miner left
        finally:
            connection.close()

    def _news(self, provider: FakeProvider, judged: int, asked: int) -> bytes:
        """What follows from the messages just taken."""
        for block in provider.good[judged:]:
            if not self.deaf and provider.prev == self.chain.hashes[-1]:  # its parent is the tip
                self.chain.grow(block)
        asks = provider.received.count(0x70)
        behind = asks and provider.prev != self.chain.hashes[-1]
        return self._work(provider) if asks > asked or behind else b""

    def _work(self, provider: FakeProvider) -> bytes:
        """A future template, and the previous hash that activates it."""
        self._numbers += 1
        number = self._numbers
        template = provider.send_template(number, self.chain.height + 1)
        return template + provider.send_tip(
            number, self.chain.hashes[-1], int(time.time()) + self.ahead_s
        )
