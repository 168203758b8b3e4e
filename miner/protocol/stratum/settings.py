"""What the user wants of a Stratum v1 pool."""

from dataclasses import dataclass

from miner.bitcoin.versions import BIP320_MASK
from miner.errors import ConfigError
from miner.protocol.jsonline import encoded_size
from miner.secret import Secret

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
    suggest_difficulty: float | None = None  # from the measured rate, or the user's own
    keep_suggestion: bool = False  # it is the user's: suggest no better one later
    configure: bool = True
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
