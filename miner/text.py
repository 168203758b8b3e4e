"""Text that may be shown: one line, printable, bounded, without a secret of ours.

A terminal obeys escape sequences, a log breaks at a newline and a bidirectional mark reorders what
people read; none of them survives. HTML and JSON still need their own escaping.
"""

import re

LIMIT = 200  # characters shown of one remote text: a sentence, not a flood
# ECMA-48 control sequences, then operating-system commands (which may set titles or clipboards).
ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*\x07?|\x1b.?"
)

LEAST_SECRET = 4  # characters; a shorter word, such as the customary x, occurs everywhere
_secrets: set[str] = set()


def keep_secret(word: str) -> None:
    """From now on `hide` hides it, plain and in hex."""
    if len(word) >= LEAST_SECRET:
        _secrets.update((word, word.encode(errors="surrogateescape").hex()))


def hide(text: str) -> str:
    """The text with every secret of this process as ***: a peer may repeat what it was told."""
    for word in sorted(_secrets, key=len, reverse=True):
        text = text.replace(word, "***")
    return text


def scrub(text: object, limit: int = LIMIT) -> str:
    """One printable line of at most `limit` characters; never raises on any JSON value.

    Escape sequences go, white space becomes one blank, and everything str.isprintable refuses
    (controls, bidirectional and zero-width marks, surrogates, private use) becomes "?". Our own
    secrets, should the peer repeat one, become ***.
    """
    raw = str(text) if isinstance(text, str | Exception) else repr(text)
    line = " ".join(ESCAPES.sub("", hide(raw)[: 4 * limit]).split())
    clean = hide("".join(char if char.isprintable() else "?" for char in line))
    return clean if len(clean) <= limit and len(raw) <= 4 * limit else clean[: limit - 3] + "..."
