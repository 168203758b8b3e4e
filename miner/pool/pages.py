"""The room's web server: everybody's pages, on one site."""

import socket
import time
from collections.abc import Callable

from miner.pool.phone_door import PhoneDoor
from miner.pool.phones import Phones
from miner.pool.room import Room
from miner.pool.site import PoolSite
from miner.run.machine import addresses
from miner.transport.listening import bound
from miner.views.web.app import Reach
from miner.views.web.server import WebServer


def site_of(room: Room, listener: socket.socket, complain: Callable[[str], None]) -> WebServer:
    """The site that phones join by, on a socket that is bound already."""
    host = socket.gethostname()
    reach = Reach((host, f"{host}.local", *addresses()), not bound(listener).is_loopback)
    return WebServer(PoolSite([PhoneDoor(Phones(room, time.time))], reach, complain), listener)
