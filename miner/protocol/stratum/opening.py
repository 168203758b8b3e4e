"""The opening of a Stratum v1 session: configure, subscribe, authorize, replies in any order.

A pool that knows neither agent nor session id gets a second try with neither. The session of a
broken connection is resumed when the pool gives the same extranonce1 back.
"""

from miner.errors import RemoteProtocolError, SourceRefused
from miner.protocol.jsonline import Message
from miner.protocol.pool import Notice, PoolEvent, Ready, Refused
from miner.protocol.stratum import messages as parse
from miner.protocol.stratum.answers import error_of
from miner.protocol.stratum.requests import Requests
from miner.protocol.stratum.settings import SessionSettings
from miner.protocol.stratum.shares import Leftovers, ShareBook
from miner.protocol.stratum.work import PoolWork
from miner.text import scrub


class Opening:
    """How far the login is; each handler returns events and never raises but for a bad message."""

    def __init__(
        self, settings: SessionSettings, requests: Requests, work: PoolWork, left: Leftovers
    ) -> None:
        self.subscription: parse.Subscription | None = None
        self.book = ShareBook(settings.source, settings.answer_s)
        self.resumed = self.authorized = False
        self.configured = settings.configure and left.configure
        self._settings, self._requests, self._work, self._left = settings, requests, work, left
        self._tries = 0  # to subscribe

    @property
    def done(self) -> bool:
        """Subscribed and authorized."""
        return self.authorized and self.subscription is not None

    def begin(self) -> None:
        """Queue it: configure, subscribe, extranonce, difficulty, authorize."""
        settings, requests = self._settings, self._requests
        if self.configured:
            requests.ask("mining.configure", configure_params(settings), self._on_configure)
        old = self._left.subscription.session_id if self._left.subscription else ""
        self._subscribe([settings.agent, old] if old else [settings.agent])
        if settings.extranonce_subscribe:
            requests.ask("mining.extranonce.subscribe", [])
        if settings.suggest_difficulty is not None:
            suggest(requests, settings.suggest_difficulty)
        self._authorize()

    @property
    def missing(self) -> str:
        """The request whose answer keeps us from mining."""
        return "mining.authorize" if self.subscription else "mining.subscribe"

    def _subscribe(self, params: list[object]) -> None:
        self._tries += 1
        self._requests.ask("mining.subscribe", params, self._on_subscribe)

    def _authorize(self) -> None:
        credentials = [self._settings.user, self._settings.password.reveal()]
        self._requests.ask("mining.authorize", credentials, self._on_authorize)

    def _on_configure(self, message: Message, now: float) -> list[PoolEvent]:
        error = error_of(message)
        if error is not None:
            self._work.rolling_refused = True
            text = f"no extensions: mining.configure was answered {error}"
            return [Notice("configure", text)]
        mask, refused = parse.parse_configure(message.get("result"))
        events: list[PoolEvent] = []
        if refused:
            text = f"extensions refused: {scrub(', '.join(refused))}"
            events.append(Notice("configure", text))
        if mask is None or self._settings.version_mask == 0:
            self._work.rolling_refused = True
        else:
            events += self._work.grant(mask, now)
        return events

    def _on_subscribe(self, message: Message, now: float) -> list[PoolEvent]:
        error = error_of(message)
        if error is not None and self._tries == 1:
            self._subscribe([])  # some pools know neither agent nor session id
            self._authorize()
            return []
        if error is not None:
            return [self._refused(f"mining.subscribe was refused: {error}")]
        try:
            subscription = parse.parse_subscription(message.get("result"))
        except RemoteProtocolError as broken:
            return [self._refused(str(broken))]
        return self._subscribed(subscription, now)

    def _subscribed(self, subscription: parse.Subscription, now: float) -> list[PoolEvent]:
        """Resume the broken session if the pool gave the same one back, else give it up."""
        self.subscription = subscription
        number, left, events = self._work.number, self._left, list[PoolEvent]()
        if left.fits(subscription) and left.book is not None:
            self.resumed, number, self.book = True, left.number, left.book
        else:
            events += left.give_up("the connection broke before the pool answered")
        events += self._work.subscribed(subscription, number, now)
        return events + self._ready_if_done()

    def _on_authorize(self, message: Message, now: float) -> list[PoolEvent]:
        if self._requests.waits(self._on_authorize):
            return []  # subscribing took a second try, and this is the answer to the first
        error = error_of(message)
        if error is None and message.get("result") is True:
            self.authorized = True
            return self._ready_if_done()
        user = scrub(self._settings.user, 80)
        why = error or "no reason given"
        text = f"the pool refuses user {user}: {why}; check the user name and password"
        return [self._refused(text)]

    def _ready_if_done(self) -> list[PoolEvent]:
        if not self.done:
            return []
        return [Ready(self._work.number, self.resumed, self._work.granted is not None)]

    def _refused(self, why: str) -> Refused:
        return Refused(SourceRefused(f"{self._settings.source}: {why}"))


def configure_params(settings: SessionSettings) -> list[object]:
    """The extensions we know, with their parameters (BIP 310)."""
    names = ["minimum-difficulty", "subscribe-extranonce", "info"]
    values: dict[str, object] = {"info.sw-version": settings.agent}
    if settings.version_mask:
        names.insert(0, "version-rolling")
        values["version-rolling.mask"] = f"{settings.version_mask:08x}"
        values["version-rolling.min-bit-count"] = 2
    if settings.minimum_difficulty is None:
        names.remove("minimum-difficulty")
    else:
        values["minimum-difficulty.value"] = float(f"{settings.minimum_difficulty:.6g}")
    return [names, values]


def suggest(requests: Requests, difficulty: float) -> None:
    """Ask for a difficulty, as a JSON number; any answer or none will do."""
    requests.ask("mining.suggest_difficulty", [float(f"{difficulty:.6g}")])
