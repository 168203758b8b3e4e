"""ckpool's log folder: `pool/pool.status` and `users/ADDRESS`; rates as "1.23M", in H/s.

Its "shares" and "accepted" are sums of difficulty, not counts: no count is shown.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

from miner import files
from miner.board.place import Place
from miner.board.row import Reading, Seen
from miner.board.values import number, rows, words
from miner.errors import ConnectFailed, RemoteProtocolError

MOST_BYTES, MOST_USERS = 1 << 20, 64
SILENT_S = 600.0  # a worker without a share for so long does not mine


async def ask(place: Place) -> list[Reading]:
    """Raises ConnectFailed when the folder is not ckpool's, RemoteProtocolError for its content."""
    return await asyncio.to_thread(read_folder, Path(place.path))


def read_folder(folder: Path) -> list[Reading]:
    """The workers of every user. The clock is the pool's own: when it wrote its status last."""
    status = merged(content(folder / "pool" / "pool.status"))
    updated_s = number(status, "lastupdate")
    found = []
    try:
        users = sorted(path for path in (folder / "users").iterdir() if path.is_file())
    except OSError:
        users = []  # nobody came yet
    for path in users[:MOST_USERS]:
        try:
            user = json.loads(content(path))
        except (ValueError, RecursionError, ConnectFailed):
            continue  # it is being written
        found += [worker(row, path.name, updated_s) for row in rows(user, "worker")]
    return found


def content(path: Path) -> bytes:
    try:
        return files.read(path, MOST_BYTES)
    except OSError as error:
        raise ConnectFailed(f"{path.name}: {error.strerror}") from None


def merged(lines: bytes) -> dict[str, Any]:
    """The objects of all lines as one. Raises RemoteProtocolError."""
    tree: dict[str, Any] = {}
    try:
        for line in lines.splitlines():
            tree |= json.loads(line)
    except (ValueError, TypeError, RecursionError):
        raise RemoteProtocolError("pool.status is not ckpool's") from None
    return tree


def worker(row: Any, address: str, updated_s: float | None) -> Reading:
    last_s = number(row, "lastshare") or None
    silent = last_s is not None and updated_s is not None and updated_s - last_s > SILENT_S
    name = words(row, "workername") or address
    return Reading(
        name=name.removeprefix(address).lstrip("._") or short(address),
        model=words(row, "useragent"),
        rate_1min_hs=number(row, "hashrate1m"),
        rate_1h_hs=number(row, "hashrate1hr"),
        best_session=number(row, "bestshare"),
        best_ever=number(row, "bestever"),
        pool="ckpool",
        mining=False if silent else None,
        last_share_s=last_s,
        seen=Seen.POOL,
    )


def short(address: str) -> str:
    return address if len(address) <= 16 else f"{address[:6]}…{address[-4:]}"
