"""A password that does not print itself."""

import hmac

from miner.text import keep_secret


class Secret:
    """Text that logs, reprs, formats and tracebacks show as ***; `reveal()` gives it to a wire."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        keep_secret(value)

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
