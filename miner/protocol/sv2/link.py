"""The encrypted link under a Stratum v2 session: the handshake, then frames both ways; no I/O."""

from collections.abc import Callable

from miner.errors import LocalProtocolError
from miner.protocol.sv2.crypto import KeyPair
from miner.protocol.sv2.frames import MINING_CAP, Frame, FrameReader, seal
from miner.protocol.sv2.noise import (
    ACT2_BYTES,
    HandshakeRefused,
    Initiator,
    Secured,
    no_answer_text,
)

DAY_S, DAYS_FROM_S = 86_400, 2 * 86_400
LINE_END = b"\r\n\r\n"
PLAIN_TEXT_BYTES = 16  # all printable: no key begins so by chance (1 in 10**6 with its first sign)


class SecureLink:
    """Bytes in, frames out; frames in, bytes out."""

    def __init__(
        self,
        ephemeral: KeyPair,
        authority: bytes | None,
        wall: Callable[[], int],
        cap: int = MINING_CAP,
    ) -> None:
        """`wall` gives seconds since 1970, for the certificate; `cap` bounds a payload."""
        self.secured: Secured | None = None
        self.token = ephemeral.public[:8].hex()  # names this connection, never another
        self._initiator = Initiator(ephemeral, authority)
        self._wall, self._cap = wall, cap
        self._pinned = authority is not None
        self._received = b""  # of the handshake
        self._poked = False
        self._reader: FrameReader | None = None
        self._outbox: list[bytes] = []

    def open(self) -> None:
        """Queue act 1, in one piece: some servers refuse it in two."""
        self._outbox.append(self._initiator.act1)

    def poke(self) -> None:
        """Queue what ends a line: a server silent until now that reads lines names itself by its
        answer. Once; one of Stratum v2 would have answered long ago."""
        if not self._poked and self.secured is None:
            self._poked = True
            self._outbox.append(LINE_END)

    def feed(self, data: bytes) -> list[Frame]:
        """Every frame completed. Raises RemoteProtocolError, of which HandshakeRefused."""
        if self._reader is None:
            self._received += data
            self._look_at_handshake()
            if self._reader is None:
                return []
            data, self._received = self._received[ACT2_BYTES:], b""
        return self._reader.feed(data)

    def send(self, frame: Frame) -> None:
        """Queue a frame; nothing can be sent before the handshake is done."""
        if self.secured is None:
            raise LocalProtocolError("a frame before the handshake is done")
        self._outbox.append(seal(self.secured.sending, frame))

    def data_to_send(self) -> list[bytes]:
        """Drain the outbox; each piece is meant for one write."""
        pieces, self._outbox = self._outbox, []
        return pieces

    def about(self) -> str:
        """Who the server showed itself to be, and for how long, in one line."""
        if self.secured is None:
            return "not yet secured"
        certificate, now = self.secured.certificate, self._wall()
        whose = "signed by the key given" if self._pinned else "NOT compared with any key"
        since, left = now - certificate.valid_from, certificate.not_valid_after - now
        return (
            f"Stratum v2: encrypted, the server is {whose}; its certificate began {since} s ago by "
            f"this clock and ends in {span(left)}"
        )

    def why_no_answer(self) -> str:
        """What the other side most likely is, when the handshake came to nothing."""
        return no_answer_text(self._received)

    def _look_at_handshake(self) -> None:
        if len(self._received) >= ACT2_BYTES:
            self.secured = self._initiator.finish(self._received[:ACT2_BYTES], self._wall())
            self._reader = FrameReader(self.secured.receiving, self._cap)
        elif is_plain_text(self._received):
            raise HandshakeRefused(no_answer_text(self._received))


def span(seconds: int) -> str:
    """Seconds as people read them: to the second where clocks may matter."""
    return f"{seconds} s" if seconds < DAYS_FROM_S else f"{seconds // DAY_S:,} days"


def is_plain_text(received: bytes) -> bool:
    """Is this the start of a line of JSON or of an HTTP answer?"""
    start = received[:PLAIN_TEXT_BYTES]
    if len(start) < PLAIN_TEXT_BYTES or start[:1] not in (b"{", b"H", b"<"):
        return False
    return start.isascii() and start.decode().replace("\r", " ").replace("\n", " ").isprintable()
