"""A password that does not print itself."""

import hmac

LEAST_CHARS = 4  # a shorter word, such as the customary x, is no secret and occurs everywhere
_known: set[str] = set()


def hide(text: str) -> str:
    """The text with every secret of this process, plain or in hex, as ***: a peer may repeat what
    it was told."""
    for word in sorted(_known, key=len, reverse=True):
        text = text.replace(word, "***")
    return text


class Secret:
    """Text that logs, reprs, formats and tracebacks show as ***; `reveal()` gives it to a wire."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        if len(value) >= LEAST_CHARS:
            _known.update((value, value.encode(errors="surrogateescape").hex()))

    def reveal(self) -> str:
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Secret is not pickled or copied to disk")
