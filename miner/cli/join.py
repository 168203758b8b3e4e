"""`miner join`: `miner mine` for a class: the teacher's computer and a name are all it needs."""

import re

import click

from miner import files, paths
from miner.cli.mine import mine
from miner.errors import ConfigError

PORT = 3333
FILE = "class-name"  # in the state folder: the name is asked for once
MOST_BYTES = 400
PLACE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z_.-]+)(?::([0-9]{1,5}))?")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("host", metavar="HOST[:PORT]")
@click.option("--user", "-u", "--name", "name", metavar="NAME", help="Your name in the class.")
@click.argument("rest", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF miner mine]")
def join(host: str, name: str | None, rest: tuple[str, ...]) -> None:
    """Mine with others on the teacher's computer HOST.

    The same as miner mine --pool stratum+tcp://HOST:3333 --user NAME, with all its options, such
    as --threads 2, --throttle 50 or --web. The name is asked for once, and remembered.
    """
    url = url_of(host)
    arguments = ["--pool", url, "--user", name or remembered() or asked(), *rest]
    mine.main(arguments, prog_name="miner join", standalone_mode=False)


def url_of(host: str) -> str:
    """Raises ConfigError."""
    match = PLACE.fullmatch(host.removeprefix("stratum+tcp://").rstrip("/"))
    if match is None or int(match[2] or PORT) not in range(1, 65536):
        raise ConfigError(f"HOST {host!r} is not a computer such as 192.168.1.5 or teacher:3333")
    return f"stratum+tcp://{match[1]}:{match[2] or PORT}"


def remembered() -> str:
    """The name of the last time; empty when there is none."""
    try:
        name = files.read(paths.state_dir() / FILE, MOST_BYTES).decode().strip()
    except (OSError, UnicodeDecodeError):
        return ""
    if not (name and name.isprintable()):
        return ""
    click.echo(f"you are {name}, as last time; for another name give --user NAME", err=True)
    return name


def asked() -> str:
    """Ask, and remember the answer. Raises ConfigError when the input ends before a name came."""
    try:
        name = str(click.prompt("Your name in the class", err=True)).strip()
    except click.Abort:
        raise ConfigError("no name came; without a terminal give it by --user NAME") from None
    if not name.isprintable() or len(name.encode()) > MOST_BYTES // 2:
        raise ConfigError(f"name {name[:40]!r}: want a short text of printable characters")
    try:
        files.replace(paths.state_dir() / FILE, f"{name}\n".encode())
    except OSError as error:
        click.echo(f"the name cannot be remembered: {error.strerror}", err=True)
    return name
