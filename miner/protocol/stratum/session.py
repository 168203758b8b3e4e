"""One Stratum v1 session, sans-IO: bytes in, events out; time and bytes are passed in.

Theory of operation. `open` queues the whole handshake; replies are matched by id in any order.
Every message of the pool is parsed whole (`messages`) before anything changes, so a bad
one leaves the last job hashing; ten bad ones in a row drop the connection, as does what
`peer_watch` notices. `work` makes jobs, `shares` keeps the shares. After `Refused`
or `Dropped` the session is closed: it ignores further bytes, and `leave` hands what a resumed
session may take over to the next one.
"""

import json
import re
from collections.abc import Callable

from miner.errors import RemoteProtocolError, SourceRefused
from miner.protocol.jsonline import LineSplitter, Message, decode, encode
from miner.protocol.peer_watch import PeerWatch
from miner.protocol.pool import (
    Dropped,
    Notice,
    PoolEvent,
    Ready,
    Reason,
    ReconnectAsked,
    Refused,
    ShareAnswered,
)
from miner.protocol.stratum import messages as parse
from miner.protocol.stratum.answers import error_of
from miner.protocol.stratum.job import restored, submit_params
from miner.protocol.stratum.settings import SessionSettings
from miner.protocol.stratum.shares import Leftovers, OpenShare, ShareBook
from miner.protocol.stratum.work import PoolWork
from miner.text import scrub
from miner.work.found import Answer, FoundBlock, Share
from miner.work.job import Job

BAD_IN_A_ROW = 10
FIRST_JOB_S = 60.0  # after the handshake's deadline; pools send it with the login
STALE_IN_A_ROW = 3  # "job not found" for the current job: the pool and we disagree
MAX_HELD = 256  # shares found before the authorization is answered
MAX_WAITING = 64  # requests of ours, shares aside, whose reply is awaited
VALUE = re.compile(r" is | '|: b|[0-9]")  # where an error's text turns from its class to a value

Handler = Callable[[Message, float], None]


class StratumSession:
    """The protocol core of one connection. Not for several threads at once."""

    def __init__(
        self,
        settings: SessionSettings,
        number: int,
        now: float,
        leftovers: Leftovers | None = None,
        watch: PeerWatch | None = None,
    ) -> None:
        """`number` names the session, unless the pool resumes that of `leftovers`; `watch` may
        have counted the pool's lines in sessions before."""
        self.settings = settings
        self.closed = self.ready = self.resumed = False
        self.subscription: parse.Subscription | None = None
        self._watch = watch or PeerWatch()
        self._leftovers = leftovers
        self._book = ShareBook(settings.source, settings.answer_s)
        self._work = PoolWork(settings, number)
        self._next_id = leftovers.next_id if leftovers else 1  # never repeated, resumed or not
        self._waiting: dict[int, Handler] = {}
        self._held: list[OpenShare] = []
        self._splitter = LineSplitter()
        self._outbox: list[bytes] = []
        self._events: list[PoolEvent] = []
        self._authorized = self._probed = False
        self._subscribe_tries = self._bad_row = self._stale_row = 0
        self._opened = self._heard = now
        self._methods: dict[str, Callable[[object, float], list[PoolEvent]]] = {
            "mining.notify": self._work.notify,
            "mining.set_difficulty": self._work.set_difficulty,
            "mining.set_extranonce": self._work.set_extranonce,
            "mining.set_version_mask": self._work.set_mask,
            "client.reconnect": lambda p, _: [ReconnectAsked(parse.parse_reconnect(p))],
        }

    # --- what the owner calls ---------------------------------------------------------------

    def open(self) -> None:
        """Queue the handshake: configure, subscribe, extranonce, difficulty, authorize."""
        settings = self.settings
        if settings.configure:
            self._request("mining.configure", self._configure_params(), self._on_configure)
        old = self._leftovers.subscription.session_id if self._leftovers else ""
        self._subscribe([settings.agent, old] if old else [settings.agent])
        if settings.extranonce_subscribe:
            self._request("mining.extranonce.subscribe", [], _ignore)
        if settings.suggest_difficulty is not None:
            self.suggest_difficulty(settings.suggest_difficulty)
        self._authorize()

    def receive_data(self, data: bytes, now: float) -> list[PoolEvent]:
        """Feed bytes of any segmentation; the events, in order."""
        try:
            for line in self._splitter.feed(data):
                if not self.closed:
                    self._heard, self._probed = now, False
                    self._line(line, now)
        except RemoteProtocolError as error:  # a line without end: the framing is lost
            self._drop(str(error))
        if self._watch.complaint:
            self._drop(self._watch.complaint, misbehaved=True)
        return self._drain()

    def submit(self, share: Share, now: float) -> list[PoolEvent]:
        """Send a share of this session, or hold it until the handshake is done."""
        if self._book.is_new(share):
            params = submit_params(self.settings.user, share, self._work.granted)
            self._send_share(self._book.open_share(share, params, now))
        else:
            self._events.append(self._book.duplicate(share))
        return self._drain()

    def resubmit(self, block: FoundBlock, now: float) -> list[PoolEvent]:
        """Send a packed block of this session again. The caller has compared the extranonce1."""
        params = restored(json.loads(block.payload)["params"], self.settings.password)
        self._send_share(self._book.open_block(block, params, now))
        return self._drain()

    def suggest_difficulty(self, difficulty: float) -> None:
        """Ask for a difficulty, as a JSON number; any answer or none will do."""
        self._request("mining.suggest_difficulty", [float(f"{difficulty:.6g}")], _ignore)

    def tick(self, now: float) -> list[PoolEvent]:
        """Look at the deadlines: handshake, silent pool, old job, unanswered submits."""
        if self.closed:
            return []
        self._events += self._book.expired(now)
        limits, silent_s = self.settings, now - self._heard
        job_age_s = self._work.job_age_s(now)
        if not self.ready and now - self._opened >= limits.handshake_s:
            missing = "mining.authorize" if self.subscription else "mining.subscribe"
            self._drop(f"no answer to {missing} in time")
        elif silent_s >= limits.silence_s:
            self._drop(f"the pool is silent for {silent_s:.0f} s")
        elif job_age_s is not None and job_age_s >= self._work.stale_after_s():
            self._drop(f"no new job for {job_age_s:.0f} s")
        elif self.job is None and now - self._opened >= limits.handshake_s + FIRST_JOB_S:
            self._drop("no job since the login")
        elif silent_s >= limits.silence_s / 2 and not self._probed:
            self._probed = True  # even a refusal proves that the pool lives
            self._request("mining.extranonce.subscribe", [], _ignore)
        return self._drain()

    def data_to_send(self) -> list[bytes]:
        """Drain the outbox: complete messages, each meant for one write."""
        messages, self._outbox = self._outbox, []
        return messages

    def leave(self) -> Leftovers | None:
        """The connection broke: what the next session may resume, if anything."""
        self.closed = True
        if self.subscription is None:
            return self._leftovers
        for share in self._held:  # found, not sent: they may go into the resumed session
            self._book.sent(self._take_id(), share)
        return Leftovers(self._work.number, self.subscription, self._book, self._next_id)

    @property
    def bad_messages(self) -> int:
        return self._watch.bad_lines

    @property
    def number(self) -> int:
        return self._work.number

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
        return self._book.open_count + len(self._held)

    # --- lines in ---------------------------------------------------------------------------

    def _line(self, line: bytes, now: float) -> None:
        self._watch.line(now)
        try:
            self._message(decode(line), now)
            self._bad_row = 0
        except RemoteProtocolError as error:
            self._watch.bad(now)
            self._bad_row += 1
            text = scrub(str(error))
            self._notice(f"bad {VALUE.split(text)[0][:60]}", f"ignored: {text}")
            if self._bad_row >= BAD_IN_A_ROW:
                self._drop(f"{BAD_IN_A_ROW} bad messages in a row, the last: {text}")

    def _message(self, message: Message, now: float) -> None:
        method, request_id = message.get("method"), message.get("id")
        if method is None:
            if "result" not in message and "error" not in message:
                raise RemoteProtocolError("neither a request nor a reply")
            self._reply(message, now)
        elif type(method) is not str:
            raise RemoteProtocolError(f"method is {scrub(method, 80)}, want text")
        elif method in self._methods:
            self._events += self._methods[method](message.get("params"), now)
        elif method == "client.show_message":
            text = parse.items(method, message.get("params"), 1)[0]
            self._events.append(Notice("message", f"the pool says: {scrub(text)}"))
            self._answer(request_id, True)
        elif method in ("client.get_version", "mining.ping"):
            self._answer(request_id, "pong" if method == "mining.ping" else self.settings.agent)
        else:
            self._answer(request_id, None, [20, "Method not found", None])

    def _reply(self, message: Message, now: float) -> None:
        """Replies to ids we do not wait for, a second one included, change nothing."""
        request_id = message.get("id")
        if type(request_id) is not int:
            return
        handler = self._waiting.pop(request_id, None)
        if handler is not None:
            handler(message, now)
        elif (found := self._book.answered(request_id, message, now)) is not None:
            self._watch.answer()
            self._on_share(*found)

    def _on_share(self, share: OpenShare, answered: ShareAnswered) -> None:
        self._events.append(answered)
        job = self._work.job
        if answered.verdict.answer is Answer.ACCEPTED:
            self._stale_row = 0
        elif answered.reason in (Reason.UNAUTHORIZED, Reason.NOT_SUBSCRIBED):
            self._drop(f"shares are refused: {answered.verdict.explanation}", at_once=True)
        elif answered.reason is Reason.STALE and job is not None and share.job_id == job.job_id:
            self._stale_row += 1
            if self._stale_row >= STALE_IN_A_ROW:
                self._drop("the pool does not know the job it gave us", at_once=True)

    # --- handshake --------------------------------------------------------------------------

    def _configure_params(self) -> list[object]:
        names = ["minimum-difficulty", "subscribe-extranonce", "info"]
        values: dict[str, object] = {"info.sw-version": self.settings.agent}
        if self.settings.version_mask:
            names.insert(0, "version-rolling")
            values["version-rolling.mask"] = f"{self.settings.version_mask:08x}"
            values["version-rolling.min-bit-count"] = 2
        if self.settings.minimum_difficulty is None:
            names.remove("minimum-difficulty")
        else:
            least = float(f"{self.settings.minimum_difficulty:.6g}")
            values["minimum-difficulty.value"] = least
        return [names, values]

    def _on_configure(self, message: Message, now: float) -> None:
        error = error_of(message)
        if error is not None:
            self._work.rolling_refused = True
            self._notice("configure", f"no extensions: mining.configure was answered {error}")
            return
        mask, refused = parse.parse_configure(message.get("result"))
        if refused:
            self._notice("configure", f"extensions refused: {scrub(', '.join(refused))}")
        if mask is None or self.settings.version_mask == 0:
            self._work.rolling_refused = True
        else:
            self._events += self._work.grant(mask, now)

    def _subscribe(self, params: list[object]) -> None:
        self._subscribe_tries += 1
        self._request("mining.subscribe", params, self._on_subscribe)

    def _on_subscribe(self, message: Message, now: float) -> None:
        error = error_of(message)
        if error is not None and self._subscribe_tries == 1:
            self._subscribe([])  # some pools know neither agent nor session id
            self._authorize()
        elif error is not None:
            self._refuse(f"mining.subscribe was refused: {error}")
        else:
            try:
                subscription = parse.parse_subscription(message.get("result"))
            except RemoteProtocolError as broken:
                self._refuse(str(broken))
                return
            self._subscribed(subscription, now)

    def _subscribed(self, subscription: parse.Subscription, now: float) -> None:
        """Resume the broken session if the pool gave the same one back, else give it up."""
        self.subscription = subscription
        left, self._leftovers = self._leftovers, None
        again: list[OpenShare] = []
        number = self._work.number
        if left is not None and left.fits(subscription):
            self.resumed, number, self._book = True, left.number, left.book
            again = self._book.take_open(now)
        elif left is not None:
            self._events += left.book.lost("the connection broke before the pool answered")
        self._events += self._work.subscribed(subscription, number, now)
        for share in again:
            self._send_share(share)
        self._ready_if_done()

    def _authorize(self) -> None:
        credentials = [self.settings.user, self.settings.password.reveal()]
        self._request("mining.authorize", credentials, self._on_authorize)

    def _on_authorize(self, message: Message, now: float) -> None:
        if self._on_authorize in self._waiting.values():
            return  # subscribing took a second try, and this is the answer to the first
        error = error_of(message)
        if error is None and message.get("result") is True:
            self._authorized = True
            self._ready_if_done()
            return
        user = scrub(self.settings.user, 80)
        why = error or "no reason given"
        self._refuse(f"the pool refuses user {user}: {why}; check the user name and password")

    def _ready_if_done(self) -> None:
        if not self._authorized or self.subscription is None:
            return
        self.ready = True
        self._events.append(Ready(self._work.number, self.resumed, self.granted is not None))
        held, self._held = self._held, []
        for share in held:
            self._send_share(share)

    # --- out --------------------------------------------------------------------------------

    def _take_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _request(self, method: str, params: object, handler: Handler) -> None:
        if len(self._waiting) >= MAX_WAITING:  # a pool that never answers some of them
            del self._waiting[next(iter(self._waiting))]
        request_id = self._take_id()
        self._outbox.append(encode({"id": request_id, "method": method, "params": params}))
        self._waiting[request_id] = handler

    def _answer(self, request_id: object, result: object, error: object = None) -> None:
        """Answer a request of the pool; a notification gets none, nor does an id we cannot echo."""
        if type(request_id) is int or (type(request_id) is str and len(request_id) <= 64):
            self._outbox.append(encode({"id": request_id, "result": result, "error": error}))

    def _send_share(self, share: OpenShare) -> None:
        if not self.ready:
            self._hold(share)
            return
        request_id = self._take_id()
        params = list(share.params)
        line = encode({"id": request_id, "method": "mining.submit", "params": params})
        self._outbox.append(line)
        self._events += self._book.sent(request_id, share)

    def _hold(self, share: OpenShare) -> None:
        self._held.append(share)
        if len(self._held) > MAX_HELD:
            oldest = next((old for old in self._held if not old.is_block), self._held[0])
            self._held.remove(oldest)
            self._events.append(self._book.give_up(oldest, "too many shares before the login"))

    def _notice(self, kind: str, text: str) -> None:
        self._events.append(Notice(kind, text))

    def _refuse(self, why: str) -> None:
        self._close(Refused(SourceRefused(f"{self.settings.source}: {why}")))

    def _drop(self, why: str, at_once: bool = False, misbehaved: bool = False) -> None:
        self._close(Dropped(why, at_once, misbehaved))

    def _close(self, last: PoolEvent) -> None:
        if not self.closed:
            self.closed = True
            self._events.append(last)

    def _drain(self) -> list[PoolEvent]:
        events, self._events = self._events, []
        return events


def _ignore(message: Message, now: float) -> None:
    """Any reply will do."""
