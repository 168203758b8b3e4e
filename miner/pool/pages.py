"""The room's web servers: everybody's pages on one site, the teacher's desk on another."""

import secrets
import socket
import time
from collections.abc import Callable

from miner.pool.desk import Desk
from miner.pool.document import Invitation
from miner.pool.orders import Orders
from miner.pool.phone_door import PhoneDoor
from miner.pool.phones import Phones
from miner.pool.record import Record
from miner.pool.room import Room
from miner.pool.screen import Home, Screen
from miner.pool.site import Part, PoolSite
from miner.run.machine import addresses
from miner.transport.listening import bound
from miner.views.web.app import Reach
from miner.views.web.server import WebServer

Complain = Callable[[str], None]
TOKEN_BYTES = 24


def class_site(
    room: Room, listener: socket.socket, screen: Screen, complain: Complain
) -> WebServer:
    """The site that phones join by and boards are seen on, on a socket that is bound already."""
    return site_of([PhoneDoor(Phones(room, time.time)), screen], listener, complain)


def class_screen(room: Room, invitation: Invitation, easy: bool) -> Screen:
    """The board of a room that is open."""
    return Screen(lambda: room.view(time.time()), invitation, lambda: {"easy": easy})


def class_record(room: Room) -> Record:
    """From now on the session is recorded."""
    record = Record(room.view(time.time()))
    room.subscribe(record.take)
    return record


def class_desk(
    orders: Orders, record: Record, listener: socket.socket, complain: Complain
) -> tuple[WebServer, str]:
    """The teacher's desk, and the path of its address."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    site = PoolSite([Desk(token, orders, record)], Reach((), lan=False), complain)
    return WebServer(site, listener), f"/{token}/"


def board_site(screen: Screen, listener: socket.socket, complain: Complain) -> WebServer:
    """A board alone, such as that of a replay."""
    return site_of([screen, Home()], listener, complain)


def site_of(parts: list[Part], listener: socket.socket, complain: Complain) -> WebServer:
    host = socket.gethostname()
    reach = Reach((host, f"{host}.local", *addresses()), not bound(listener).is_loopback)
    return WebServer(PoolSite(parts, reach, complain), listener)
