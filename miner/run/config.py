"""Settings of `miner mine`: flags over MINER_* environment over config.toml over defaults.

Every value is checked as `settings.py` says; then what they say together.
"""

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from miner import files, paths
from miner.engine.goal import Goal
from miner.errors import ConfigError
from miner.run.settings import SETTINGS, check
from miner.transport.endpoint import NodeAddress
from miner.transport.listening import ListenAddress
from miner.transport.named import check_kinds, check_node, sources
from miner.transport.urls import PoolLogin, PoolUrl

MAX_CONFIG_BYTES = 1 << 20
MAX_PASSWORD_BYTES, PASSWORD_WAIT_S = 4096, 5.0  # whatever --pass-file leads to
LOGIN = re.compile(r"[^/]*://[^@]*:[^@]*@")  # a URL with a password in it


@dataclass(frozen=True, slots=True)
class MineConfig:
    """What `miner mine` was told, checked."""

    pools: tuple[PoolLogin, ...]
    nodes: tuple[NodeAddress, ...]
    providers: tuple[PoolUrl, ...]  # --node stratum2+tcp://: templates by Stratum v2
    check_node: NodeAddress | None  # gives no work: knows what became of blocks
    cookie: Path | None
    address: str | None
    tag: str
    backends: tuple[str, ...]
    threads: int | None
    throttle: int  # percent of the time spent hashing
    idle: bool  # hash at idle priority
    intensity: int  # of GPUs, 1 .. 10
    blocks: int | None
    block_interval_s: float | None
    stop_after: tuple[Goal, ...]
    wait_min_diff: bool
    long_poll: bool  # of getblocktemplate; else the tip is watched
    version_rolling: bool
    allow_redirect: tuple[str, ...]
    tls_ca: Path | None
    tls_pin: str | None
    tls_insecure: bool
    sv2_insecure: bool
    device_name: str | None  # of this computer, for pools
    journal: Path | None
    retries: int | None
    decode: bool
    json: bool
    datadir: Path | None
    fresh: bool
    web: ListenAddress | None  # the page
    web_name: tuple[str, ...]  # further host names it answers to
    web_full_address: bool
    cgminer_api: ListenAddress | None
    on_event: str | None  # a command

    @property
    def own_node(self) -> bool:
        """Nobody was named to mine on: the built-in node is started."""
        return not (self.pools or self.nodes or self.providers)


def from_environment(environment: Mapping[str, str]) -> dict[str, object]:
    """MINER_* variables; lists are separated by blanks."""
    found: dict[str, object] = {}
    for key, setting in SETTINGS.items():
        name = f"MINER_{key.upper()}"
        if environment.get(name):
            value = environment[name]
            split = value.split() if setting.many and not setting.secret else value
            found[key] = check(key, split, name)
    return found


def from_file(file: Path) -> dict[str, object]:
    """Read a TOML file. A file that holds a password must be the user's alone and no link."""
    found: dict[str, object] = {}
    for name, value in read_table(file).items():
        key = name.replace("-", "_")
        if key not in SETTINGS:
            near = get_close_matches(key, SETTINGS, 1)
            meant = f"; is {near[0]!r} meant?" if near else "; miner mine --help lists them"
            # Without its value: that of a misspelt "password" is one.
            raise ConfigError(f"config {file}: unknown key {name[:60]!r}{meant}")
        if key in found:
            raise ConfigError(f"config {file}: {key} is given twice, with _ and with -")
        found[key] = check(key, value, f"config {file}: {name}")
        logins = found[key] if key in ("pool", "node") else [found.get("check_node", "")]
        if SETTINGS[key].secret or any(LOGIN.match(str(url)) for url in logins):  # type: ignore[attr-defined]
            check_private(file)
    return found


def read_table(file: Path) -> dict[str, Any]:
    """The whole file or ConfigError: one cut short would drop settings without a word."""
    try:
        data = files.read(file, MAX_CONFIG_BYTES)
        return tomllib.loads(data.decode("utf-8-sig"))  # editors of Windows put a mark in front
    except OSError as error:
        raise ConfigError(f"config {file}: {error.strerror}; name another: --config") from None
    except UnicodeDecodeError:
        raise ConfigError(f"config {file}: is not UTF-8: save it so") from None
    except RecursionError:
        raise ConfigError(f"config {file}: is nested too deep") from None
    except ValueError as error:
        raise ConfigError(f"config {file}: {' '.join(str(error).split())[:200]}") from None


def check_private(file: Path) -> None:
    if file.is_symlink():
        raise ConfigError(f"config {file} holds a password but is a symbolic link: use a file")
    if os.name != "nt" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise ConfigError(f"config {file} holds a password and others may read it: chmod 600 it")


def standard_file() -> Path | None:
    """The user's config.toml, if there is one."""
    file = paths.config_dir() / "config.toml"
    try:
        file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"config {file}: {error.strerror}") from None
    return file


def merge(
    flags: Mapping[str, object], environment: Mapping[str, str], file: Path | None = None
) -> dict[str, Any]:
    """Every setting, from the strongest origin that gives it. `file`: --config."""
    named = file or (Path(environment["MINER_CONFIG"]) if environment.get("MINER_CONFIG") else None)
    merged: dict[str, Any] = {key: setting.default for key, setting in SETTINGS.items()}
    if chosen := named or standard_file():
        merged |= from_file(chosen)
    merged |= from_environment(environment)
    for key, value in flags.items():
        if value is not None and value != ():
            merged[key] = check(key, value, "--" + key.replace("_", "-"))
    return merged


def load(
    flags: Mapping[str, object], environment: Mapping[str, str], file: Path | None = None
) -> MineConfig:
    """Merge, then check what settings say together. Raises ConfigError."""
    values = merge(flags, environment, file)
    filed = None if values["pass_file"] is None else read_password(values["pass_file"])
    pools, nodes, providers = sources(values, filed)
    check_kinds(pools, nodes, providers)
    if (nodes or providers) and values["address"] is None:
        raise ConfigError("--node needs --address: where the reward of a found block goes")
    if (values["datadir"] or values["fresh"]) and (pools or nodes or providers):
        raise ConfigError("--datadir and --fresh belong to the own node: leave out --pool, --node")
    if values["fresh"] and values["datadir"] is None:
        raise ConfigError("--fresh empties a --datadir: name it (without one each run is fresh)")
    values["check_node"] = check_node(values, pools or providers)
    same = {f.name: values[f.name] for f in fields(MineConfig) if f.name in values}
    return MineConfig(
        pools=pools,
        nodes=nodes,
        providers=providers,
        backends=values["backend"],
        block_interval_s=values["block_interval"],
        **same,
    )


def read_password(file: Path) -> str:
    """The first line of --pass-file, which may be a pipe (`<(pass show pool)`)."""
    try:
        line = files.read_line(file, MAX_PASSWORD_BYTES, PASSWORD_WAIT_S)
        return line.decode("utf-8-sig")  # without Windows' mark in front
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise ConfigError(f"--pass-file {file}: {why}") from None
