"""One connection of a Stratum v1 server, sans-IO: bytes in, bytes out; time is passed in.

Theory of operation. A miner may configure, subscribe, authorize and suggest in any order; once it
is subscribed and authorized its host gives it work. What a host decides (may this user enter, is
this share good) the connection asks by the methods of `Host`, which return at once. A bad message
is answered with an error and changes nothing; ten in a row, a flood, a line above 8 KiB or a minute
without mining.authorize or mining.subscribe end the connection with a message. After that `closing`
says why, and whoever owns the socket closes it when everything was sent.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Protocol

from miner.bitcoin.versions import BIP320_MASK
from miner.errors import RemoteProtocolError
from miner.protocol.jsonline import LineSplitter, Message, decode
from miner.protocol.stratum import served
from miner.text import scrub
from miner.work.claim import Answer, Claim, Judged
from miner.work.job import Job

EXTRANONCE2_BYTES = 4
MAX_LINE_BYTES = 8192
AUTHORIZE_S = 60.0
SUBMITS_A_SECOND = 50
LINES = 2  # of any kind, for each share that may come
BURST_S = 2.0  # so much of a second's allowance may come at once
BAD_IN_A_ROW = 10
HTTP = (b"GET ", b"POST ", b"HEAD ", b"OPTIONS ", b"PUT ")
NO_HTTP = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n"
    b"this port speaks Stratum v1, not HTTP: use stratum+tcp:// and a miner that knows it\n"
)


class Host(Protocol):
    """Who gives the work of one connection."""

    def resume(self, session_id: str) -> bytes | None:
        """The extranonce1 of an earlier session that goes on here; None for an unknown one."""

    def enter(self, user: str, agent: str, now: float) -> str:
        """May this user mine? Empty, or why not."""

    def ready(self, now: float) -> None:
        """Subscribed and authorized: call `give`."""

    def submit(self, claim: Claim, now: float) -> Judged:
        """Judge a share."""

    def suggest(self, difficulty: Fraction, now: float) -> None:
        """The miner's wish; only after `ready`."""


class Bucket:
    """An allowance that fills up with time."""

    def __init__(self, a_second: int, now: float) -> None:
        self.a_second, self._most = a_second, a_second * BURST_S
        self._level, self._at = self._most, now

    def take(self, now: float) -> bool:
        """Use one; False when none is left."""
        self._level = min(self._most, self._level + max(now - self._at, 0.0) * self.a_second)
        self._at = now
        self._level -= 1
        return self._level >= 0


class ServerSession:
    """The protocol core of one connection."""

    def __init__(
        self,
        host: Host,
        extranonce1: bytes,
        session_id: str,
        now: float,
        most_a_second: int = SUBMITS_A_SECOND,
    ) -> None:
        """More shares a second than `most_a_second` are a flood."""
        self.closing = ""  # why the connection ends; empty: it goes on
        self.granted: int | None = None  # version mask
        self._host = host
        self._extranonce1, self._session_id = extranonce1, session_id
        self._login = Login(now)
        self._told: Fraction | None = None  # difficulty
        self._wish: Fraction | None = None  # before `ready`
        self._splitter = LineSplitter(MAX_LINE_BYTES)
        self._submits, self._lines = Bucket(most_a_second, now), Bucket(LINES * most_a_second, now)
        self._out: list[bytes] = []

    # --- what the owner calls -----------------------------------------------------------------
    def receive(self, data: bytes, now: float) -> None:
        """Take bytes of any segmentation."""
        try:
            for line in self._splitter.feed(data):
                if not self.closing:
                    self._line(line, now)
        except RemoteProtocolError as error:  # a line without end
            self.close(str(error))

    def tick(self, now: float) -> None:
        """Call about once a second."""
        if not self.ready and now - self._login.opened >= AUTHORIZE_S:
            missing = "subscribe" if self._login.user else "authorize"
            self.close(f"no mining.{missing} within {AUTHORIZE_S:g} s")

    def give(self, job: Job, difficulty: Fraction, block_target: int | None = None) -> None:
        """Send a job, and the difficulty before it when it is another one. A homehash also hears
        what counts as a block, where that is less than the chain allows: it would take each share
        for one."""
        if difficulty != self._told:
            self._told = difficulty
            self._out.append(served.difficulty_line(difficulty))
        login, target = self._login, block_target or job.network_target
        if target != (login.block_target or job.network_target) and login.is_homehash:
            login.block_target = target
            self._out.append(served.notification("mining.set_class_target", f"{target:064x}"))
        self._out.append(served.notify_line(job))

    def say(self, text: str) -> None:
        """A line for the person at the miner."""
        self._out.append(served.notification("client.show_message", text))

    def close(self, why: str) -> None:
        """End the connection and say why, once."""
        if not self.closing:
            self.closing = scrub(why)
            self.say(self.closing)

    def data_to_send(self) -> bytes:
        """Drain the outbox."""
        data, self._out = b"".join(self._out), []
        return data

    @property
    def ready(self) -> bool:
        """Subscribed and authorized, and not ending?"""
        return self._login.subscribed and bool(self._login.user) and not self.closing

    # --- lines in -----------------------------------------------------------------------------
    def _line(self, line: bytes, now: float) -> None:
        if not self._lines.take(now):
            self.close(f"flood: more than {self._lines.a_second} lines a second")
        elif line.startswith(HTTP):
            self._out.append(NO_HTTP)
            self.closing = "an HTTP request"
        else:
            self._message(line, now)

    def _message(self, line: bytes, now: float) -> None:
        request_id: object = None
        try:
            message = decode(line)
            request_id = message.get("id")
            self._request(message, request_id, now)
            self._login.bad_row = 0
        except RemoteProtocolError as error:
            self._out.append(served.reply(request_id, None, [served.OTHER, scrub(error), None]))
            self._login.bad_row += 1
            if self._login.bad_row >= BAD_IN_A_ROW:
                self.close(f"{BAD_IN_A_ROW} bad messages in a row, the last: {error}")

    def _request(self, message: Message, request_id: object, now: float) -> None:
        method, params = message.get("method"), message.get("params")
        if method is None and ("result" in message or "error" in message):
            return  # an answer to a line of ours, such as client.show_message
        if type(method) is not str:
            raise RemoteProtocolError(f"method is {scrub(method, 80)}, want text")
        if method == "mining.submit":
            self._submit(params, request_id, now)
            return
        handler = METHODS.get(method)
        if handler is None:
            self._decline(method, request_id)
            return
        result = handler(self, params, now)
        if request_id is not None:
            error = None if result is not None else [24, self._login.refused, None]
            self._out.append(served.reply(request_id, result if error is None else False, error))
        if method in OPENING and self.ready and not self._login.given:
            self._login.given = True
            if self._wish is not None:
                self._host.suggest(self._wish, now)
            self._host.ready(now)

    def _decline(self, method: str, request_id: object) -> None:
        """A method we do not have: nothing is wrong with asking."""
        if request_id is not None:
            words = DECLINED.get(method, f"method {scrub(method, 80)} is not known here")
            self._out.append(served.reply(request_id, None, [served.OTHER, words, None]))

    def _configure(self, params: object, now: float) -> object:
        wishes = served.read_configure(params)
        result, granted = served.configured(wishes, BIP320_MASK)
        if granted is not None:
            self.granted = granted
        if wishes.minimum is not None:
            self._suggest_now(wishes.minimum, now)
        return result

    def _subscribe(self, params: object, now: float) -> object:
        login = self._login
        login.agent, old = served.read_subscribe(params)
        if old and not login.user and (extranonce1 := self._host.resume(old)) is not None:
            self._extranonce1, self._session_id = extranonce1, old
        login.subscribed = True
        name = self._session_id
        listed = [["mining.set_difficulty", name], ["mining.notify", name]]
        return [listed, self._extranonce1.hex(), EXTRANONCE2_BYTES]

    def _authorize(self, params: object, now: float) -> object:
        """None: refused; the words are in the login."""
        user, login = served.read_user(params), self._login
        if login.user:
            return True  # a second worker of the same machine: its shares are the first one's
        login.refused = scrub(self._host.enter(user, login.agent, now))
        if login.refused:
            self.say(login.refused)
            return None
        login.user = user or "-"
        return True

    def _suggest_difficulty(self, params: object, now: float) -> object:
        self._suggest_now(served.read_suggestion("mining.suggest_difficulty", params), now)
        return True

    def _suggest_target(self, params: object, now: float) -> object:
        self._suggest_now(served.read_suggestion("mining.suggest_target", params), now)
        return True

    def _suggest_now(self, difficulty: Fraction, now: float) -> None:
        if self._login.given:
            self._host.suggest(difficulty, now)
        else:
            self._wish = difficulty

    def _submit(self, params: object, request_id: object, now: float) -> None:
        if not self._submits.take(now):
            self.close(f"flood: more than {self._submits.a_second} shares a second")
            return
        words = ""
        if not self._login.user:
            answer = Answer.UNAUTHORIZED
        elif not self._login.subscribed:
            answer = Answer.NOT_SUBSCRIBED
        else:
            answer, words = self._judge(params, now)
        good = answer is Answer.ACCEPTED
        error = None if good else served.refusal(answer, words)
        self._out.append(served.reply(request_id, good, error))

    def _judge(self, params: object, now: float) -> tuple[Answer, str]:
        """The answer, and words where its own say too little."""
        try:
            claim = served.read_submit(params, EXTRANONCE2_BYTES)
        except RemoteProtocolError as error:
            return Answer.MALFORMED, f"{Answer.MALFORMED.words}: {scrub(error, 120)}"
        bits = claim.version_bits
        if bits is not None and (self.granted is None or bits & ~self.granted):
            return Answer.BAD_VERSION, ""
        return self._host.submit(claim, now).answer, ""


class Login:
    """How far the opening is."""

    def __init__(self, now: float) -> None:
        self.opened = now
        self.agent = self.user = self.refused = ""
        self.subscribed = self.given = False
        self.block_target: int | None = None  # told; None: the chain's
        self.bad_row = 0

    @property
    def is_homehash(self) -> bool:
        return self.agent.startswith("homehash/")


Handler = Callable[[ServerSession, object, float], object]
DECLINED = {"mining.get_transactions": "transactions are not sent here: ask the node"}
OPENING = ("mining.subscribe", "mining.authorize")
METHODS: dict[str, Handler] = {
    "mining.configure": ServerSession._configure,
    "mining.subscribe": ServerSession._subscribe,
    "mining.authorize": ServerSession._authorize,
    "mining.suggest_difficulty": ServerSession._suggest_difficulty,
    "mining.suggest_target": ServerSession._suggest_target,
    "mining.extranonce.subscribe": lambda *_: False,  # an extranonce1 is for the connection's life
    "mining.ping": lambda *_: "pong",
}
