"""`miner class`: a room of people mines one private chain; this is the teacher's side."""

from contextlib import ExitStack
from pathlib import Path

import click

from miner import paths
from miner.cli.another_python import go_on_with_node
from miner.cli.class_pages import DESK_PORT, WEB_PORT, Pages, print_plan
from miner.cli.class_pages import replay as show_again
from miner.cli.serving import EVERYWHERE, Serving, reachable, say
from miner.pool.values import CHAIN_WORDS

MINERS_PORT = "3333"
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
@click.option("--desk", metavar="PORT",
              help=f"The teacher's desk, here alone; default: {DESK_PORT}.")  # fmt: skip
@click.option("--plan", type=click.Choice(("en", "de")), is_flag=False, flag_value="en",
              help="Print the lesson plan of 45 minutes, and end.")  # fmt: skip
@click.option("--replay", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Show a session again that the desk kept, without the class.")  # fmt: skip
@click.option("--speed", type=click.FloatRange(0, 1000, min_open=True), default=1.0,
              show_default=True, metavar="N", help="Of the replay, times real time.")  # fmt: skip
def class_(  # the signature is the option list
    easy: bool,
    block_hashes: int | None,
    datadir: Path | None,
    fresh: bool,
    port: str,
    web: str | None,
    desk: str | None,
    plan: str | None,
    replay: Path | None,
    speed: float,
) -> None:
    """Mine together: node, Stratum server and board for a room of people.

    The chain is private and its coins exist only here. Students join with miner join HOST, with
    any Stratum miner, or with a browser.
    """
    if plan is not None:
        print_plan(plan)
        return
    if replay is not None:
        show_again(replay, speed, web)
        return
    if block_hashes is not None and not easy:
        raise click.UsageError("--block-hashes belongs to --easy: the chain has a difficulty")
    go_on_with_node()
    serving = Serving()
    miners = serving.bind("--port", port, EVERYWHERE)
    pages = Pages(serving, web, desk)
    folder = datadir or paths.state_dir() / "class" / ("easy" if easy else "testnet4")
    hashes = (block_hashes or EASY_HASHES) if easy else None
    with ExitStack() as stack:
        from miner.pool.opening import open_class  # the kernel's library costs memory

        opened = open_class(folder, hashes, fresh, say, stack)
        where, warning = reachable(miners)
        say(CHAIN_WORDS)
        say(f"{opened.about}, in {folder}")
        join = where.removesuffix(f":{MINERS_PORT}")
        say(f"students: miner join {join}")
        say(warning)
        services = pages.services(opened.service, f"miner join {join}", easy)
        say(FAIR_USE)
        stack.callback(pages.keep, folder)
        serving.run(opened.service, miners, services)
