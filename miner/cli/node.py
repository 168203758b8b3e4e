"""`miner node`: the built-in node alone, for other miners and bitcoin-cli."""

import math
import shlex
import signal
import threading
from pathlib import Path

import click

from miner.bitcoin.address import p2wsh_address
from miner.node.rules import CHAINS, REGTEST, TESTNET4
from miner.node.service import Node

PORT_ATTEMPTS = 20
OP_TRUE = b"\x51"  # its address: whoever wants may spend these coins
MAX_INTERVAL_S = 20.0  # a client waits so long for its template; its own time-out is 30 s or more


@click.command()
@click.option(
    "--chain",
    type=click.Choice(list(CHAINS)),
    default=REGTEST.name,
    show_default=True,
    help="testnet4: a private chain under its rules, without peers, at difficulty 1 as in 2009.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help=f"Default: {REGTEST.rpc_port}, on testnet4 {TESTNET4.rpc_port}, or the next free.",
)
@click.option(
    "--datadir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the chain there; default: a temporary folder.",
)
@click.option("--fresh", is_flag=True, help="Start the chain in --datadir over.")
@click.option(
    "--block-interval",
    type=click.FloatRange(0, MAX_INTERVAL_S),
    metavar="S",
    help="Hold new work back until the tip is S seconds old. "
    f"Default: {REGTEST.pace_s:g}, on testnet4 {TESTNET4.pace_s:g}.",
)
def node(
    chain: str, port: int | None, datadir: Path | None, fresh: bool, block_interval: float | None
) -> None:
    """Run a node on Bitcoin Core's own consensus code, on 127.0.0.1 alone.

    Its chain is private: regtest, where every second hash is a block, or one under testnet4's rules
    without peers, where a block takes 4.29e9 hashes. Its coins exist only there.
    """
    rules = CHAINS[chain]
    if block_interval is None:
        block_interval = rules.pace_s
    if math.isnan(block_interval):  # click finds it in every range
        raise click.UsageError("--block-interval nan: want a number of seconds")
    if fresh and datadir is None:
        raise click.UsageError("--fresh starts the chain in --datadir over: name the folder")
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    with Node.start(
        datadir,
        rules.rpc_port if port is None else port,
        rules=rules,
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
    chain = running.rules.name
    click.echo(f"{chain} node at {running.url}, height {running.height}, chain in {where}")
    click.echo(
        f"miner mine --node {running.url} --cookie {cookie} "
        f"--address {p2wsh_address(OP_TRUE, chain)}"
    )
    click.echo(
        f"bitcoin-cli -{chain} -rpcconnect=127.0.0.1 -rpcport={running.port} "
        f"-rpccookiefile={cookie} getblockchaininfo"
    )
    for warning in running.rules.warnings:
        click.echo(warning)
