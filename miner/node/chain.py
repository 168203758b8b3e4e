"""Bitcoin Core's consensus code (libbitcoinkernel) as one chainstate: blocks in, verdicts out.

The only module that touches the binding, and it imports it when a chainstate is opened. Observed in
0.1.0a5 and relied on: `process_block` returning True means stored, not valid; the verdict is the
`block_checked` event of that hash, coarse in nine kinds; the BIP 22 word stands in the error lines
logged during the call. Log, events and signature cache serve the whole process, so one lock covers
every kernel call of every chainstate.
"""

import contextlib
import ctypes
import importlib.util
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from miner.errors import NodeError

KERNEL_LOCK = threading.RLock()
CONNECT_FAILED = re.compile(r"ConnectBlock ([0-9a-f]{64}) failed, ([^,\n]+)")
ACCEPT_FAILED = re.compile(r"AcceptBlock FAILED \(([^,\n]+?)(?:, .*)?\)\s*$")
WORD = re.compile(r"[\w.() /-]{1,120}")
COARSE_WORDS = {  # when no line names the reason; BIP 22 says "rejected" for anything else
    "CACHED_INVALID": "duplicate-invalid",
    "MISSING_PREV": "prev-blk-not-found",
    "INVALID_PREV": "bad-prevblk",
    "TIME_FUTURE": "time-too-new",
}
OPEN_FREE = 64 * 1024 * 1024  # bytes: the kernel wants 50 MiB and takes 17 for its first files
WRITE_FREE = 32 * 1024 * 1024  # its files grow by 16 MiB at a time
MISSING = (
    "the built-in node needs py-bitcoinkernel (Bitcoin Core's consensus code), which has wheels "
    "for CPython 3.11 to 3.13: use one of these, or mine on your own bitcoind with --node URL"
)


def why_unavailable() -> str | None:
    """Why no chain can be opened here, or None; does not load the kernel."""
    return None if importlib.util.find_spec("pbk") else MISSING


class Undecodable(Exception):
    """The bytes are not a block."""


class KernelFailed(Exception):
    """The kernel gave no verdict: its disk or databases failed."""


@dataclass(frozen=True, slots=True)
class Coin:
    """An unspent output."""

    amount: int  # satoshi
    script: bytes
    height: int
    coinbase: bool


@dataclass(slots=True)
class Outcome:
    """What one processed block did. Hashes are in internal order."""

    hash: bytes
    new: bool = False  # not known before, and stored
    verdicts: dict[bytes, str] = field(default_factory=dict)  # "" valid, else the BIP 22 word
    moves: list[tuple[bool, int, bytes]] = field(default_factory=list)  # connected?, height, hash
    failure: str = ""  # the kernel's disk or databases failed in between: there is no verdict

    @property
    def word(self) -> str:
        """What submitblock answers; "" for an accepted block (BIP 22). Raises KernelFailed."""
        if self.failure:
            raise KernelFailed(self.failure)
        if self.hash in self.verdicts:
            return self.verdicts[self.hash]
        return "inconclusive" if self.new else "duplicate"


class _Log:
    """The kernel's log lines of the call that holds the lock."""

    def __init__(self, pbk: Any) -> None:
        self.lines: list[str] = []
        options = pbk.LoggingOptions(log_timestamps=False, always_print_category_levels=True)
        pbk.logging_set_options(options)
        self._connection = pbk.LoggingConnection(self._add)

    def _add(self, line: str) -> None:
        if line.startswith("[all:error]"):  # the rest is news of every block
            self.lines.append(line)
            del self.lines[:-100]

    def take(self) -> list[str]:
        taken, self.lines = self.lines, []
        return taken


class _Kernel:
    """The imported binding and its one log connection, made at first use and kept."""

    pbk: Any = None
    log: _Log

    @classmethod
    def load(cls) -> Any:
        if cls.pbk is None:
            try:
                pbk = importlib.import_module("pbk")
            except (ImportError, OSError) as error:
                raise NodeError(f"{MISSING} ({error})") from error
            cls.log = _Log(pbk)
            cls.pbk = pbk
        return cls.pbk


class Chainstate:
    """One chainstate in `folder`. Raises NodeError when it cannot be opened."""

    def __init__(self, folder: Path, kind: str, *, in_memory: bool, rebuild: bool = False) -> None:
        """`kind`: the kernel's chain type; `in_memory`: databases vanish at close; `rebuild`: make
        them anew from block files."""
        self._folder, self._kind = folder, kind
        if (free := shutil.disk_usage(folder).free) < OPEN_FREE:
            raise NodeError(
                f"node folder {folder}: {free >> 20} MiB free, the chain needs {OPEN_FREE >> 20}: "
                "free some, or give --datadir on another disk"
            )
        with KERNEL_LOCK:
            self._pbk = _Kernel.load()
            self._checked: list[tuple[bytes, str, str]] = []
            self._moved: list[tuple[bool, int, bytes]] = []
            try:
                self._opened: Any = self._open(folder, in_memory, rebuild)
            except RuntimeError as error:
                reason = _last_error() or str(error)
                raise NodeError(
                    f"node folder {folder}: the kernel cannot open the chain: {reason}; "
                    "start it over with --fresh, or give another --datadir"
                ) from error

    def _open(self, folder: Path, in_memory: bool, rebuild: bool) -> Any:
        pbk = self._pbk
        self._callbacks = pbk.ValidationInterfaceCallbacks(
            block_checked=self._on_checked,
            block_connected=lambda _, block, entry: self._on_moved(True, entry),
            block_disconnected=lambda _, block, entry: self._on_moved(False, entry),
        )
        context = pbk.make_context(pbk.ChainType[self._kind], self._callbacks)
        options = pbk.ChainstateManagerOptions(context, str(folder), str(folder / "blocks"))
        options.update_block_tree_db_in_memory(in_memory)
        options.update_chainstate_db_in_memory(in_memory)
        options.set_worker_threads_num(0)  # the cores are for hashing
        if rebuild:
            options.set_wipe_dbs(True, True)
        manager = pbk.ChainstateManager(options)
        if rebuild:
            manager.import_blocks([])
            self._checked.clear()
            self._moved.clear()
        return manager

    def close(self) -> None:
        """Flush to disk and free the memory; from now on every call raises KernelFailed."""
        with KERNEL_LOCK:
            manager, self._opened = self._manager, None
            manager.__exit__(None, None, None)
        _return_memory()

    @property
    def _manager(self) -> Any:
        """The kernel's own check of a freed one is a crash."""
        if self._opened is None:
            raise KernelFailed("the node is stopping")
        return self._opened

    @property
    def _chain(self) -> Any:
        return self._manager.get_active_chain()

    @property
    def height(self) -> int:
        with KERNEL_LOCK:
            return int(self._chain.height)

    def hash_at(self, height: int) -> bytes:
        with KERNEL_LOCK:
            return bytes(self._chain.block_tree_entries[height].block_hash)

    def known_height(self, block_hash: bytes) -> int | None:
        """The height of a block the kernel has heard of, valid or not."""
        with KERNEL_LOCK:
            key, entries = self._pbk.BlockHash(block_hash), self._manager.block_tree_entries
            return int(entries[key].height) if key in entries else None

    def read(self, block_hash: bytes) -> bytes | None:
        """A stored block as sent on the wire; None when only its header, or nothing, is known."""
        with KERNEL_LOCK:
            key, entries = self._pbk.BlockHash(block_hash), self._manager.block_tree_entries
            if key not in entries:
                return None
            try:
                return bytes(self._manager.blocks[entries[key]])
            except RuntimeError:
                _Kernel.log.take()
                return None

    def active_blocks(self) -> Iterator[bytes]:
        """Every block of the active chain from genesis on, read one at a time."""
        for height in range(self.height + 1):
            with KERNEL_LOCK:
                entry = self._chain.block_tree_entries[height]
                block = bytes(self._manager.blocks[entry])
            yield block

    def spent_coins(self, block_hash: bytes) -> list[list[Coin]]:
        """For each transaction but the coinbase, the outputs its inputs spent."""
        with KERNEL_LOCK:
            entry = self._manager.block_tree_entries[self._pbk.BlockHash(block_hash)]
            spent = self._manager.block_spent_outputs[entry]
            return [[_coin(coin) for coin in tx.coins] for tx in spent.transactions]

    def process(self, raw: bytes) -> Outcome:
        """Give the kernel a block. Raises Undecodable, KernelFailed (nothing was tried)."""
        with KERNEL_LOCK:
            return self._process(self._decode(raw))

    def take_from(self, other: "Chainstate", block_hash: bytes) -> Outcome:
        """Process a block that another chainstate has stored; cheaper than its bytes."""
        with KERNEL_LOCK:
            entry = other._manager.block_tree_entries[self._pbk.BlockHash(block_hash)]
            return self._process(other._manager.blocks[entry])

    def _process(self, block: Any) -> Outcome:
        with KERNEL_LOCK:
            manager = self._manager
            self._check_room()
            outcome = Outcome(bytes(block.block_hash))
            self._checked.clear()
            self._moved.clear()
            _Kernel.log.take()
            try:
                outcome.new = manager.process_block(block)
                failed = False
            except self._pbk.ProcessBlockException:
                failed = True
            words = _words(_Kernel.log.lines)
            for block_hash, mode, kind in self._checked:
                if mode == "INTERNAL_ERROR":
                    failed = True
                else:
                    valid = mode == "VALID"
                    outcome.verdicts[block_hash] = "" if valid else _word(block_hash, kind, words)
            outcome.moves = list(self._moved)
            if failed and outcome.hash not in outcome.verdicts:
                outcome.failure = _last_error() or "the kernel gave no verdict"
            return outcome

    def check(self, raw: bytes) -> bool:
        """Do the checks pass that need no chain and no work (CheckBlock)? Raises Undecodable."""
        with KERNEL_LOCK:
            params = self._pbk.ChainParameters(self._pbk.ChainType[self._kind])
            flags = self._pbk.BlockCheckFlags.MERKLE
            state = self._decode(raw).check(params.consensus_params, flags)
            return bool(state.validation_mode == self._pbk.ValidationMode.VALID)

    def bad_input(self, raw_tx: bytes, spent: list[Coin]) -> int | None:
        """The first input whose script fails under every consensus rule; None when all pass."""
        pbk = self._pbk
        with KERNEL_LOCK:
            tx = pbk.Transaction(raw_tx)
            scripts = [pbk.ScriptPubkey(coin.script) for coin in spent]
            outputs = [
                pbk.TransactionOutput(script, coin.amount)
                for script, coin in zip(scripts, spent, strict=True)
            ]
            known = importlib.import_module("pbk.script").PrecomputedTransactionData(tx, outputs)
            flags = pbk.ScriptVerificationFlags.ALL
            for position, (script, coin) in enumerate(zip(scripts, spent, strict=True)):
                if not script.verify(coin.amount, tx, known, position, flags):
                    return position
            return None

    def _check_room(self) -> None:
        """On a full disk the kernel ends the whole process, so it must not come to that."""
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError as error:
            raise KernelFailed(f"{self._folder}: {error.strerror}") from error
        if free < WRITE_FREE:
            raise KernelFailed(f"disk almost full: {free >> 20} MiB left in {self._folder}")

    def _decode(self, raw: bytes) -> Any:
        """The binding's own constructor copies byte by byte: half a second for 4 MB."""
        block = self._pbk.Block.__new__(self._pbk.Block)
        buffer = (ctypes.c_ubyte * len(raw)).from_buffer_copy(raw)
        try:
            self._pbk.Block.__base__.__init__(block, buffer, len(raw))
        except RuntimeError:
            raise Undecodable from None
        return block

    def _on_checked(self, _: object, block: Any, state: Any) -> None:
        """Inside validation: note what is only valid here, nothing more."""
        mode, kind = state.validation_mode.name, state.block_validation_result.name
        self._checked.append((bytes(block.block_hash), mode, kind))

    def _on_moved(self, connected: bool, entry: Any) -> None:
        self._moved.append((connected, entry.height, bytes(entry.block_hash)))


def _return_memory() -> None:
    """glibc keeps what the kernel's caches freed, 35 MB a chainstate, unless asked."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # other C libraries give it back
            ctypes.CDLL(None).malloc_trim(0)


def _coin(coin: Any) -> Coin:
    output = coin.output
    script = bytes(output.script_pubkey)
    return Coin(output.amount, script, coin.confirmation_height, coin.is_coinbase)


def _words(lines: list[str]) -> dict[bytes | None, str]:
    """BIP 22 words by block hash; None is the block that was handed in."""
    words: dict[bytes | None, str] = {}
    for line in lines:
        if found := CONNECT_FAILED.search(line):
            words[bytes.fromhex(found[1])[::-1]] = found[2]
        elif found := ACCEPT_FAILED.search(line):
            words[None] = found[1]
    return words


def _word(block_hash: bytes, kind: str, words: dict[bytes | None, str]) -> str:
    """The reason an invalid block is refused."""
    word = words.get(block_hash) or words.get(None, "")
    if kind == "CACHED_INVALID":  # its line names the first failure or none
        word = COARSE_WORDS[kind]
    return word if WORD.fullmatch(word) else COARSE_WORDS.get(kind, "rejected")


def _last_error() -> str:
    """The kernel's last error line without its prefix."""
    lines = _Kernel.log.lines
    return lines[-1].removeprefix("[all:error] ").strip()[:200] if lines else ""
