"""`miner node`: the built-in regtest node alone, for other miners and bitcoin-cli."""

import math
import shlex
import signal
import threading
from pathlib import Path

import click

from miner.bitcoin.address import p2wsh_address
from miner.node.service import Node

FIRST_PORT = 18443  # regtest's, where every client looks first
PORT_ATTEMPTS = 20
ANYONE = p2wsh_address(b"\x51", "regtest")  # OP_TRUE: whoever wants may spend these coins
MAX_INTERVAL_S = 20.0  # a client waits so long for its template; its own time-out is 30 s or more


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Default: 18443, or the next free.")
@click.option(
    "--datadir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the chain there; default: a temporary folder.",
)
@click.option("--fresh", is_flag=True, help="Start the chain in --datadir over.")
@click.option(
    "--block-interval",
    type=click.FloatRange(0, MAX_INTERVAL_S),
    default=1.0,
    show_default=True,
    metavar="S",
    help="Hold new work back until the tip is S seconds old.",
)
def node(port: int | None, datadir: Path | None, fresh: bool, block_interval: float) -> None:
    """Run a regtest node on Bitcoin Core's own consensus code, on 127.0.0.1 alone."""
    if math.isnan(block_interval):  # click finds it in every range
        raise click.UsageError("--block-interval nan: want a number of seconds")
    if fresh and datadir is None:
        raise click.UsageError("--fresh starts the chain in --datadir over: name the folder")
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    with Node.start(
        datadir,
        FIRST_PORT if port is None else port,
        port_attempts=PORT_ATTEMPTS if port is None else 1,
        fresh=fresh,
        block_interval_s=block_interval,
    ) as running:
        announce(running)
        while not (asked.is_set() or running.stop_asked.is_set()):
            asked.wait(0.1)  # short, since a wait cannot be interrupted everywhere
        click.echo(f"node stopped at height {running.height}", err=True)


def announce(running: Node) -> None:
    """Where it is and how to talk to it."""
    cookie = shlex.quote(str(running.cookie_file))
    where = running.datadir or "a temporary folder, removed at the end"
    click.echo(f"regtest node at {running.url}, height {running.height}, chain in {where}")
    click.echo(f"miner mine --node {running.url} --cookie {cookie} --address {ANYONE}")
    click.echo(
        f"bitcoin-cli -regtest -rpcconnect=127.0.0.1 -rpcport={running.port} "
        f"-rpccookiefile={cookie} getblockchaininfo"
    )
