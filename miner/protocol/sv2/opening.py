"""From a finished handshake to an open channel: what is asked, and what each answer means.

SetupConnection says what we need; extensions are asked for only where the device is to be named;
then one channel is opened, extended unless the user or the server wants a header-only one. The
sans-IO session sends what `begin`, `take` and `tick` return. Source: Stratum v2 specification,
chapters 3.6, 5.3.1 to 5.3.5, and extension 0x0001.
"""

from dataclasses import replace

from miner.errors import RemoteProtocolError
from miner.protocol.sv2 import messages as sv2
from miner.protocol.sv2.terms import Learnt, Settings, Stage
from miner.protocol.sv2.work import Channel, ChannelWork
from miner.text import scrub

VERSION = 2
MAX_TARGET = 2**256 - 1  # any share target suits us
LEAST_EXTRANONCE = 2  # bytes asked for; with 16 version bits enough for any home
LEAST_RATE_HS = 1.0  # a rate of 0 makes some pools flood us with the easiest shares
EXTENSIONS_S = (1.0, 5.0)  # bounds: a server without extensions does not answer at all

Opened = sv2.OpenStandardMiningChannelSuccess | sv2.OpenExtendedMiningChannelSuccess


class Refusal(Exception):
    """The server said no, for good."""


class TryAgain(Exception):
    """The server said no to something that we can do without, on a new connection."""

    def __init__(self, why: str, learnt: Learnt) -> None:
        super().__init__(why)
        self.learnt = learnt


class Opening:
    """The stages before work; `work` is there once the channel is open."""

    def __init__(self, settings: Settings, number: int, learnt: Learnt, now: float) -> None:
        self.stage = Stage.HANDSHAKE
        self.work: ChannelWork | None = None
        self.named = False  # the server takes the device's name with each share
        self.notice = ""  # worth a line
        self.learnt = learnt  # with what this connection showed
        self._settings, self._number, self._opened = settings, number, now
        self._standard = settings.standard or learnt.no_extended
        self._mask = 0 if learnt.no_rolling else settings.version_mask
        self._extensions_due = 0.0

    def begin(self, now: float) -> sv2.Message:
        """The handshake is done."""
        self.stage = Stage.SETUP
        flags = sv2.REQUIRES_STANDARD_JOBS if self._standard else 0
        flags |= sv2.REQUIRES_VERSION_ROLLING if self._mask else 0
        host, port, agent = self._settings.host, self._settings.port, self._settings.agent
        return sv2.SetupConnection(
            sv2.MINING, VERSION, VERSION, flags, host, port, "homehash", "", agent,
            self._settings.device_id,
        )  # fmt: skip

    def take(self, message: sv2.Message, now: float) -> list[sv2.Message]:
        """What to send next. Raises Refusal or TryAgain; messages out of turn change nothing."""
        match message:
            case sv2.SetupSuccess() if self.stage is Stage.SETUP:
                return [self._on_setup(message, now)]
            case sv2.SetupError() if self.stage is Stage.SETUP:
                raise self._setup_refused(message)
            case sv2.ExtensionsSuccess() if self.stage is Stage.EXTENSIONS:
                self.named = sv2.WORKER_IDENTITY in message.supported
                return [self._open_channel()]
            case sv2.ExtensionsError() if self.stage is Stage.EXTENSIONS:
                if message.required:
                    names = ", ".join(f"{number:#06x}" for number in message.required)
                    raise Refusal(f"the pool requires extensions we do not know: {names[:80]}")
                return [self._open_channel()]
            case sv2.OpenMiningChannelError() if self.stage is Stage.OPENING:
                raise self._open_refused(scrub(message.error_code, 80))
            case sv2.OpenStandardMiningChannelSuccess() if self._standard:
                self._open(message, 0)
            case sv2.OpenExtendedMiningChannelSuccess() if not self._standard:
                self._open(message, message.extranonce_size)
        return []

    def tick(self, now: float) -> list[sv2.Message]:
        """A server that does not answer RequestExtensions has none."""
        if self.stage is Stage.EXTENSIONS and now >= self._extensions_due:
            self.learnt = replace(self.learnt, no_extensions=True)
            return [self._open_channel()]
        return []

    def cut(self) -> None:
        """The connection ended: a server that leaves over a question is not asked it again."""
        if self.stage is Stage.EXTENSIONS:
            self.learnt = replace(self.learnt, no_extensions=True)

    def _on_setup(self, message: sv2.SetupSuccess, now: float) -> sv2.Message:
        if message.used_version != VERSION:
            raise Refusal(f"the server speaks version {message.used_version}, we {VERSION}")
        self.notice = f"Stratum v2: the server speaks version {VERSION}, flags {message.flags:#x}"
        if message.flags & sv2.REQUIRES_FIXED_VERSION:
            self._mask = 0
        if message.flags & sv2.REQUIRES_EXTENDED_CHANNELS and self._standard:
            self._standard = False
            self.notice += "; it wants an extended channel: opening one"
        if not self._settings.device or self._standard or self.learnt.no_extensions:
            return self._open_channel()
        least_s, most_s = EXTENSIONS_S
        wait_s = min(max(2 * (now - self._opened), least_s), most_s)  # twice what it took till now
        self.stage, self._extensions_due = Stage.EXTENSIONS, now + wait_s
        return sv2.RequestExtensions(1, (sv2.WORKER_IDENTITY,))

    def _setup_refused(self, message: sv2.SetupError) -> Exception:
        if message.flags & sv2.REQUIRES_VERSION_ROLLING and self._mask:
            learnt = replace(self.learnt, no_rolling=True)
            return TryAgain("the pool takes no version rolling; trying without", learnt)
        flags = f" (flags {message.flags:#x})" if message.flags else ""
        return Refusal(f"SetupConnection was refused: {scrub(message.error_code, 80)}{flags}")

    def _open_channel(self) -> sv2.Message:
        self.stage = Stage.OPENING
        user, rate_hs = self._settings.user, max(self._settings.rate_hs, LEAST_RATE_HS)
        if self._standard:
            return sv2.OpenStandardMiningChannel(1, user, rate_hs, MAX_TARGET)
        return sv2.OpenExtendedMiningChannel(1, user, rate_hs, MAX_TARGET, LEAST_EXTRANONCE)

    def _open_refused(self, code: str) -> Exception:
        if "extended" in code and not self._standard:
            learnt = replace(self.learnt, no_extended=True)
            return TryAgain(f"no extended channel here ({code}); asking for a standard one", learnt)
        user = scrub(self._settings.user, 80)
        what = f"user {user}" if "user" in code else "the channel"
        return Refusal(f"the pool refuses {what}: {code}; check the user name")

    def _open(self, opened: Opened, size: int) -> None:
        if self.stage is not Stage.OPENING:
            return
        channel = Channel(
            self._settings.source, self._number, opened.channel_id, opened.group_channel_id,
            self._standard, size, self._mask,
        )  # fmt: skip
        try:
            self.work = ChannelWork(channel, opened.target, opened.extranonce_prefix)
        except RemoteProtocolError as error:
            raise Refusal(f"the channel cannot be mined: {error}") from None
        self.stage = Stage.RUNNING
