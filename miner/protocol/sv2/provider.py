"""One session with a template provider (Template Distribution Protocol), as its client; sans-IO.

Theory of operation. After the handshake and SetupConnection we say how many bytes our outputs take;
the provider answers with a future template, then with the previous hash that activates it. A later
template upon the same previous hash replaces the job. The verdict on a solution is a later previous
hash (`fates.py`).

The transactions of a template that has any are asked for once it is mined on, so that a found block
can be written down whole: any node can take it should the provider be gone. There is no ping: a
provider silent for two minutes is told our constraints again, which sv2-tp answers with a template.

A template for another height upon the same previous hash means that two clients share one sv2-tp
(it mixes them up: Sjors/bitcoin issue 74): blocks made from that would be lost, so the connection
ends. Source: Stratum v2 specification, chapter 7; behaviour of sv2-tp 1.1.1.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TypeVar

from miner.errors import ConfigError, RemoteProtocolError
from miner.protocol.pool import Dropped, Item, JobReceived, Notice, PoolEvent, Ready
from miner.protocol.sv2 import messages as sv2
from miner.protocol.sv2.fates import FateBook
from miner.protocol.sv2.frames import Frame
from miner.protocol.sv2.link import SecureLink
from miner.protocol.sv2.linked import LinkedSession
from miner.protocol.sv2.template import (
    KIND,
    Payout,
    TemplateId,
    make_job,
    pack,
    solution_of,
    why_not,
)
from miner.protocol.sv2.terms import Stage
from miner.text import scrub
from miner.work.found import FoundBlock, Share
from miner.work.job import Job

VERSION = 2
TEMPLATE_CAP = 16 * 1024 * 1024  # bytes of one message: a template's transactions
MAX_TEMPLATES = 16  # held; the oldest gives way
MAX_BODIES = 3  # templates whose transactions are held, up to 4 MB each
BAD_IN_A_ROW = 10
FIRST_JOB_S = 60.0
PROBE_S = 120.0
TWO_HEIGHTS = (
    "template {} is for height {}, the one before it upon the same previous hash was for {}: "
    "give each miner a provider of its own"
)

Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Where the provider is and what we want of it."""

    source: str
    host: str
    port: int
    payout: Payout
    agent: str = "homehash"
    handshake_s: float = 15.0
    job_age_s: float = 600.0


@dataclass(slots=True)
class Templates:
    """What the provider gave."""

    known: OrderedDict[int, sv2.NewTemplate]
    transactions: OrderedDict[int, tuple[bytes, ...]]
    tip: sv2.TemplatePrevHash | None = None
    job: Job | None = None


@dataclass(slots=True)
class Moments:
    """Monotonic seconds that decide about going on, and bad messages."""

    opened: float
    heard: float
    job_at: float | None = None
    probed: bool = False
    bad_messages: int = 0
    bad_row: int = 0


class ProviderSession(LinkedSession):
    """The protocol core of one connection. Not for several threads at once, but for `takes` and
    `pack`."""

    def __init__(
        self,
        settings: ProviderSettings,
        number: int,
        link: SecureLink,
        now: float,
        left: FateBook | None = None,
    ) -> None:
        """`left`: the book of the session before, whose open solutions are sent again."""
        super().__init__(settings.source, number, link)
        self.settings = settings
        self._stage = Stage.HANDSHAKE
        self._templates = Templates(OrderedDict(), OrderedDict())
        self._moments = Moments(now, now)
        self._fates = left or FateBook(settings.source)

    # --- what the owner calls ---------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """There is work, so the provider's previous hash can be compared with a block's."""
        return self._templates.job is not None and not self.closed

    @property
    def job(self) -> Job | None:
        """The current one."""
        return self._templates.job

    @property
    def open_shares(self) -> int:
        """Solutions without a verdict."""
        return self._fates.pending

    def takes(self, item: Item) -> bool:
        """Solutions of an earlier connection too: their templates may still be known."""
        if isinstance(item, FoundBlock):
            return self.ready and item.kind == KIND
        return self.ready and isinstance(item.unit.job.context, TemplateId)

    def pack(self, share: Share, found_at: int) -> FoundBlock:
        """Everything needed to send the block again."""
        job = share.unit.job
        assert isinstance(job.context, TemplateId)
        own = job.session == self.number  # template numbers begin anew with each provider's start
        known = self._templates.transactions.get(job.context.template_id) if own else None
        return pack(share, known, found_at)

    def submit(self, item: Item, now: float) -> list[PoolEvent]:
        """Send a solution; its verdict comes with a previous hash, or after a minute."""
        block = item if isinstance(item, FoundBlock) else self.pack(item, 0)
        wanted, answers = self._fates.add(block, now)
        self._events += answers
        if wanted:
            self._send(solution_of(block))
        return self._drain()

    def tell_rate(self, rate_hs: float, now: float) -> None:
        """A template has no share target: the rate is nobody's business."""

    def tick(self, now: float) -> list[PoolEvent]:
        """Look at the deadlines: handshake, templates, solutions without a sign."""
        if self.closed:
            return []
        moments, settings = self._moments, self.settings
        waited_s, job_at = now - moments.opened, moments.job_at
        self._poke_if_silent(waited_s, settings.handshake_s)
        if self._stage is not Stage.RUNNING and waited_s >= settings.handshake_s:
            self._close(self.hung_up() or Dropped("no answer"))
        elif job_at is None and waited_s >= settings.handshake_s + FIRST_JOB_S:
            self._close(Dropped("no template since the set-up; is Bitcoin Core in sync?"))
        elif job_at is not None and now - job_at >= settings.job_age_s:
            self._close(Dropped(f"no new template for {now - job_at:.0f} s", at_once=True))
        elif self.ready and now - moments.heard >= PROBE_S and not moments.probed:
            moments.probed = True
            self._send_constraints()
        self._events += self._fates.tick(now)
        return self._drain()

    def hung_up(self) -> Dropped | None:
        """What the end of the connection says about the server, when we were still waiting."""
        if self._stage is Stage.HANDSHAKE:
            return Dropped(self.link.why_no_answer())
        if self._stage is Stage.RUNNING:
            return None
        return Dropped(f"the server did not send {self._stage.value}")

    def leave(self) -> FateBook:
        """The connection is over: the book goes on."""
        self.closed = True
        self._fates.disconnected()
        return self._fates

    # --- frames in --------------------------------------------------------------------------

    def _begin(self, now: float) -> None:
        self._stage = Stage.SETUP
        host, port, agent = self.settings.host, self.settings.port, self.settings.agent
        self._send(
            sv2.SetupConnection(
                sv2.TEMPLATES, VERSION, VERSION, 0, host, port, "homehash", "", agent, ""
            )
        )

    def _frame(self, frame: Frame, now: float) -> None:
        moments = self._moments
        moments.heard, moments.probed = now, False
        try:
            message = sv2.parse(frame)
            if message is not None:
                self._take(message, now)
            moments.bad_row = 0
        except ConfigError as error:
            self._refuse(str(error))
        except RemoteProtocolError as error:
            text = scrub(str(error))
            moments.bad_messages += 1
            moments.bad_row += 1
            self._events.append(Notice(f"bad {text.split(' ')[0]}", f"ignored: {text}"))
            if moments.bad_row >= BAD_IN_A_ROW:
                self._close(Dropped(f"{BAD_IN_A_ROW} bad messages in a row, the last: {text}"))

    def _take(self, message: sv2.Message, now: float) -> None:
        running = self._stage is Stage.RUNNING
        match message:
            case sv2.SetupSuccess() if self._stage is Stage.SETUP:
                self._set_up_done(message)
            case sv2.SetupError() if self._stage is Stage.SETUP:
                self._refuse(f"SetupConnection was refused: {scrub(message.error_code, 80)}")
            case sv2.NewTemplate() if running:
                self._new_template(message, now)
            case sv2.TemplatePrevHash() if running:
                self._new_tip(message, now)
            case sv2.TransactionData() if message.template_id in self._templates.known:
                bodies = self._templates.transactions
                keep(bodies, message.template_id, message.transactions, MAX_BODIES)

    def _set_up_done(self, message: sv2.SetupSuccess) -> None:
        if message.used_version != VERSION:
            self._refuse(f"the provider speaks version {message.used_version}, we {VERSION}")
            return
        self._stage = Stage.RUNNING
        text = f"Stratum v2: the provider speaks version {VERSION}, flags {message.flags:#x}"
        self._events.append(Notice("setup", text))
        self._send_constraints()
        self._events.append(Ready(self.number, False, self.settings.payout.roll_versions))

    def _new_template(self, message: sv2.NewTemplate, now: float) -> None:
        templates = self._templates
        if not message.future_template and templates.tip is not None:
            self._issue(message, templates.tip, now)
        keep(templates.known, message.template_id, message, MAX_TEMPLATES)

    def _new_tip(self, message: sv2.TemplatePrevHash, now: float) -> None:
        template = self._templates.known.get(message.template_id)
        if template is None:
            raise RemoteProtocolError(
                f"SetNewPrevHash names template {message.template_id}, which was never sent"
            )
        self._issue(template, message, now)
        if self.closed or self.job is None:
            return
        self._templates.tip = message
        height = None if self.job.height is None else self.job.height - 1
        self._events += self._fates.tip(message.prev_hash, height, now)
        for block in self._fates.take_resends(now):
            self._send(solution_of(block))

    def _issue(self, template: sv2.NewTemplate, tip: sv2.TemplatePrevHash, now: float) -> None:
        settings, before = self.settings, self.job
        job = make_job(template, tip, settings.payout, source=settings.source, session=self.number)
        if why := why_not(job, settings.payout):
            self._refuse(why)
            return
        if before is not None and before.prev_hash == job.prev_hash:
            if before.height != job.height:
                text = TWO_HEIGHTS.format(job.job_id, job.height, before.height)
                self._close(Dropped(text, at_once=True))
                return
            job = replace(job, clean=False)
        self._templates.job, self._moments.job_at = job, now
        self._ask_for_body(template)
        self._events.append(JobReceived(job))

    def _ask_for_body(self, template: sv2.NewTemplate) -> None:
        """A template without a merkle path holds the coinbase alone."""
        number, bodies = template.template_id, self._templates.transactions
        if not template.merkle_path:
            keep(bodies, number, (), MAX_BODIES)
        elif number not in bodies:
            self._send(sv2.RequestTransactionData(number))

    # --- out --------------------------------------------------------------------------------

    def _send_constraints(self) -> None:
        payout = self.settings.payout
        self._send(sv2.CoinbaseOutputConstraints(payout.output_bytes, payout.output_sigops))

    def _send(self, message: sv2.Message) -> None:
        self.link.send(sv2.encode(message))


def keep(table: OrderedDict[int, Kept], number: int, value: Kept, most: int) -> None:
    """Enter a value; the oldest beyond `most` gives way."""
    table[number] = value
    if len(table) > most:
        table.popitem(last=False)
