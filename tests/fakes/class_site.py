"""A class's web site over a room, with WebAssembly that a test chooses."""

import os
from collections.abc import Callable

from miner.pool.phone_door import MODULE, PhoneDoor
from miner.pool.phones import Phones
from miner.pool.room import Room
from miner.pool.site import PoolSite, files
from miner.pool.values import RoomRules
from miner.views.web.app import Reach
from miner.views.web.pages import MEDIA, File


def site_of(
    room: Room,
    clock: Callable[[], float],
    module: bytes | None = None,
    complain: Callable[[str], None] = lambda text: None,
) -> PoolSite:
    """The phones' part alone; `module` instead of this installation's hash.wasm."""
    pages = {name: file for name, file in files().items() if name != MODULE}
    if module is not None:
        pages[MODULE] = File(module, MEDIA[".wasm"], f"{hash(module):x}")
    return PoolSite([PhoneDoor(Phones(room, clock), pages)], Reach((), False), complain)


def with_module(module: bytes | None) -> PoolSite:
    """Of a room without work."""
    room = Room(RoomRules("regtest"), lambda share: None, os.urandom, 0.0)
    return site_of(room, lambda: 0.0, module)
