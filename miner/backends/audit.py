"""Planted answers: ranges known to hold hits, put to every backend at start and while it mines.

hashlib sees every false hit but no missed one, so what a backend loses shows only here. Two kinds
of question: a real block far out in its range, which takes the path of hard targets, and a random
header with a target that makes hundreds of hits, so that losing one in a hundred is seen.
"""

import random

from miner.backends.base import NONCES, Backend
from miner.backends.selftest import HEADERS, Question, real_block, scan_all
from miner.errors import BackendFault

HITS = 512  # expected in the random question: losing 1 % goes unseen once in 170 audits
EVERY = 16  # one hash in so many is a hit; the answer costs HITS x EVERY hashlib calls, about 15 ms
AUDIT_S = 300.0


def random_question(versions_wanted: int, dice: random.Random) -> Question:
    """About HITS hits, anywhere in the nonce range, with the wanted number of versions."""
    first = dice.randrange(2**12) << 1
    versions = tuple(first + (step << 13) for step in range(versions_wanted))
    prefix = versions[0].to_bytes(4, "little") + dice.randbytes(72)
    count = max(HITS * EVERY // versions_wanted, 1) + dice.randrange(8)
    start = dice.choice((0, NONCES - count, dice.randrange(NONCES - count)))
    return Question(prefix, versions, 2**256 // EVERY, start, count)


def audit(backend: Backend, dice: random.Random) -> None:
    """Raise BackendFault unless every planted answer comes out."""
    wanted = backend.info.versions_wanted
    for question in (real_block(dice.choice(HEADERS), wanted - 1), random_question(wanted, dice)):
        got, want = scan_all(backend, question), question.answer()
        if got != want:
            lost, wrong = set(want.hits) - set(got.hits), set(got.hits) - set(want.hits)
            raise BackendFault(
                backend.info.name,
                f"audit: {len(lost)} of {len(want.hits)} planted answers missed, "
                f"{len(wrong)} wrong ones reported",
            )
