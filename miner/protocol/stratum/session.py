"""One Stratum v1 session, sans-IO: bytes in, events out; time and bytes are passed in.

Theory of operation. `opening` logs in, `requests` matches replies by id in any order, `work` makes
jobs, `shares` keeps what was sent. Every message of the pool is parsed whole (`messages`) before
anything changes, so a bad one leaves the last job hashing; ten bad ones in a row drop the
connection, as does what `peer_watch` notices. After `Refused` or `Dropped` the session is closed:
it ignores further bytes, and `leave` hands what a resumed session may take over to the next one.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from miner.bitcoin.target import expected_hashes
from miner.errors import RemoteProtocolError
from miner.protocol.jsonline import LineSplitter, Message, decode
from miner.protocol.peer_watch import PeerWatch
from miner.protocol.pool import (
    DifficultyChanged,
    Dropped,
    Item,
    Notice,
    PoolEvent,
    Ready,
    Reason,
    ReconnectAsked,
    Refused,
    SessionEvents,
    ShareAnswered,
)
from miner.protocol.stratum import messages as parse
from miner.protocol.stratum.job import redacted, restored, submit_params
from miner.protocol.stratum.opening import Opening, suggest
from miner.protocol.stratum.requests import Requests
from miner.protocol.stratum.settings import SessionSettings
from miner.protocol.stratum.shares import Leftovers, OpenShare
from miner.protocol.stratum.work import PoolWork
from miner.text import scrub
from miner.work.found import Answer, FoundBlock, Share
from miner.work.job import Job
from miner.work.luck import seconds_per_share, suggested_difficulty

BAD_IN_A_ROW = 10
FIRST_JOB_S = 60.0  # after the handshake's deadline; pools send it with the login
STALE_IN_A_ROW = 3  # "job not found" for the current job: the pool and we disagree
SLOW_SHARE_S = 600.0  # a longer expected wait for a share is worth a warning
NEVER_S = 3e12  # 100,000 years: whoever asks for that wants no shares, as a class in a pause
VALUE = re.compile(r" is | '|: b|[0-9]")  # where an error's text turns from its class to a value
KIND = "stratum"  # of the blocks packed here


@dataclass(slots=True)
class Progress:
    """Moments (monotonic seconds) and counts that decide about going on."""

    opened: float
    heard: float
    anything: bool = False  # did a byte come?
    probed: bool = False
    bad_row: int = 0
    stale_row: int = 0
    target: int | None = None  # of the newest difficulty, until its pace was judged


class StratumSession(SessionEvents):
    """The protocol core of one connection: a PoolSession."""

    def __init__(
        self,
        settings: SessionSettings,
        number: int,
        now: float,
        leftovers: Leftovers | None = None,
    ) -> None:
        """`number` names the session, unless the pool resumes that of `leftovers`."""
        super().__init__()
        self.settings = settings
        self._left = leftovers or Leftovers()
        self._requests = Requests(self._left.next_id)
        self._work = PoolWork(settings, number)
        self._opening = Opening(settings, self._requests, self._work, self._left)
        self._progress = Progress(now, now)
        self._splitter = LineSplitter()

    # --- what the owner calls ---------------------------------------------------------------

    def open(self) -> None:
        """Queue the handshake."""
        self._opening.begin()

    def receive(self, data: bytes, now: float) -> list[PoolEvent]:
        """Feed bytes of any segmentation; the events, in order."""
        self._progress.anything = self._progress.anything or bool(data)
        try:
            for line in self._splitter.feed(data):
                if not self.closed:
                    self._progress.heard, self._progress.probed = now, False
                    self._line(line, now)
        except RemoteProtocolError as error:  # a line without end: the framing is lost
            self._drop(str(error))
        if self._left.watch.complaint:
            self._drop(self._left.watch.complaint, misbehaved=True)
        return self._drain()

    def takes(self, item: Item) -> bool:
        """A share by its session's number, a packed block by its extranonce1, if in force."""
        subscription, job = self.subscription, self._work.job
        if isinstance(item, Share):
            return item.unit.job.session == self.number
        if item.kind != KIND or subscription is None or self.closed or not item.context:
            return False
        here = {
            subscription.extranonce1,
            job.coinbase.extranonce1 if job else subscription.extranonce1,
        }
        return item.context in {extranonce1.hex() for extranonce1 in here}

    def submit(self, item: Item, now: float) -> list[PoolEvent]:
        """Send a share of this session, or a packed block again."""
        book = self._opening.book
        if isinstance(item, FoundBlock):
            params = restored(json.loads(item.payload)["params"], self.settings.password)
            self._send_share(book.open_block(item, params, now))
        elif book.is_new(item):
            params = submit_params(self.settings.user, item, self.granted)
            self._send_share(book.open_share(item, params, now))
        else:
            self._events.append(book.duplicate(item))
        return self._drain()

    def pack(self, share: Share, found_at: int) -> FoundBlock:
        """The submit message and the extranonce1 it belongs to."""
        params = submit_params(self.settings.user, share, self.granted)
        kept = redacted(params, self.settings.password)
        return FoundBlock(
            source=self.settings.source,
            hash_hex=share.hash_hex,
            height=share.unit.job.height,
            header=share.header,
            kind=KIND,
            payload=json.dumps({"method": "mining.submit", "params": kept}),
            context=share.unit.job.coinbase.extranonce1.hex(),
            found_at=found_at,
        )

    def tell_rate(self, rate_hs: float, now: float) -> None:
        """Say once per difficulty when shares will be rare, and suggest a better one."""
        target, better = self._progress.target, suggested_difficulty(rate_hs)
        if target is None or better is None or not self.ready:
            return
        self._progress.target = None
        wait_s = seconds_per_share(float(expected_hashes(target)), rate_hs)
        if wait_s is None or not SLOW_SHARE_S < wait_s < NEVER_S:
            return
        text = f"a share takes {wait_s / 60:.0f} min at this difficulty; {better:.3g} would fit"
        self._notice(f"pace {wait_s:.0f}", text)
        if not self.settings.keep_suggestion:
            suggest(self._requests, better)

    def tick(self, now: float) -> list[PoolEvent]:
        """Look at the deadlines: handshake, silent pool, old job, unanswered submits."""
        if self.closed:
            return []
        self._events += self._opening.book.expired(now)
        limits, opened, silent_s = self.settings, self._progress.opened, now - self._progress.heard
        job_age_s = self._work.job_age_s(now)
        if not self.ready and now - opened >= limits.handshake_s:
            self._drop(f"no answer to {self._opening.missing} in time")
        elif silent_s >= limits.silence_s:
            self._drop(f"the pool is silent for {silent_s:.0f} s")
        elif job_age_s is not None and job_age_s >= self._work.stale_after_s():
            self._drop(f"no new job for {job_age_s:.0f} s")
        elif self.job is None and now - opened >= limits.handshake_s + FIRST_JOB_S:
            self._drop("no job since the login")
        elif silent_s >= limits.silence_s / 2 and not self._progress.probed:
            self._progress.probed = True  # even a refusal proves that the pool lives
            self._requests.ask("mining.extranonce.subscribe", [])
        return self._drain()

    def data_to_send(self) -> list[bytes]:
        """Drain the outbox: complete messages, each meant for one write."""
        return self._requests.data_to_send()

    def hung_up(self) -> Dropped | None:
        """Some pools hang up on mining.configure before they say a word."""
        if self._progress.anything or not self._opening.configured:
            return None
        return Dropped("trying without mining.configure", at_once=True)

    def leave(self) -> Leftovers:
        """What the next session may resume, and what it should know."""
        left, configure = self._left, self.closed or self.hung_up() is None
        next_id = self._requests.next_id
        watch = PeerWatch() if left.watch.complaint else left.watch
        self.closed = True
        if self.subscription is None:  # what was left before may yet be resumed
            number, subscription, book = left.number, left.subscription, left.book
        else:
            number, subscription, book = self.number, self.subscription, self._opening.book
        return Leftovers(number, subscription, book, next_id, configure, watch)

    @property
    def ready(self) -> bool:
        return self._opening.done and not self.closed

    @property
    def number(self) -> int:
        return self._work.number

    @property
    def subscription(self) -> parse.Subscription | None:
        return self._opening.subscription

    @property
    def resumed(self) -> bool:
        """Is it the session of the connection before?"""
        return self._opening.resumed

    @property
    def job(self) -> Job | None:
        """The current one."""
        return self._work.job

    @property
    def granted(self) -> int | None:
        """The mask granted; None without version rolling."""
        return self._work.granted

    @property
    def open_shares(self) -> int:
        """Shares without an answer yet."""
        return self._opening.book.open_count

    @property
    def bad_messages(self) -> int:
        """Of this pool, in connections before as well."""
        return self._left.watch.bad_lines

    # --- lines in ---------------------------------------------------------------------------

    def _line(self, line: bytes, now: float) -> None:
        self._left.watch.line(now)
        try:
            self._message(decode(line), now)
            self._progress.bad_row = 0
        except RemoteProtocolError as error:
            self._left.watch.bad(now)
            self._progress.bad_row += 1
            text = scrub(str(error))
            self._notice(f"bad {VALUE.split(text)[0][:60]}", f"ignored: {text}")
            if self._progress.bad_row >= BAD_IN_A_ROW:
                self._drop(f"{BAD_IN_A_ROW} bad messages in a row, the last: {text}")

    def _message(self, message: Message, now: float) -> None:
        method, request_id = message.get("method"), message.get("id")
        if method is None:
            if "result" not in message and "error" not in message:
                raise RemoteProtocolError("neither a request nor a reply")
            self._reply(message, now)
        elif type(method) is not str:
            raise RemoteProtocolError(f"method is {scrub(method, 80)}, want text")
        elif method in WORK:
            self._take(WORK[method](self._work, message.get("params"), now))
        elif method == "client.reconnect":
            self._take([ReconnectAsked(parse.parse_reconnect(message.get("params")))])
        elif method == "client.show_message":
            text = parse.items(method, message.get("params"), 1)[0]
            self._notice("message", f"the pool says: {scrub(text)}")
            self._requests.answer(request_id, True)
        elif method in ("client.get_version", "mining.ping"):
            word = "pong" if method == "mining.ping" else self.settings.agent
            self._requests.answer(request_id, word)
        else:
            self._requests.answer(request_id, None, [20, "Method not found", None])

    def _reply(self, message: Message, now: float) -> None:
        """Replies to ids we do not wait for, a second one included, change nothing."""
        request_id = message.get("id")
        if type(request_id) is not int:
            return
        handler = self._requests.take(request_id)
        if handler is not None:
            self._take(handler(message, now))
        elif (found := self._opening.book.answered(request_id, message, now)) is not None:
            self._left.watch.answer()
            self._on_share(*found)

    def _take(self, events: list[PoolEvent]) -> None:
        """Hand events on; some of them concern us, too."""
        for event in events:
            match event:
                case Refused():
                    self._close(event)
                    continue
                case DifficultyChanged(_, target):
                    self._progress.target = target
                case Ready():
                    self._events.append(event)
                    self._send_again()
                    continue
            self._events.append(event)

    def _send_again(self) -> None:
        """A resumed session: what the broken connection left unanswered."""
        if self.resumed:
            for share in self._opening.book.take_open(self._progress.heard):
                self._send_share(share)

    def _on_share(self, share: OpenShare, answered: ShareAnswered) -> None:
        self._events.append(answered)
        job = self._work.job
        if answered.verdict.answer is Answer.ACCEPTED:
            self._progress.stale_row = 0
        elif answered.reason in (Reason.UNAUTHORIZED, Reason.NOT_SUBSCRIBED):
            self._drop(f"shares are refused: {answered.verdict.explanation}", at_once=True)
        elif answered.reason is Reason.STALE and job is not None and share.job_id == job.job_id:
            self._progress.stale_row += 1
            if self._progress.stale_row >= STALE_IN_A_ROW:
                self._drop("the pool does not know the job it gave us", at_once=True)

    # --- out --------------------------------------------------------------------------------

    def _send_share(self, share: OpenShare) -> None:
        request_id = self._requests.ask("mining.submit", list(share.params))
        self._events += self._opening.book.sent(request_id, share)

    def _notice(self, kind: str, text: str) -> None:
        self._events.append(Notice(kind, text))

    def _drop(self, why: str, at_once: bool = False, misbehaved: bool = False) -> None:
        self._close(Dropped(why, at_once, misbehaved))


WORK: dict[str, Callable[[PoolWork, object, float], list[PoolEvent]]] = {
    "mining.notify": PoolWork.notify,
    "mining.set_difficulty": PoolWork.set_difficulty,
    "mining.set_class_target": PoolWork.set_class_target,
    "mining.set_extranonce": PoolWork.set_extranonce,
    "mining.set_version_mask": PoolWork.set_mask,
}
