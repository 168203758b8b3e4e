"""One Stratum v2 session as a client, sans-IO: bytes in, events out; time and chance come in.

Theory of operation. The stages follow each other: HANDSHAKE, SETUP, EXTENSIONS (only where the
device is to be named; a server that does not know extensions is silent, so we soon go on
without), OPENING, RUNNING. One deadline covers all up to RUNNING. A message that can be decrypted
but not accepted changes nothing and is named; ten in a row, work that contradicts itself, or one
frame that cannot be decrypted end the connection. There is no ping in this protocol: a server
silent for 90 s gets an UpdateChannel, which most answer, and is left after `silence_s`.

No session of Stratum v2 can be resumed: job ids and sequence numbers die with the connection, so
open shares become unknown, and what `leave` hands on is only what was learnt about the server.
"""

from collections.abc import Callable
from typing import Any

from miner.bitcoin.target import difficulty
from miner.errors import RemoteProtocolError
from miner.protocol.pool import (
    PLAIN_WORDS,
    DifficultyChanged,
    Dropped,
    JobReceived,
    Notice,
    PoolEvent,
    Ready,
    Reason,
    ReconnectAsked,
    Redirect,
)
from miner.protocol.sv2 import messages as sv2
from miner.protocol.sv2.frames import Frame
from miner.protocol.sv2.link import SecureLink
from miner.protocol.sv2.linked import LinkedSession
from miner.protocol.sv2.opening import LEAST_RATE_HS, MAX_TARGET, Opening, Refusal, TryAgain
from miner.protocol.sv2.payout import about
from miner.protocol.sv2.shares import SequenceBook, entry_of, entry_of_block
from miner.protocol.sv2.solution import KIND, Solution
from miner.protocol.sv2.terms import Learnt, Leftovers, Progress, Settings, Stage
from miner.protocol.sv2.work import ChannelWork, Confused
from miner.text import scrub
from miner.work.found import Answer, FoundBlock, Share
from miner.work.job import Coinbase, Job

BROKEN = "the connection broke before the pool answered"
BAD_IN_A_ROW = 10
STALE_IN_A_ROW = 3
FIRST_JOB_S = 60.0  # after the handshake's deadline
PROBE_S = 90.0
RATE_MOVED = 0.10  # a rate this far from what the pool was told is told again,
RATE_PAUSE_S = 60.0  # at most so often


class Sv2Session(LinkedSession):
    """The protocol core of one connection. Not for several threads at once."""

    def __init__(
        self,
        settings: Settings,
        number: int,
        link: SecureLink,
        now: float,
        left: Leftovers | None = None,
    ) -> None:
        """`left`: what the session before left behind; its open shares are unknown now."""
        super().__init__(settings.source, number, link)
        self.settings = settings
        self._opening = Opening(settings, number, left.learnt if left else Learnt(), now)
        self._book = SequenceBook(settings.source)
        self._work: ChannelWork | None = None
        self._progress = Progress(now, now, now, settings.rate_hs)
        self._events += left.give_up(BROKEN) if left else []

    # --- what the owner calls ---------------------------------------------------------------

    def takes(self, item: Share | FoundBlock) -> bool:
        """Can this be sent here? A block of another connection never can: its job is gone."""
        if isinstance(item, FoundBlock):
            return self.ready and item.kind == KIND and item.context == self.link.token
        return self.ready and item.unit.job.session == self.number

    def submit(self, item: Share | FoundBlock, now: float) -> list[PoolEvent]:
        """Send a share or a packed block that `takes` said yes to."""
        if isinstance(item, FoundBlock):
            solution = Solution.unpack(item)
            entry = entry_of_block(item, str(solution.job_id), now)
        else:
            if not self._book.is_new(item):
                self._events.append(self._book.duplicate(item))
                return self._drain()
            solution, entry = Solution.of(item), entry_of(item, now)
        number, given_up = self._book.sent(entry)
        self._events += given_up
        extra = sv2.worker_field(self.settings.device) if self._opening.named else b""
        self._send(solution.message(number), extra)
        return self._drain()

    def pack(self, share: Share, found_at: int) -> FoundBlock:
        """The fields of the submit, and the connection they belong to: no other can take them."""
        return Solution.of(share).pack(share, self.link.token, found_at)

    def tell_rate(self, rate_hs: float, now: float) -> None:
        """The measured rate; the pool hears of it when it moved by a tenth, once a minute."""
        told = self._progress.told_hs
        moved = abs(rate_hs - told) >= RATE_MOVED * told
        if self.ready and moved and now - self._progress.told_at >= RATE_PAUSE_S:
            self._update_channel(rate_hs, now)

    def tick(self, now: float) -> list[PoolEvent]:
        """Look at the deadlines: handshake, silent server, old job."""
        if self.closed:
            return []
        progress, limits = self._progress, self.settings
        silent_s = now - progress.heard
        self._poke_if_silent(now - progress.opened, limits.handshake_s)
        for message in self._opening.tick(now):
            self._send(message)
        if not self.ready and now - progress.opened >= limits.handshake_s:
            self._drop(self._why_no_answer())
        elif silent_s >= limits.silence_s:
            self._drop(f"the pool is silent for {silent_s:.0f} s")
        elif progress.job_at is not None and now - progress.job_at >= limits.job_age_s:
            self._drop(f"no new job for {now - progress.job_at:.0f} s")
        elif progress.job_at is None and now - progress.opened >= limits.handshake_s + FIRST_JOB_S:
            self._drop("no job since the login")
        elif self.ready and silent_s >= PROBE_S and not progress.probed:
            progress.probed = True
            self._update_channel(progress.told_hs, now)
        return self._drain()

    def hung_up(self) -> Dropped | None:
        """What the end of the connection says about the server, when we were still waiting."""
        return None if self._work is not None else Dropped(self._why_no_answer())

    def leave(self) -> Leftovers:
        """The connection is over: what was learnt, and the shares that stay without an answer."""
        self.closed = True
        self._opening.cut()
        return Leftovers(self._opening.learnt, self._book)

    @property
    def ready(self) -> bool:
        """A channel is open."""
        return self._work is not None and not self.closed

    @property
    def job(self) -> Job | None:
        """The current one."""
        return None if self._work is None else self._work.job

    @property
    def open_shares(self) -> int:
        """Shares without an answer yet: pending, however long the pool takes."""
        return self._book.pending

    # --- frames in --------------------------------------------------------------------------

    def _begin(self, now: float) -> None:
        self._send(self._opening.begin(now))

    def _frame(self, frame: Frame, now: float) -> None:
        self._progress.heard, self._progress.probed = now, False
        try:
            message = sv2.parse(frame)
            handler = HANDLERS.get(type(message))
            if message is not None and self._work is None:
                self._go_on_opening(message, now)
            elif handler is not None:
                handler(self, message, now)
            self._progress.bad_row = 0
        except Refusal as error:
            self._refuse(str(error))
        except TryAgain as error:
            self._opening.learnt = error.learnt
            self._drop(str(error), at_once=True)
        except Confused as error:
            self._drop(scrub(str(error)), at_once=True)
        except RemoteProtocolError as error:
            self._bad_message(scrub(str(error)))

    def _bad_message(self, text: str) -> None:
        self._progress.bad_messages += 1
        self._progress.bad_row += 1
        self._notice(f"bad {text.split(' ')[0]}", f"ignored: {text}")
        if self._progress.bad_row >= BAD_IN_A_ROW:
            self._drop(f"{BAD_IN_A_ROW} bad messages in a row, the last: {text}")

    def _go_on_opening(self, message: sv2.Message, now: float) -> None:
        opening = self._opening
        for answer in opening.take(message, now):
            self._send(answer)
        if opening.notice:
            self._notice("setup", opening.notice)
            opening.notice = ""
        if (work := opening.work) is not None:
            self._work, self._progress.told_at = work, now
            self._events.append(Ready(self.number, False, work.channel.mask != 0))
            self._tell_target(work.target)

    # --- running ----------------------------------------------------------------------------

    def _on_job(self, message: sv2.NewMiningJob | sv2.NewExtendedMiningJob, now: float) -> None:
        if (work := self._ours(message.channel_id)) is not None:
            self._take(work.new_job(message, now), now)

    def _on_prev_hash(self, message: sv2.SetNewPrevHash, now: float) -> None:
        if (work := self._ours(message.channel_id)) is not None:
            self._take(work.new_prev_hash(message, now), now)

    def _take(self, job: Job | None, now: float) -> None:
        if job is not None:
            self._progress.job_at = now
            if isinstance(job.merkle, Coinbase):
                self._look_at_payout(job, job.merkle.part2)
            self._events.append(JobReceived(job))

    def _look_at_payout(self, job: Job, outputs: bytes) -> None:
        """Told once, and again when what it means to the user changes."""
        before = self._progress.payout
        if before is not None and before[0] == outputs:
            return
        word = about(job, self.settings.user)
        self._progress.payout = outputs, word.alarm
        if before is None or before[1] is not word.alarm:
            kind = "payout-alarm" if word.alarm else "payout"
            self._events.append(Notice(kind, f"Stratum v2: {word.text}", word.alarm))

    def _on_target(self, message: sv2.SetTarget, now: float) -> None:
        if (work := self._ours(message.channel_id)) is not None:
            work.set_target(message.maximum_target)
            self._tell_target(message.maximum_target)

    def _on_prefix(self, message: sv2.SetExtranoncePrefix, now: float) -> None:
        if (work := self._ours(message.channel_id)) is not None:
            work.set_prefix(message.extranonce_prefix)

    def _on_group(self, message: sv2.SetGroupChannel, now: float) -> None:
        if self._work is not None and self._work.channel.channel_id in message.channel_ids:
            self._work.group_id = message.group_channel_id

    def _on_close(self, message: sv2.CloseChannel, now: float) -> None:
        if self._ours(message.channel_id) is not None:
            why = scrub(message.reason_code, 80) or "no reason given"
            self._drop(f"the pool closed the channel: {why}", at_once=True)

    def _on_reconnect(self, message: sv2.Reconnect, now: float) -> None:
        redirect = Redirect(message.new_host or None, message.new_port or None, 0.0)
        self._events.append(ReconnectAsked(redirect))

    def _on_accepted(self, message: sv2.SubmitSharesSuccess, now: float) -> None:
        if self._ours(message.channel_id) is not None:
            self._progress.stale_row = 0
            self._events += self._book.accepted(message.last_sequence_number, now)

    def _on_share_error(self, message: sv2.SubmitSharesError, now: float) -> None:
        if self._ours(message.channel_id) is None:
            return
        found = self._book.refused(message.sequence_number, message.error_code, now)
        if found is None:
            return
        share, answered = found
        self._events.append(answered)
        current = self.job is not None and share.job_id == self.job.job_id
        if answered.reason in (Reason.UNAUTHORIZED, Reason.NOT_SUBSCRIBED):
            self._drop(f"shares are refused: {PLAIN_WORDS[answered.reason]}", at_once=True)
        elif answered.verdict.answer is Answer.STALE and current:
            self._progress.stale_row += 1
            if self._progress.stale_row >= STALE_IN_A_ROW:
                self._drop("the pool does not know the job it gave us", at_once=True)

    def _on_update_error(self, message: sv2.UpdateChannelError, now: float) -> None:
        self._notice("update", f"the pool refuses our rate: {scrub(message.error_code, 80)}")

    # --- out --------------------------------------------------------------------------------

    def _update_channel(self, rate_hs: float, now: float) -> None:
        assert self._work is not None
        self._progress.told_hs, self._progress.told_at = rate_hs, now
        channel_id, rate = self._work.channel.channel_id, max(rate_hs, LEAST_RATE_HS)
        self._send(sv2.UpdateChannel(channel_id, rate, MAX_TARGET))

    def _send(self, message: sv2.Message, extra: bytes = b"") -> None:
        self.link.send(sv2.encode(message, extra))

    def _ours(self, channel_id: int) -> ChannelWork | None:
        work = self._work
        return work if work is not None and work.concerns(channel_id) else None

    def _why_no_answer(self) -> str:
        stage = self._opening.stage
        if stage is Stage.HANDSHAKE:
            return self.link.why_no_answer()
        return f"the server did not send {stage.value}"

    def _tell_target(self, target: int) -> None:
        self._events.append(DifficultyChanged(difficulty(target), target))

    def _notice(self, kind: str, text: str) -> None:
        self._events.append(Notice(kind, text))

    def _drop(self, why: str, at_once: bool = False) -> None:
        self._close(Dropped(why, at_once))


HANDLERS: dict[type, Callable[[Sv2Session, Any, float], None]] = {
    sv2.NewMiningJob: Sv2Session._on_job,
    sv2.NewExtendedMiningJob: Sv2Session._on_job,
    sv2.SetNewPrevHash: Sv2Session._on_prev_hash,
    sv2.SetTarget: Sv2Session._on_target,
    sv2.SetExtranoncePrefix: Sv2Session._on_prefix,
    sv2.SetGroupChannel: Sv2Session._on_group,
    sv2.CloseChannel: Sv2Session._on_close,
    sv2.Reconnect: Sv2Session._on_reconnect,
    sv2.SubmitSharesSuccess: Sv2Session._on_accepted,
    sv2.SubmitSharesError: Sv2Session._on_share_error,
    sv2.UpdateChannelError: Sv2Session._on_update_error,
}
