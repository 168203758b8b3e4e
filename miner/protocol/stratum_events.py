"""What goes into a Stratum session and what comes out of it, besides bytes."""

from dataclasses import dataclass

from miner.bitcoin.versions import BIP320_MASK
from miner.errors import ConfigError, SourceRefused
from miner.protocol.jsonline import encoded_size
from miner.protocol.stratum_answers import Reason
from miner.protocol.stratum_messages import Redirect
from miner.secret import Secret
from miner.work.values import Job, Verdict

DUMMY = Secret("x")  # the customary password where none is asked for
MAX_USER_BYTES = 256  # as JSON: with a job id of 256 the submit stays below 1,024 bytes
MAX_PASSWORD_BYTES = 256
MAX_AGENT_BYTES = 128


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """What the user wants of a pool. Raises ConfigError when a text would not fit a line."""

    source: str  # name of the pool, as jobs and verdicts carry it
    user: str
    password: Secret = DUMMY
    agent: str = "homehash"
    version_mask: int = BIP320_MASK  # bits we are willing to roll; 0 = ask for none
    minimum_difficulty: float | None = None  # asked for in mining.configure
    suggest_difficulty: float | None = None  # from the measured rate
    configure: bool = True  # False after a pool hung up on mining.configure
    extranonce_subscribe: bool = True
    handshake_s: float = 15.0  # from `open` to the answer of authorize
    silence_s: float = 180.0  # without a complete line; half of it before a probe
    answer_s: float = 120.0  # a submit unanswered for longer is unknown
    job_age_s: float = 600.0  # the oldest job worth hashing

    def __post_init__(self) -> None:
        for name, text, limit in (
            ("user name", self.user, MAX_USER_BYTES),
            ("password", self.password.reveal(), MAX_PASSWORD_BYTES),
            ("agent", self.agent, MAX_AGENT_BYTES),
        ):
            if encoded_size(text) > limit:
                raise ConfigError(f"{self.source}: the {name} is longer than {limit} bytes")


@dataclass(frozen=True, slots=True)
class Ready:
    """Subscribed and authorized. `resumed`: the same session as before the connection broke."""

    session: int
    resumed: bool
    rolling: bool  # version rolling granted


@dataclass(frozen=True, slots=True)
class JobReceived:
    """Work. It may come before Ready; shares wait inside the session until then."""

    job: Job


@dataclass(frozen=True, slots=True)
class ShareAnswered:
    """What became of a share; `reason` is the fixed class of a refusal."""

    verdict: Verdict
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class DifficultyChanged:
    """Binds to the next job; for the screen and for the time expected per share."""

    difficulty: float
    target: int


@dataclass(frozen=True, slots=True)
class ReconnectAsked:
    """client.reconnect; whether it is obeyed is the owner's decision."""

    redirect: Redirect


@dataclass(frozen=True, slots=True)
class Notice:
    """A line for people. `kind` is a bounded class, so that a log can name each once."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The pool said no: it is out until the user changes something."""

    error: SourceRefused


@dataclass(frozen=True, slots=True)
class Dropped:
    """The connection must be closed. `at_once`: try again without a pause, the first time;
    `misbehaved`: leave the pool alone for a while."""

    why: str
    at_once: bool = False
    misbehaved: bool = False


Event = (
    Ready
    | JobReceived
    | ShareAnswered
    | DifficultyChanged
    | ReconnectAsked
    | Notice
    | Refused
    | Dropped
)
