"""A session with a template provider and the double, on two ends of a list of bytes."""

from typing import Any

from miner.protocol.pool import ShareAnswered
from miner.protocol.sv2.crypto import new_key
from miner.protocol.sv2.fates import FateBook
from miner.protocol.sv2.link import SecureLink
from miner.protocol.sv2.provider import TEMPLATE_CAP, ProviderSession, ProviderSettings
from miner.protocol.sv2.template import Payout
from miner.work.found import FoundBlock
from tests.fakes import sv2_noise
from tests.fakes.sv2_pool import AUTHORITY, NOW
from tests.fakes.sv2_provider import FakeProvider
from tests.unit.protocol.sv2.kit import find

SCRIPT = bytes.fromhex("0014751e76e8199196d454941c45d1b3a323f1433bd6")
TIP, OTHER = bytes(range(32)), bytes(reversed(range(32)))


class Pair:
    """A session and the double."""

    def __init__(
        self,
        provider: FakeProvider | None = None,
        tag: bytes = b"/t/",
        left: FateBook | None = None,
        payout: Payout | None = None,
    ) -> None:
        self.provider = provider or FakeProvider()
        link = SecureLink(
            new_key(bytes(range(1, 65))), sv2_noise.authority_x(AUTHORITY), lambda: NOW,
            TEMPLATE_CAP,
        )  # fmt: skip
        settings = ProviderSettings("tp", "127.0.0.1", 8442, payout or Payout(SCRIPT, tag))
        self.session = ProviderSession(settings, 3, link, 0.0, left)
        self.events: list[Any] = []
        self.session.open()
        self.exchange()

    def exchange(self) -> None:
        while pieces := self.session.data_to_send():
            for piece in pieces:
                self.give(self.provider.feed(piece))

    def give(self, data: bytes, now: float = 0.0) -> list[Any]:
        before = len(self.events)
        received = self.session.receive(data, now)
        facts = ("secured", "setup")  # what the provider shows of itself
        self.events += [one for one in received if getattr(one, "kind", "") not in facts]
        self.exchange()
        return self.events[before:]

    def begin(self) -> None:
        self.give(self.provider.send_template(1, 500))
        self.give(self.provider.send_tip(1, TIP))

    def block(self, start: int = 1, now: float = 0.0) -> FoundBlock:
        assert self.session.job is not None
        block = self.session.pack(find(self.session.job, extranonce2_start=start), NOW)
        self.events += self.session.submit(block, now)
        self.exchange()
        return block

    def submit(self, block: FoundBlock, now: float = 0.0) -> None:
        self.events += self.session.submit(block, now)
        self.exchange()

    def tip(self, number: int, height: int, prev: bytes) -> None:
        """A template for this height, and the previous hash that activates it."""
        self.give(self.provider.send_template(number, height))
        self.give(self.provider.send_tip(number, prev))

    @property
    def verdicts(self) -> list[Any]:
        return [one.verdict for one in self.events if isinstance(one, ShareAnswered)]
