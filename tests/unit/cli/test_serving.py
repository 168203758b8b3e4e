"""Where others reach a class: the address that is printed, and what is said of it."""

import signal

import pytest

from miner.cli import serving
from miner.errors import ConfigError


@pytest.fixture(autouse=True)
def leave_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of pytest stay its own."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)


@pytest.mark.parametrize(
    ("bound_to", "own", "where", "words"),
    [
        ("0.0.0.0", ("192.168.1.5",), "192.168.1.5:{}", "sudo ufw allow {}/tcp"),
        ("0.0.0.0", (), "127.0.0.1:{}", "no address in a network"),
        ("127.0.0.1", ("192.168.1.5",), "127.0.0.1:{}", "on this computer alone"),
    ],
)
def test_what_students_type(
    monkeypatch: pytest.MonkeyPatch, bound_to: str, own: tuple[str, ...], where: str, words: str
) -> None:
    monkeypatch.setattr(serving, "addresses", lambda: own)
    one = serving.Serving()
    listener = one.bind("--port", f"{bound_to}:0", serving.EVERYWHERE)
    port = listener.getsockname()[1]
    place, said = serving.reachable(listener)
    assert place == where.format(port) and words.format(port) in said
    listener.close()


def test_a_port_alone_is_for_the_room_and_a_place_is_checked() -> None:
    one = serving.Serving()
    listener = one.bind("--port", "0", serving.EVERYWHERE)
    assert listener.getsockname()[0] == "0.0.0.0"
    port = str(listener.getsockname()[1])
    with pytest.raises(ConfigError, match=f"--port 0.0.0.0:{port}: another program listens there"):
        one.bind("--port", port, serving.EVERYWHERE)
    for wrong in ("99999", "here:1:2", "", "3333x"):
        with pytest.raises(ConfigError, match=r"--port: .* is not \[HOST:\]PORT"):
            one.bind("--port", wrong, serving.EVERYWHERE)
    listener.close()
