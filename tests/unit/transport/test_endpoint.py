"""Node URLs and credentials: what is read, what is refused, and that no secret is shown."""

import base64
import os
from pathlib import Path

import pytest

from miner.errors import ConfigError, ConnectFailed, RpcAuthError
from miner.secret import Secret
from miner.text import scrub
from miner.transport.credentials import (
    CookieFile,
    Credentials,
    UserPassword,
    cookie_paths,
    default_datadir,
    find_credentials,
)
from miner.transport.endpoint import Endpoint, NodeAddress, parse_node_url
from tests.faults import fault

GOOD = {
    "http://127.0.0.1:18443": ("http", "127.0.0.1", 18443, "/"),
    "127.0.0.1:18443": ("http", "127.0.0.1", 18443, "/"),
    "localhost": ("http", "localhost", 8332, "/"),
    "https://node.example/rpc": ("https", "node.example", 8332, "/rpc"),
    "http://[::1]:18443/wallet/x": ("http", "::1", 18443, "/wallet/x"),
    "http://\u00fcber.example": ("http", "xn--ber-goa.example", 8332, "/"),
}


@pytest.mark.parametrize("url", GOOD)
def test_urls_are_taken_apart(url: str) -> None:
    assert parse_node_url(url, 8332).endpoint == Endpoint(*GOOD[url])


def test_an_ipv6_authority_keeps_its_brackets() -> None:
    assert str(parse_node_url("http://[::1]:18443", 1).endpoint) == "http://[::1]:18443"


def test_user_and_password_are_percent_decoded_and_not_shown() -> None:
    address = parse_node_url("http://al%40ice:p%3Aw%2F%25@127.0.0.1:8332", 1)
    assert address.user == "al@ice"
    assert address.password == Secret("p:w/%")
    assert "p:w" not in repr(address)
    assert str(address.endpoint) == "http://127.0.0.1:8332"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://",
        "stratum+tcp://pool:3333",
        "http://a:0",
        "http://a:70000",
        "http://a:x",
        "http://a b",
        "http://a/?q=1",
        "http://a/#f",
        "http://[::1",
        "http://a\n:1",
        "http://a/\u00fc",
        "http://a..b",
        "http://" + "9" * 64,
    ],
)
def test_unusable_urls_are_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="node URL"):
        parse_node_url(url, 8332)


@pytest.mark.parametrize(
    "url",
    ["http://u:canary@a:99999", "ftp://u:canary@a", "http://u:canary@", "http://x://u:canary@a:1"],
)
@fault("P14")
def test_a_refused_url_does_not_repeat_its_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_node_url(url, 8332)
    assert "canary" not in str(caught.value)


def test_cookie_is_read_at_every_use(tmp_path: Path) -> None:
    path = tmp_path / ".cookie"
    path.write_text("__cookie__:one\n")
    cookie = CookieFile(path)
    first = cookie.authorization()
    path.write_text("__cookie__:two")
    assert base64.b64decode(first.removeprefix("Basic ")) == b"__cookie__:one"
    assert base64.b64decode(cookie.authorization().removeprefix("Basic ")) == b"__cookie__:two"


@pytest.mark.parametrize("content", ["", "\n"])
@fault("G02")
def test_an_empty_cookie_may_fill_soon(tmp_path: Path, content: str) -> None:
    (tmp_path / ".cookie").write_text(content)
    with pytest.raises(ConnectFailed, match="empty"):
        CookieFile(tmp_path / ".cookie").authorization()


@fault("G02")
def test_a_missing_cookie_may_appear_soon(tmp_path: Path) -> None:
    with pytest.raises(ConnectFailed, match="no cookie at"):
        CookieFile(tmp_path / ".cookie").authorization()


@pytest.mark.parametrize("content", ["nocolon", "a:b\nc", "a:" + "x" * 5000])
def test_what_is_no_cookie_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "cookie").write_text(content)
    with pytest.raises(RpcAuthError, match="not a cookie"):
        CookieFile(tmp_path / "cookie").authorization()


def test_an_unreadable_cookie_names_the_remedy(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / ("x" * 300)):  # a folder; a name that cannot exist
        with pytest.raises(RpcAuthError, match="rpccookieperms"):
            CookieFile(path).authorization()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_for_a_cookie_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(RpcAuthError, match="is not a file"):
            CookieFile(path).authorization()


@fault("P14")
def test_a_peer_that_repeats_the_login_shows_nothing(tmp_path: Path) -> None:
    (tmp_path / "cookie").write_text("__cookie__:hunter2hunter2")
    headers: list[Credentials] = [
        CookieFile(tmp_path / "cookie"),
        UserPassword("u", Secret("horse-battery")),
    ]
    told = " ".join(one.authorization() for one in headers)
    assert scrub(f"401 for {told} hunter2hunter2") == "401 for Basic *** Basic *** ***"


def test_nobody_without_a_home_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(ConfigError, match="no home folder"):
        default_datadir("linux", {})


@pytest.mark.parametrize(
    ("platform", "want"),
    [
        ("linux", "/home/u/.bitcoin"),
        ("darwin", "/home/u/Library/Application Support/Bitcoin"),
        ("win32", "/local/Bitcoin"),
    ],
)
def test_default_data_directories(platform: str, want: str) -> None:
    got = default_datadir(platform, {"LOCALAPPDATA": "/local"}, Path("/home/u"))
    assert got.as_posix() == want


def test_each_chain_has_its_folder(tmp_path: Path) -> None:
    chains = ["main", "test", "testnet4", "signet", "regtest"]
    got = [path.relative_to(tmp_path).as_posix() for path in cookie_paths(tmp_path, chains)]
    assert got == [
        ".cookie",
        "testnet3/.cookie",
        "testnet4/.cookie",
        "signet/.cookie",
        "regtest/.cookie",
    ]


def test_order_of_credentials(tmp_path: Path) -> None:
    named, plain = parse_node_url("http://u:p@h", 1), parse_node_url("http://[::1]:48332", 1)
    pair = {"MINER_RPC_USER": "a", "MINER_RPC_PASSWORD": "b"}
    chosen = find_credentials(named, cookie=tmp_path / "c", environ=pair)
    assert str(chosen) == f"cookie {tmp_path / 'c'}"
    from_file = find_credentials(named, environ={"MINER_RPC_COOKIE": "/x/y"})
    assert str(from_file) == "cookie /x/y"
    assert find_credentials(named, environ=pair).authorization() == _basic("u:p")
    assert find_credentials(plain, environ=pair).authorization() == _basic("a:b")
    found = find_credentials(plain, chains=["test", "testnet4"], datadir=tmp_path, environ={})
    assert isinstance(found, CookieFile)
    assert found.paths[0] == tmp_path / "testnet4" / ".cookie"


@pytest.mark.parametrize("host", ["192.0.2.1", "node.example", "[2001:db8::1]", "localhost.evil"])
@fault("P14")
def test_no_other_computer_is_shown_our_own_cookie(tmp_path: Path, host: str) -> None:
    """It opens the wallet of the node that runs here."""
    there = parse_node_url(f"http://{host}:8332", 1)
    with pytest.raises(ConfigError, match="is not this computer: give --cookie"):
        find_credentials(there, datadir=tmp_path, environ={})
    chosen = find_credentials(there, cookie=tmp_path / "copy", environ={})
    assert str(chosen) == f"cookie {tmp_path / 'copy'}"
    for here in ("127.0.0.1", "localhost", "[::1]", "127.9.9.9"):
        found = find_credentials(parse_node_url(f"http://{here}", 1), datadir=tmp_path, environ={})
        assert isinstance(found, CookieFile)


def test_a_user_without_a_password_is_not_passed_over() -> None:
    """As --user NAME alone; the cookie would log in as somebody else."""
    nameless = NodeAddress(Endpoint("http", "127.0.0.1", 1), "alice", None)
    with pytest.raises(ConfigError, match="a user without a password"):
        find_credentials(nameless, environ={})


def test_half_a_pair_in_the_environment_is_refused() -> None:
    with pytest.raises(ConfigError, match="both or none"):
        find_credentials(parse_node_url("http://h", 1), environ={"MINER_RPC_USER": "a"})


def test_a_user_with_a_colon_is_refused() -> None:
    with pytest.raises(ConfigError, match="colon"):
        UserPassword("a:b", Secret("c"))


def _basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


def test_what_cannot_be_read_is_named_without_a_credential() -> None:
    with pytest.raises(ConfigError, match=r"Port could not be cast|out of range") as plain:
        parse_node_url("http://127.0.0.1:99999", 1)
    assert "percent-encoded" not in str(plain.value)
    with pytest.raises(ConfigError, match="is the password percent-encoded") as secret:
        parse_node_url("http://alice:can#ary@127.0.0.1:x", 1)
    assert "ary" not in str(secret.value)


def test_a_refusal_shows_100_characters_of_a_url() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_node_url("ftp://" + "x" * 200, 1)
    assert f"node URL {'ftp://' + 'x' * 94!r}: want http" in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        parse_node_url("ftp://a@b@host", 1)
    assert "node URL 'host': want http" in str(caught.value)
