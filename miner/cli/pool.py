"""`miner pool`: the class's server on a node of one's own, for a home with several miners."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from miner.cli.another_python import go_on_with_node
from miner.cli.class_pages import WEB_PORT, BoardAlone
from miner.cli.mine import add_asked_password, hide_passwords
from miner.cli.options import RUN, SOURCE, options, some_of
from miner.cli.serving import EVERYWHERE, Serving, reachable, say
from miner.run import config as settings

OF_NODE = "node user password pass_file ask_password cookie address tag long_poll tls_ca tls_pin \
tls_insecure"
LARGER = (
    "at most 64 miners; for more, ckpool, public-pool and datum are made, and run on the same node"
)


@click.command()
@options(some_of(SOURCE, OF_NODE), some_of(RUN, "datadir fresh config"))
@click.option("--port", default="3333", show_default=True, metavar="[HOST:]PORT", help="Miners.")
@click.option("--web", is_flag=False, flag_value=WEB_PORT, metavar="[HOST:]PORT",
              help=f"Show a board in the browser; alone: 127.0.0.1:{WEB_PORT}.")  # fmt: skip
def pool(config: str | None, ask_password: bool, port: str, web: str | None, **flags: Any) -> None:
    """A Stratum server on your own node: several miners, one address is paid.

    Without --node an own regtest node is started. Any Stratum miner joins unchanged; the whole
    reward of a block goes to --address, whoever found it.
    """
    hide_passwords({**flags, "pool": (), "userpass": (), "check_node": None})
    if ask_password:
        add_asked_password(flags)
    checked = settings.load(flags, os.environ, None if config is None else Path(config))
    if not checked.nodes:
        go_on_with_node()
    serving = Serving()
    miners = serving.bind("--port", port, EVERYWHERE)
    board = None if web is None else BoardAlone(serving, web)
    with ExitStack() as stack:
        from miner.pool.opening import open_pool  # the kernel's library costs memory

        opened = open_pool(checked, say, stack)
        where, warning = reachable(miners)
        say(f"pool {opened.about}")
        say(f"miners: stratum+tcp://{where}, any user name and password; {warning}")
        say(LARGER)
        services = (
            [] if board is None else [board.service(opened.service, f"stratum+tcp://{where}")]
        )
        serving.run(opened.service, miners, services)
