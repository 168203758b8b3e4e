"""Our own requests of one connection: their ids, and who waits for which reply."""

from collections.abc import Callable

from miner.protocol.jsonline import Message, encode
from miner.protocol.pool import PoolEvent

MAX_WAITING = 64  # requests, shares aside, whose reply is awaited

Handler = Callable[[Message, float], list[PoolEvent]]


class Requests:
    """The outbox. Ids grow by one and are never repeated, not even by a resumed session."""

    def __init__(self, next_id: int) -> None:
        self.next_id = next_id
        self._waiting: dict[int, Handler] = {}
        self._outbox: list[bytes] = []

    def ask(self, method: str, params: object, handler: Handler | None = None) -> int:
        """Queue a request; its id. Without a handler any reply, or none, will do."""
        request_id = self.next_id
        self._outbox.append(encode({"id": request_id, "method": method, "params": params}))
        self.next_id += 1
        if handler is not None:
            if len(self._waiting) >= MAX_WAITING:  # a pool that never answers some of them
                del self._waiting[next(iter(self._waiting))]
            self._waiting[request_id] = handler
        return request_id

    def answer(self, request_id: object, result: object, error: object = None) -> None:
        """Answer a request of the pool; a notification gets none, nor does an id we cannot echo."""
        if type(request_id) is int or (type(request_id) is str and len(request_id) <= 64):
            self._outbox.append(encode({"id": request_id, "result": result, "error": error}))

    def waits(self, handler: Handler) -> bool:
        """Is a reply for this handler still to come?"""
        return handler in self._waiting.values()

    def take(self, request_id: int) -> Handler | None:
        """Who waits for this reply; a second reply finds nobody."""
        return self._waiting.pop(request_id, None)

    def data_to_send(self) -> list[bytes]:
        """Drain the outbox: complete messages, each meant for one write."""
        messages, self._outbox = self._outbox, []
        return messages
