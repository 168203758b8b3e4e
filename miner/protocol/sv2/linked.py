"""What every Stratum v2 session does with its encrypted link."""

from miner.errors import RemoteProtocolError, SourceRefused
from miner.protocol.pool import Dropped, Notice, PoolEvent, Refused, SessionEvents
from miner.protocol.sv2.frames import Frame
from miner.protocol.sv2.link import SecureLink
from miner.protocol.sv2.noise import WrongAuthority

POKE_AFTER = 2 / 3  # of the handshake's budget


class LinkedSession(SessionEvents):
    """Opens the link and reads frames from it; a link that fails closes the session."""

    def __init__(self, source: str, number: int, link: SecureLink) -> None:
        super().__init__()
        self.source, self.number, self.link = source, number, link

    def open(self) -> None:
        """Queue act 1 of the handshake."""
        self.link.open()

    def receive(self, data: bytes, now: float) -> list[PoolEvent]:
        """Feed bytes of any segmentation; the events, in order."""
        if self.closed:
            return []
        secured_before = self.link.secured is not None
        frames = self._frames(data)
        if self.link.secured is not None and not (secured_before or self.closed):
            self._events.append(Notice("secured", self.link.about()))
            self._begin(now)
        for frame in frames:
            if not self.closed:
                self._frame(frame, now)
        return self._drain()

    def data_to_send(self) -> list[bytes]:
        """Drain the outbox: complete messages, each meant for one write."""
        return self.link.data_to_send()

    def _poke_if_silent(self, waited_s: float, budget_s: float) -> None:
        """The handshake was not answered for most of its time."""
        if waited_s >= POKE_AFTER * budget_s and not self.closed:
            self.link.poke()

    def _begin(self, now: float) -> None:
        """The link is secured: queue the first message."""
        raise NotImplementedError

    def _frame(self, frame: Frame, now: float) -> None:
        """One message of the server."""
        raise NotImplementedError

    def _frames(self, data: bytes) -> list[Frame]:
        """Every frame completed. A server that is not the one we want is out; anything else, two
        clocks that disagree too, ends this connection."""
        try:
            return self.link.feed(data)
        except WrongAuthority as error:
            self._refuse(str(error))
        except RemoteProtocolError as error:
            self._close(Dropped(str(error)))
        return []

    def _refuse(self, why: str) -> None:
        self._close(Refused(SourceRefused(f"{self.source}: {why}")))
