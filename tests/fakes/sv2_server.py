"""The fake Stratum v2 pool behind a real socket, one thread a connection."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Self

from miner.bitcoin.authority import authority_text
from tests.fakes import sv2_noise
from tests.fakes.sv2_pool import AUTHORITY, FakeSv2Pool

TIP = bytes(range(32))


class Sv2Server:
    """Listens on a free port of loopback; `pools` are the connections' server sides."""

    def __init__(self, make: Callable[[], FakeSv2Pool] | None = None) -> None:
        self._make = make or (lambda: FakeSv2Pool(by_group=True))
        self.pools: list[FakeSv2Pool] = []
        self.sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        key = authority_text(sv2_noise.authority_x(AUTHORITY))
        self.url = f"stratum2+tcp://127.0.0.1:{self.port}/{key}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """End every connection."""
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        now = int(time.time())
        pool = self._make()
        pool.valid_from, pool.not_valid_after = now - 60, now + 3600
        self.pools.append(pool)
        self.sockets.append(connection)
        working = False
        try:
            while data := connection.recv(65536):
                connection.sendall(pool.feed(data))
                if pool.user and not working and not pool.refuse_open:
                    working = True
                    connection.sendall(pool.send_job(100))
                    connection.sendall(pool.send_tip(1, TIP, now))
        except OSError:
            return  # cut, or the miner left
        finally:
            connection.close()
