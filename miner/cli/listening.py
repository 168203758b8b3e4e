"""What listens beside a run: `--web` and `--cgminer-api`.

Sockets are bound when this is made, before anything of the run is opened; the libraries of the web
view are imported only when it is asked for.
"""

import socket
import sys
from contextlib import ExitStack
from importlib.util import find_spec

from miner.errors import ConfigError
from miner.run.config import MineConfig
from miner.run.machine import addresses
from miner.run.run import Run, start_thread
from miner.state.events import Alarm, Caution, WebTold
from miner.transport.listening import ListenAddress, bind, bound, open_url
from miner.views.cgminer.server import CgminerServer
from miner.views.feed import Feed
from miner.views.listeners import Listeners, Service

WEB_PACKAGES = ("starlette", "uvicorn", "prometheus-client")  # the extra `web`


class Listening:
    """A run's listeners: bound, then started, then stopped."""

    def __init__(self, config: MineConfig, run: Run) -> None:
        """Raises ConfigError: a port is taken or forbidden, or packages are missing."""
        self._run, self._config = run, config
        self._sockets: dict[str, socket.socket] = {}
        self._listeners: Listeners | None = None
        if config.web is not None:
            need_packages()
        with ExitStack() as undo:
            for option, place in (("--web", config.web), ("--cgminer-api", config.cgminer_api)):
                if place is not None:
                    self._sockets[option] = bind(place, option)
                    undo.callback(self._sockets[option].close)
            undo.pop_all()

    def port(self, option: str) -> int:
        """Where it really listens."""
        return bound(self._sockets[option]).port

    def start(self) -> None:
        """Raises MinerError when the system has no thread left."""
        if not self._sockets:
            return
        feed = Feed(self._run.snapshot, self._config.web_full_address)
        services = [self._service(option, feed) for option in self._sockets]
        for option, listener in self._sockets.items():
            self._tell(option, bound(listener))
        self._listeners = Listeners(services, self._complain)
        start_thread(self._listeners.start)

    def stop(self) -> None:
        if self._listeners is not None:
            self._listeners.stop()
        for listener in self._sockets.values():
            listener.close()

    def _complain(self, text: str) -> None:
        self._run.tell(Alarm(text))

    def _service(self, option: str, feed: Feed) -> Service:
        if option == "--cgminer-api":
            return CgminerServer(feed, self._sockets[option])
        from miner.views.web.app import App, Reach
        from miner.views.web.server import WebServer

        place, host = bound(self._sockets[option]), socket.gethostname()
        own = (host, f"{host}.local", *addresses())
        reach = Reach((*own, *self._config.web_name), not place.is_loopback)
        return WebServer(App(feed, reach, complain=self._complain), self._sockets[option])

    def _tell(self, option: str, place: ListenAddress) -> None:
        """Where it is; beyond loopback, that others can read it."""
        where = open_url(place, addresses())
        if option == "--cgminer-api":  # no browser's
            where = where.removeprefix("http://").rstrip("/")
        if place.is_loopback:
            named = "see it at" if option == "--web" else "cgminer's API is at"
            self._run.tell(WebTold(f"{named} {where}"))
        else:
            self._run.tell(Caution(f"{option}: whoever reaches this computer can read {where}"))


def need_packages(*more: str) -> None:
    """Raises ConfigError with the command that installs them. `more`: beside those of any page."""
    wanted = (*WEB_PACKAGES, *more)
    missing = [name for name in wanted if find_spec(name.replace("-", "_")) is None]
    if missing:
        command = f"{sys.executable} -m pip install {' '.join(wanted)}"
        raise ConfigError(f"--web: {', '.join(missing)} not installed; get it by {command}")
