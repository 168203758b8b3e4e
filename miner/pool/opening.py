"""Opens what a room needs: the node, the journal, the source of templates."""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

from miner import paths
from miner.bitcoin.address import decode
from miner.errors import ConfigError
from miner.journal import Journal
from miner.node.local import LocalChain
from miner.node.rules import REGTEST, STAYS_AT_1, TESTNET4
from miner.node.service import Node
from miner.pool.past import past_blocks
from miner.pool.service import PoolService
from miner.pool.values import RoomRules
from miner.pool.work import POOL_NAME, script_of
from miner.run.config import MineConfig
from miner.run.wiring import node_setups, payout_of
from miner.sources.node.setup import NodeSetup
from miner.sources.node.source import NodeSource
from miner.transport.credentials import CookieFile
from miner.transport.endpoint import parse_node_url
from miner.transport.rpc import Rpc

Tell = Callable[[str], None]
EASY = (
    "regtest's rules with a class target of {:,} hashes a block; miners other than homehash show \
the chain's own difficulty, which is far lower"
)


class Opened(NamedTuple):
    """A room ready to be served."""

    service: PoolService
    about: str  # its chain, in words
    chain: LocalChain | None = None  # of the built-in node, for code in this process


def open_class(
    folder: Path, block_hashes: int | None, fresh: bool, tell: Tell, stack: ExitStack
) -> Opened:
    """The class of a folder: a new one, or the one that was broken off there.

    `block_hashes`: of the class target on regtest's rules. Raises MinerError: the folder is in use,
    damaged or not ours.
    """
    chain = TESTNET4 if block_hashes is None else REGTEST
    node = Node.start(folder / "chain", rules=chain, fresh=fresh)
    stack.callback(node.stop)
    if fresh:
        forget(folder / "journal")
    target = None if block_hashes is None else 2**256 // block_hashes - 1
    rules = RoomRules(chain.name, class_target=target)
    source = NodeSource([own_setup(node)], script_of(POOL_NAME), tag=rules.tag)
    journal = open_journal(folder / "journal", f"class {folder.resolve()}")
    stack.callback(journal.close)
    service = PoolService(source, journal, rules, tell, chain=node.chain)
    rpc = Rpc(own_setup(node).endpoint, CookieFile(node.cookie_file))
    service.room.restore(past_blocks(rpc))
    rpc.close()
    about = STAYS_AT_1 if block_hashes is None else EASY.format(block_hashes)
    height = f"goes on after block {node.height}" if node.height else "no block yet"
    return Opened(service, f"{about}; {height}", node.chain)


def open_pool(config: MineConfig, tell: Tell, stack: ExitStack) -> Opened:
    """The same on nodes of the user's own, which pay one address. Raises MinerError."""
    payout = payout_of(config)
    if payout is None:
        raise ConfigError("--address is missing: where the reward of a found block goes")
    if config.nodes:
        setups = node_setups(config)
        folder = paths.state_dir() / "journal"
        about = f"on {', '.join(str(one.endpoint) for one in setups)}"
    else:
        node = Node.start(config.datadir, fresh=config.fresh)
        stack.callback(node.stop)
        setups = [own_setup(node)]
        folder = (config.datadir or Path(node.cookie_file).parent) / "journal"
        about = f"on an own regtest node at {node.url}, a private chain"
    source = NodeSource(setups, payout, tag=config.tag.encode())
    words = f"each block pays {payout}, whoever finds it"
    address = decode(payout)
    rules = RoomRules(" or ".join(address.chains), words, address.script, tag=config.tag.encode())
    journal = open_journal(folder, source.name)
    stack.callback(journal.close)
    return Opened(PoolService(source, journal, rules, tell), f"{about}; {words}")


def own_setup(node: Node) -> NodeSetup:
    """How the built-in node is reached."""
    endpoint = parse_node_url(node.url, node.port).endpoint
    return NodeSetup(endpoint, CookieFile(node.cookie_file), long_poll=True)


def forget(folder: Path) -> None:
    """The blocks that wait there are of a chain that is no more. Another's files stay."""
    for path in folder.glob("*.journal"):
        with suppress(OSError):
            path.unlink()


def open_journal(folder: Path, key: str) -> Journal:
    """A journal of this run, with what earlier ones left beside it. Raises JournalError."""
    journal = Journal.open_own(folder, key)
    journal.earlier.read(folder)
    return journal
