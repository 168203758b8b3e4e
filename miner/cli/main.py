"""The `miner` command: finds a subcommand's file, runs it, turns our errors into one line."""

import errno
import importlib
import sys
from contextlib import suppress
from keyword import iskeyword

import click

from miner import __version__
from miner.errors import MinerError
from miner.streams import let_go
from miner.text import scrub

# One file each, imported only when used, so that `miner --help` and errors stay quick.
COMMANDS = {
    "mine": ("miner.cli.mine", "Mine: on a pool, on your node, or on the built-in regtest node."),
    "node": ("miner.cli.node", "Run the built-in node alone: regtest, or a private testnet4."),
    "class": ("miner.cli.class_", "Mine together in a room, on one private chain: the teacher."),
    "join": ("miner.cli.join", "Join a class, or any homehash pool: the students."),
    "pool": ("miner.cli.pool", "A Stratum server on your own node, for several miners."),
    "board": ("miner.cli.board", "Many miners of many kinds in one table and on one page."),
    "devices": ("miner.cli.devices", "List every hashing backend and why it can or cannot run."),
    "doctor": ("miner.cli.doctor", "Check install, devices, node and pool; each with a remedy."),
    "bench": ("miner.cli.bench", "Measure hashrate and energy of this computer, with intervals."),
    "gap": ("miner.cli.gap", "How far this computer is from an ASIC, in your own numbers."),
    "hardware": ("miner.cli.hardware", "Mining machines of 2009 to today, dated and sourced."),
    "learn": ("miner.cli.learn", "Lessons: proof of work explained with real data."),
    "tune": ("miner.cli.tune", "Find the fastest kernel shape of each GPU."),
    "explain": ("miner.cli.explain", "Explain a word the miner prints."),
    "grind": ("miner.cli.grind", "Find the nonce of one 80-byte header given in hex."),
}

INTERRUPTED = 130
NOT_TAKEN = (errno.ENOSPC, errno.EIO, errno.EFBIG)  # by whatever stdout leads to
NO_THREAD = "can't start new thread"  # Python's own words; the error has no class of its own
MOST_CHARS = 2000  # of an error: a compiler's log is the longest


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        function = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command = getattr(importlib.import_module(COMMANDS[cmd_name][0]), function)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(
    __version__, "-V", "--version", prog_name="homehash", allow_from_autoenv=False
)
def cli() -> None:
    """homehash: mine, measure and learn SHA-256 proof of work on your own computer."""


def main() -> None:
    """Entry point. Whatever ends a command early is one line; exit codes: see miner.errors."""
    try:
        code = cli.main(prog_name="miner", auto_envvar_prefix="MINER", standalone_mode=False)
    except click.ClickException as error:
        code = refuse(error)
    except MinerError as error:
        complain(f"miner: {scrub(error, MOST_CHARS)}")
        code = error.exit_code
    except click.Abort:  # before RuntimeError, of which it is one
        code = INTERRUPTED if sys.argv[1:2] not in (["mine"], ["node"]) else 0
    except OSError as error:
        why = let_go()
        if not why and (error.filename or error.errno not in NOT_TAKEN):
            raise
        complain(f"miner: the output cannot be written: {why or error.strerror}")
        code = 1
    except (RuntimeError, MemoryError) as error:
        if not (isinstance(error, MemoryError) or NO_THREAD in str(error)):
            raise
        complain(f"miner: {str(error) or 'out of memory'}: raise the limits on threads and memory")
        code = 1
    let_go()
    sys.exit(code if isinstance(code, int) else 0)


def complain(text: str) -> None:
    """One line on stderr, if it can be written; the exit code speaks anyway."""
    with suppress(OSError):
        click.echo(text, err=True)


def refuse(error: click.ClickException) -> int:
    """One line instead of click's four: what is wrong, and where the options are explained."""
    if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):
        error.show()  # the bare `miner`: its help
        return error.exit_code
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "miner"
    cause = " ".join(error.format_message().split()).rstrip(".")
    complain(f"{command}: {cause}; see {command} --help")
    return error.exit_code
