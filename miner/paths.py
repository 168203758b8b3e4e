"""Where homehash keeps state, cache and data on this system (platformdirs).

MINER_HOME, when set, holds all of them in one folder: for tests and portable installs.
"""

import os
from collections.abc import Callable
from pathlib import Path

import platformdirs

from miner.errors import ConfigError

APP = "homehash"


class NoHome(ConfigError):
    """This user has no home folder."""


def _folder(kind: str, system: Callable[[str], str]) -> Path:
    if home := os.environ.get("MINER_HOME"):
        return Path(home) / kind
    try:
        return Path(system(APP))
    except RuntimeError:
        raise NoHome("this user has no home folder: set HOME, or MINER_HOME") from None


def state_dir() -> Path:
    """Journals of found blocks, best difficulty, saved baselines."""
    return _folder("state", platformdirs.user_state_dir)


def cache_dir() -> Path:
    """What can be made again: calibrations, compiled kernels."""
    return _folder("cache", platformdirs.user_cache_dir)


def config_dir() -> Path:
    """config.toml and the user's own hardware table."""
    return _folder("config", platformdirs.user_config_dir)
