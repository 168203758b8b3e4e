"""`miner class`: a room of people mines one private chain; this is the teacher's side."""

import socket
from contextlib import ExitStack
from pathlib import Path

import click

from miner import paths
from miner.cli.another_python import go_on_with_node
from miner.cli.listening import need_packages
from miner.cli.serving import EVERYWHERE, Serving, reachable, say
from miner.errors import ConfigError
from miner.pool.values import CHAIN_WORDS
from miner.views.listeners import Service

MINERS_PORT, WEB_PORT, DESK_PORT = "3333", "8080", "8081"
EASY_HASHES = 2**26  # a block, on average: 7 s at 10 MH/s
MOST_HASHES = 2**32
FAIR_USE = (
    "mining makes laptops warm and drains batteries: miner join HOST --throttle 50 halves both; "
    "whether a school's computers may is for the school to say"
)


@click.command("class")
@click.option("--easy", is_flag=True, help="For rooms below 20 MH/s together: regtest's rules.")
@click.option(
    "--block-hashes",
    type=click.IntRange(16, MOST_HASHES),
    metavar="N",
    help=f"With --easy: hashes a block, on average; default: {EASY_HASHES:,}.",
)
@click.option(
    "--datadir",
    type=click.Path(path_type=Path, file_okay=False),
    help="The class's folder; a class that was broken off goes on from its last block.",
)
@click.option("--fresh", is_flag=True, help="Start the chain in that folder over.")
@click.option(
    "--port", default=MINERS_PORT, show_default=True, metavar="[HOST:]PORT", help="Miners."
)
@click.option("--web", metavar="[HOST:]PORT",
              help=f"Phones, browsers and the board; default: {WEB_PORT}.")  # fmt: skip
@click.option("--desk", default=DESK_PORT, show_default=True, metavar="PORT",
              help="The teacher's desk, on this computer alone.")  # fmt: skip
def class_(
    easy: bool,
    block_hashes: int | None,
    datadir: Path | None,
    fresh: bool,
    port: str,
    web: str | None,
    desk: str,
) -> None:
    """Mine together: node, Stratum server and board for a room of people.

    The chain is private and its coins exist only here. Students join with miner join HOST, with
    any Stratum miner, or with a browser.
    """
    if block_hashes is not None and not easy:
        raise click.UsageError("--block-hashes belongs to --easy: the chain has a difficulty")
    go_on_with_node()
    serving = Serving()
    miners = serving.bind("--port", port, EVERYWHERE)
    pages = bind_pages(serving, web)
    folder = datadir or paths.state_dir() / "class" / ("easy" if easy else "testnet4")
    hashes = (block_hashes or EASY_HASHES) if easy else None
    with ExitStack() as stack:
        from miner.pool.opening import open_class  # the kernel's library costs memory

        opened = open_class(folder, hashes, fresh, say, stack)
        where, warning = reachable(miners)
        say(f"{CHAIN_WORDS}: {opened.about}, in {folder}")
        say(f"students: miner join {where.removesuffix(':3333')}; {warning}")
        services: list[Service] = []
        if pages is not None:
            from miner.pool.pages import site_of  # its libraries are an extra

            services.append(site_of(opened.service.room, pages, say))
            say(f"phones: http://{reachable(pages)[0]}/")
        say(FAIR_USE)
        serving.run(opened.service, miners, services)


def bind_pages(serving: Serving, web: str | None) -> socket.socket | None:
    """The pages' socket; None without their packages, which is said. Raises ConfigError when they
    were asked for."""
    try:
        need_packages()
    except ConfigError as error:
        if web is not None:
            raise
        say(f"no pages, so no phones: {str(error).removeprefix('--web: ')}")
        return None
    return serving.bind("--web", web or WEB_PORT, EVERYWHERE)
