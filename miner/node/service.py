"""The node as the rest of homehash sees it: start it, read its address, stop it."""

import contextlib
import logging
import threading
import time
from pathlib import Path

from miner import limits
from miner.errors import NodeError
from miner.node.chain import Chainstate, why_unavailable
from miner.node.folder import COOKIE, NodeFolder
from miner.node.judge import ProposalJudge
from miner.node.local import LocalChain
from miner.node.lookups import LookupMethods
from miner.node.methods import Methods
from miner.node.mining import MiningMethods
from miner.node.rpc import RpcServer, listen
from miner.node.rules import REGTEST, ChainRules
from miner.node.state import NodeState
from miner.node.template import TemplateMaker

__all__ = ["Node", "why_unavailable"]
log = logging.getLogger(__name__)


class Node:
    """A running node in this process. Make it with Node.start, end it with stop()."""

    def __init__(self, folder: NodeFolder, state: NodeState) -> None:
        self._folder, self._state = folder, state
        self._judge = ProposalJudge(state, folder.path) if state.rules.proposals else None
        self._templates = TemplateMaker(state, self._judge)
        self.chain = LocalChain(state, self._templates)  # for code in this process
        self._server: RpcServer | None = None
        self._stopping = threading.Lock()
        self.stop_asked = threading.Event()  # set by the RPC method `stop`, and by stop()
        self.port = 0

    @classmethod
    def start(
        cls,
        datadir: Path | None = None,
        port: int | None = None,
        *,
        rules: ChainRules = REGTEST,
        port_attempts: int = 1,
        fresh: bool = False,
        block_interval_s: float = 0.0,
    ) -> "Node":
        """Open the chain and answer RPC on 127.0.0.1.

        `datadir` None: a temporary folder, removed at stop. `port` None: any free one; else that
        one, or the first free of `port_attempts` from it on. `fresh`: start the chain over.
        `block_interval_s`: work on a new tip is held back until the tip is that old.

        Raises NodeError: no kernel wheel, folder not ours, in use or of another chain, port taken.
        """
        limits.require(limits.NODE_MIB, "the built-in node")
        folder = NodeFolder(datadir, rules.name, fresh=fresh)
        started = time.monotonic()
        if folder.lagging:
            log.warning("chain in %s was not closed in order: reading its blocks", folder.path)
        try:
            chain = Chainstate(
                folder.path, rules.kernel, in_memory=folder.temporary, rebuild=folder.lagging
            )
        except NodeError:
            folder.close(clean=not folder.lagging)
            raise
        with contextlib.ExitStack() as undo:
            undo.callback(folder.close, clean=True)
            undo.callback(chain.close)
            state = cls._read(chain, rules, folder.path)
            node = cls(folder, state)
            node._serve(port, port_attempts, block_interval_s)
            undo.pop_all()
        log.info("node at height %d after %.2f s", state.tip.height, time.monotonic() - started)
        return node

    @staticmethod
    def _read(chain: Chainstate, rules: ChainRules, path: Path) -> NodeState:
        try:
            return NodeState(chain, rules)
        except (RuntimeError, ValueError) as error:  # the kernel looks at a few blocks alone
            raise NodeError(
                f"node folder {path}: a stored block is damaged ({' '.join(str(error).split())}); "
                "start it over with --fresh, or give another --datadir"
            ) from error

    def _serve(self, port: int | None, attempts: int, block_interval_s: float) -> None:
        cookie = self._folder.write_cookie()
        try:
            listener = listen(0 if port is None else port, attempts)
        except OSError as error:
            raise NodeError(
                f"port {port} cannot be used: {error.strerror or error}; give another --port"
            ) from error
        self.port = listener.getsockname()[1]
        mining = MiningMethods(self._state, self._judge, self._templates, block_interval_s)
        methods = Methods(mining, LookupMethods(self._state), self._stop_soon)
        self._server = RpcServer(listener, cookie, methods.call)
        self._server.start()
        if self._judge is not None:
            self._judge.start()

    @property
    def url(self) -> str:
        """For --node."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def cookie_file(self) -> Path:
        """For --cookie and -rpccookiefile."""
        return self._folder.path / COOKIE

    @property
    def datadir(self) -> Path | None:
        """None when temporary."""
        return None if self._folder.temporary else self._folder.path

    @property
    def rules(self) -> ChainRules:
        return self._state.rules

    @property
    def height(self) -> int:
        return self._state.tip.height

    def stop(self) -> None:
        """Answer what is under way, close every connection, save the chain; once, any thread."""
        with self._stopping:
            if self._server is None:
                return
            self.stop_asked.set()
            self._server.stop(self._wake)
            self._server = None
            if self._judge is not None:
                self._judge.close()
            self._state.chain.close()
            self._folder.close(clean=True)

    def _stop_soon(self) -> None:
        """For the RPC method: from a thread of its own, so that the answer still goes out."""
        self.stop_asked.set()
        threading.Thread(target=self.stop, name="node-stop").start()

    def _wake(self) -> None:
        with self._state.changed:
            self._state.changed.notify_all()

    def __enter__(self) -> "Node":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
