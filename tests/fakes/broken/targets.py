"""Everything that reads what others write, each as a function from bytes to a word.

A target may refuse its input by the errors that it documents; the word tells what it did, so that
an input with a new word is kept as a seed. Any other exception, a broken promise (AssertionError)
or a call above a second is a failure.
"""

import importlib
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Feed = Callable[[bytes], str]
VECTORS = Path(__file__).parents[2] / "vectors"
CORPUS = Path(__file__).parents[2] / "corpus"


@dataclass(frozen=True, slots=True)
class Target:
    """`module` has the function `name` (with _ for -): dice -> (seeds, feed)."""

    name: str
    module: str
    share: float = 1.0  # of the executions of an ordinary target; less for slow ones

    def load(self, dice: random.Random) -> tuple[list[bytes], Feed]:
        """Seeds, the kept corpus among them, and a fresh feed."""
        module = importlib.import_module(f"tests.fakes.broken.{self.module}")
        seeds, feed = getattr(module, self.name.replace("-", "_"))(dice)
        return [*seeds, *corpus(self.name)], feed


def gist(text: object) -> str:
    """The first words of a message without what it quotes from the input."""
    bare = re.sub(r"""'[^']*'|"[^"]*"|[^ -~]|[0-9]""", "", str(text))
    return " ".join(bare.split()[:5])[:40]


def corpus(name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / name).glob("*")) if path.is_file()]


TABLE = (
    Target("lines", "wire"),
    Target("json-guard", "wire"),
    Target("pool-url", "wire"),
    Target("node-url", "wire"),
    Target("scrubbed", "wire"),
    Target("notify", "stratum"),
    Target("set-difficulty", "stratum"),
    Target("set-extranonce", "stratum"),
    Target("set-version-mask", "stratum"),
    Target("reconnect", "stratum"),
    Target("chatter", "stratum"),
    Target("answers", "stratum"),
    Target("server", "served"),
    Target("sv2-message", "sv2", 4.0),
    Target("sv2-session", "sv2", 3.0),
    Target("sv2-handshake", "sv2"),
    Target("sv2-provider", "sv2"),
    Target("template", "solo", 0.3),
    Target("rpc-reply", "solo"),
    Target("verdict", "solo"),
    Target("block", "chain"),
    Target("transaction", "chain"),
    Target("address", "chain"),
    Target("nbits", "chain"),
    Target("journal-records", "files"),
    Target("config-file", "files", 0.3),
    Target("config-flags", "files"),
    Target("cookie", "files", 0.5),
    Target("session-file", "room", 0.3),
    Target("desk-order", "room", 0.5),
    Target("node-http", "own_node"),
    Target("node-json", "own_node"),
    Target("node-methods", "own_node", 0.1),
)
