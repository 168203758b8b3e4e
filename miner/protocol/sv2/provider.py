"""One session with a template provider (Template Distribution Protocol), as its client; sans-IO.

Theory of operation. After the handshake and SetupConnection we say how many bytes our outputs take;
the provider answers with a future template, then with the previous hash that activates it. A later
template upon the same previous hash replaces the job. There is no reply to SubmitSolution: a block
was accepted when its hash comes back as a previous hash. Until then it is open; after 60 s without
any answer it is unknown, and sent again by whoever keeps the journal; two other previous hashes
that are not it say that the chain went on without it.

The transactions of each template are asked for, so that a found block can be written down whole.
Source: Stratum v2 specification, chapter 7; behaviour of sv2-tp 1.1.1.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeVar

from miner.bitcoin.encoding import display_hex
from miner.errors import ConfigError, RemoteProtocolError
from miner.protocol.pool import (
    Dropped,
    JobReceived,
    Notice,
    PoolEvent,
    Ready,
    ShareAnswered,
)
from miner.protocol.sv2 import messages as sv2
from miner.protocol.sv2.frames import Frame
from miner.protocol.sv2.link import SecureLink
from miner.protocol.sv2.linked import LinkedSession
from miner.protocol.sv2.template import Payout, make_job, pack, solution_of
from miner.protocol.sv2.terms import Stage
from miner.text import scrub
from miner.work.found import Answer, FoundBlock, Share, Verdict
from miner.work.job import Job

VERSION = 2
TEMPLATE_CAP = 16 * 1024 * 1024  # bytes of one message: a template's transactions
MAX_TEMPLATES = 16  # held; the oldest gives way
MAX_BODIES = 3  # templates whose transactions are held, up to 4 MB each
MAX_OPEN = 256  # solutions whose fate is watched
ANSWER_S = 60.0
OTHER_TIPS = 2  # previous hashes that are not our block: the chain went on without it
BAD_IN_A_ROW = 10
FIRST_JOB_S = 60.0

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


@dataclass(slots=True)
class Solution:
    """A block sent, whose fate is not known."""

    block: FoundBlock
    sent: float
    parent: bytes
    others: int = 0  # previous hashes that came since and are not it


@dataclass(slots=True)
class Templates:
    """What the provider gave."""

    known: OrderedDict[int, sv2.NewTemplate]
    transactions: OrderedDict[int, tuple[bytes, ...]]
    tip: sv2.TemplatePrevHash | None = None


class ProviderSession(LinkedSession):
    """The protocol core of one connection. Not for several threads at once."""

    def __init__(
        self, settings: ProviderSettings, number: int, link: SecureLink, now: float
    ) -> None:
        super().__init__(settings.source, number, link)
        self.settings, self.bad_messages = settings, 0
        self.job: Job | None = None
        self._stage, self._opened = Stage.HANDSHAKE, now
        self._templates = Templates(OrderedDict(), OrderedDict())
        self._open: OrderedDict[str, Solution] = OrderedDict()
        self._bad_row = 0

    # --- what the owner calls ---------------------------------------------------------------

    def takes(self, item: Share | FoundBlock) -> bool:
        """A solution of an earlier connection may be sent too: its template may still be known."""
        return self.ready

    def pack(self, share: Share, found_at: int) -> FoundBlock:
        """Everything needed to send the block again."""
        number = int(share.unit.job.job_id)
        return pack(share, self._templates.transactions.get(number), found_at)

    def submit(self, block: FoundBlock, now: float) -> list[PoolEvent]:
        """Send a solution; its verdict comes with a previous hash, or after a minute."""
        self.link.send(sv2.encode(solution_of(block)))
        self._open[block.hash_hex] = Solution(block, now, block.header[4:36])
        if len(self._open) > MAX_OPEN:
            _, oldest = self._open.popitem(last=False)
            self._answer(oldest, Answer.UNKNOWN, "no-answer", "too many solutions unanswered")
        return self._drain()

    def tick(self, now: float) -> list[PoolEvent]:
        """Look at the deadlines: handshake, first template, solutions without a sign."""
        if self.closed:
            return []
        waited = now - self._opened
        if not self.ready and waited >= self.settings.handshake_s:
            self._close(Dropped(self.hung_up() or "no answer"))
        elif self.job is None and waited >= self.settings.handshake_s + FIRST_JOB_S:
            self._close(Dropped("no template since the set-up; is Bitcoin Core in sync?"))
        for name in [key for key, one in self._open.items() if now - one.sent >= ANSWER_S]:
            why = f"its hash is no previous hash after {ANSWER_S:g} s"
            self._answer(self._open.pop(name), Answer.UNKNOWN, "no-answer", why)
        return self._drain()

    def hung_up(self) -> str | None:
        """What the end of the connection says about the server, when we were still waiting."""
        if self._stage is Stage.HANDSHAKE:
            return self.link.why_no_answer()
        return None if self.ready else f"the server did not send {self._stage.value}"

    def lost(self) -> list[PoolEvent]:
        """Verdicts on solutions whose fate this connection will not tell."""
        for solution in self._open.values():
            self._answer(solution, Answer.UNKNOWN, "no-answer", "the connection broke")
        self._open.clear()
        return self._drain()

    @property
    def ready(self) -> bool:
        """The provider took our set-up."""
        return self._stage is Stage.RUNNING

    @property
    def open_shares(self) -> int:
        """Solutions without a verdict."""
        return len(self._open)

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
        try:
            message = sv2.parse(frame)
            if message is not None:
                self._take(message, now)
            self._bad_row = 0
        except ConfigError as error:
            self._refuse(str(error))
        except RemoteProtocolError as error:
            text = scrub(str(error))
            self.bad_messages += 1
            self._bad_row += 1
            self._events.append(Notice(f"bad {text.split(' ')[0]}", f"ignored: {text}"))
            if self._bad_row >= BAD_IN_A_ROW:
                self._close(Dropped(f"{BAD_IN_A_ROW} bad messages in a row, the last: {text}"))

    def _take(self, message: sv2.Message, now: float) -> None:
        match message:
            case sv2.SetupSuccess() if self._stage is Stage.SETUP:
                self._set_up_done(message)
            case sv2.SetupError() if self._stage is Stage.SETUP:
                self._refuse(f"SetupConnection was refused: {scrub(message.error_code, 80)}")
            case sv2.NewTemplate() if self.ready:
                self._new_template(message)
            case sv2.TemplatePrevHash() if self.ready:
                self._new_tip(message, now)
            case sv2.TransactionData():
                bodies = self._templates.transactions
                keep(bodies, message.template_id, message.transactions, MAX_BODIES)

    def _set_up_done(self, message: sv2.SetupSuccess) -> None:
        if message.used_version != VERSION:
            self._refuse(f"the provider speaks version {message.used_version}, we {VERSION}")
            return
        self._stage = Stage.RUNNING
        self._send(sv2.CoinbaseOutputConstraints(self.settings.payout.output_bytes, 0))
        self._events.append(Ready(self.number, False, self.settings.payout.roll_versions))

    def _new_template(self, message: sv2.NewTemplate) -> None:
        tip = self._templates.tip
        if not message.future_template and tip is not None:
            self._issue(message, tip)
        keep(self._templates.known, message.template_id, message, MAX_TEMPLATES)

    def _new_tip(self, message: sv2.TemplatePrevHash, now: float) -> None:
        template = self._templates.known.get(message.template_id)
        if template is None:
            raise RemoteProtocolError(
                f"SetNewPrevHash names template {message.template_id}, which was never sent"
            )
        self._issue(template, message)
        self._templates.tip = message
        self._judge(message.prev_hash, now)

    def _issue(self, template: sv2.NewTemplate, tip: sv2.TemplatePrevHash) -> None:
        settings = self.settings
        job = make_job(template, tip, settings.payout, source=settings.source, session=self.number)
        self.job = job
        self._send(sv2.RequestTransactionData(template.template_id))
        self._events.append(JobReceived(job))

    def _judge(self, prev_hash: bytes, now: float) -> None:
        """What a new previous hash says about our open blocks."""
        tip_hex = display_hex(prev_hash)
        if (mine := self._open.pop(tip_hex, None)) is not None:
            self._answer(mine, Answer.ACCEPTED, latency_s=now - mine.sent)
        for name, solution in list(self._open.items()):
            solution.others += prev_hash != solution.parent
            if solution.others >= OTHER_TIPS:
                del self._open[name]
                self._answer(solution, Answer.STALE, "stale", "the chain went on without it")

    def _answer(
        self,
        solution: Solution,
        answer: Answer,
        reason: str = "",
        words: str = "",
        latency_s: float | None = None,
    ) -> None:
        block = solution.block
        verdict = Verdict(
            self.settings.source, block.hash_hex, answer, True, reason, words, block.height,
            latency_s,
        )  # fmt: skip
        self._events.append(ShareAnswered(verdict))

    # --- out --------------------------------------------------------------------------------

    def _send(self, message: sv2.Message) -> None:
        self.link.send(sv2.encode(message))


def keep(table: OrderedDict[int, Kept], number: int, value: Kept, most: int) -> None:
    """Enter a value; the oldest beyond `most` gives way."""
    table[number] = value
    if len(table) > most:
        table.popitem(last=False)
