"""Options that several commands share, and the customary aliases of other miners."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from miner.cli import print_files

Command = TypeVar("Command", bound=Callable[..., Any])

SOURCE = (
    click.option("--pool", "-o", "--url", "pool", multiple=True, metavar="URL",
                 help="Stratum pool, host:port or stratum+ssl://...; repeat for fail-over."),
    click.option("--node", multiple=True, metavar="URL",
                 help="Bitcoin node, http://host:port, repeat to send blocks to several; or "
                 "sv2-tp, stratum2+tcp://host:port/KEY, repeat for fail-over."),
    click.option("--check-node", metavar="URL",
                 help="Your node, to tell what became of blocks that a pool or sv2-tp took."),
    click.option("--user", "-u", multiple=True, metavar="NAME", help="Pool or node user."),
    click.option("--password", "--pass", "-p", "password", multiple=True, metavar="WORD",
                 help="Better: MINER_PASSWORD, --pass-file or --ask-password."),
    click.option("--userpass", "-O", multiple=True, metavar="USER:WORD", help="Both in one."),
    click.option("--pass-file", metavar="FILE", help="Password in the file's first line."),
    click.option("--ask-password", is_flag=True, help="Ask for the password."),
    click.option("--cookie", "--rpc-cookie-file", "cookie", metavar="FILE",
                 help="The node's .cookie file."),
    click.option("--address", "--coinbase-addr", "--btc-address", "--generate-to", "address",
                 metavar="A", help="Where solo rewards go."),
    click.option("--tag", "--coinbase-sig", "--btc-sig", "tag", metavar="TEXT",
                 help="Text in the coinbase of solo blocks."),
    click.option("--retries", "-r", metavar="N",
                 help="Give up (exit 6) after N failed tries; default: never."),
    click.option("--wait-min-diff", is_flag=True, default=None,
                 help="Test networks: hash in the 20-minute windows alone."),
    click.option("--long-poll", is_flag=True, default=None,
                 help="Long polls to the node; each keeps one of its -rpcthreads busy."),
    click.option("--version-rolling/--no-version-rolling", default=None,
                 help="Roll header version bits (BIP 320); default: yes."),
    click.option("--allow-redirect", multiple=True, metavar="HOST",
                 help="A host the pool may send us to."),
    click.option("--tls-ca", "--cert", "tls_ca", metavar="FILE", help="Authorities to trust."),
    click.option("--tls-pin", metavar="HEX", help="SHA-256 of the one certificate to trust."),
    click.option("--tls-insecure", is_flag=True, default=None, help="Trust any certificate."),
    click.option("--sv2-insecure", is_flag=True, default=None,
                 help="Take a Stratum v2 server without its key."),
    click.option("--device-name", metavar="NAME",
                 help="Name this computer to Stratum v2 pools; default: the worker of --user."),
)  # fmt: skip
BACKENDS = (
    click.option("--backend", multiple=True, metavar="B",
                 help="auto, python, hashlib, numpy, native[:isa[:shape]], "
                 "opencl[:platform:device]."),
    click.option("--threads", "-t", metavar="N", help="CPU threads; default: one a core."),
    click.option("--throttle", metavar="PERCENT", help="Share of the time spent hashing."),
    click.option("--idle/--no-idle", default=None,
                 help="Hash at idle priority, so that the desktop stays usable; default: yes."),
    click.option("--intensity", metavar="1..10",
                 help="GPUs: lower leaves a desktop more of its GPU; default: 8."),
)  # fmt: skip
RUN = (
    click.option("--blocks", metavar="N", help="Stop after N accepted blocks."),
    click.option("--block-interval", metavar="S",
                 help="Seconds between two blocks; own node: 1, else 0."),
    click.option("--stop-after", multiple=True, metavar="GOAL", help="60s, 5shares or 5blocks."),
    click.option("--datadir", metavar="DIR", help="Keep the own node's chain there."),
    click.option("--fresh", is_flag=True, default=None, help="Start that chain over."),
    click.option("--journal", metavar="FILE", help="Keep found blocks in this file."),
    click.option("--web", is_flag=False, flag_value="8080", metavar="[HOST:]PORT",
                 help="Show a page in the browser; alone: http://127.0.0.1:8080."),
    click.option("--web-name", multiple=True, metavar="NAME",
                 help="A further host name the page answers to."),
    click.option("--web-full-address", is_flag=True, default=None,
                 help="Show payout addresses whole, on the page and in its APIs."),
    click.option("--cgminer-api", is_flag=False, flag_value="4028", metavar="[HOST:]PORT",
                 help="Answer cgminer's API, read-only; alone: 127.0.0.1:4028."),
    click.option("--print-grafana", is_flag=True, is_eager=True, expose_value=False,
                 callback=print_files.grafana, help="Print a Grafana dashboard, and end."),
    click.option("--print-homeassistant", is_flag=True, is_eager=True, expose_value=False,
                 callback=print_files.homeassistant,
                 help="Print sensors for Home Assistant, and end."),
    click.option("--on-event", metavar="COMMAND",
                 help="Run it for each block, best share and alarm, told in JSON on its stdin."),
    click.option("--decode", is_flag=True, default=None, help="Show what the coinbase pays."),
    click.option("--json", is_flag=True, default=None, help="One JSON object a line."),
    click.option("--config", "-c", metavar="FILE", help="Settings; default: config.toml."),
    click.option("--algo", "-a", metavar="sha256d", help="Accepted for other miners' scripts."),
)  # fmt: skip


def options(*groups: tuple[Callable[[Any], Any], ...]) -> Callable[[Command], Command]:
    """All options of the groups, in their order in `--help`."""

    def decorate(command: Command) -> Command:
        for group in reversed(groups):
            for option in reversed(group):
                command = option(command)
        return command

    return decorate


def some_of(
    group: tuple[Callable[[Any], Any], ...], names: str
) -> tuple[Callable[[Any], Any], ...]:
    """The options of a group with these names, for a command that needs no others."""

    def name_of(option: Callable[[Any], Any]) -> str:
        def probe() -> None:
            """Takes one option, which tells its name."""

        return str(option(probe).__click_params__[0].name)

    return tuple(option for option in group if name_of(option) in names.split())
