"""Pool URLs: every spelling, and a remedy in every refusal."""

import pytest

from miner.errors import ConfigError
from miner.transport.urls import parse_pool_url
from tests.faults import fault


@pytest.mark.parametrize(
    ("text", "host", "port", "tls"),
    [
        ("pool.example:3333", "pool.example", 3333, False),
        ("stratum+tcp://pool.example:3333", "pool.example", 3333, False),
        ("STRATUM+TCP://Pool.Example:3333/", "Pool.Example", 3333, False),
        ("stratum+ssl://pool.example:443/path", "pool.example", 443, True),
        ("stratum+tls://10.0.0.1:1", "10.0.0.1", 1, True),
        ("stratum+tcps://localhost:65535", "localhost", 65535, True),
        ("stratum+tcp://[::1]:3333", "::1", 3333, False),
        ("[fe80::1%eth0]:3333", "fe80::1%eth0", 3333, False),
    ],
)
def test_good_urls(text: str, host: str, port: int, tls: bool) -> None:
    url = parse_pool_url(text)
    assert (url.host, url.port, url.tls) == (host, port, tls)
    assert (url.user, url.password, url.xnsub) == (None, None, False)
    assert parse_pool_url(str(url)) == url


def test_credentials_are_decoded_and_never_shown() -> None:
    url = parse_pool_url("stratum+tcp://bc1q.w1:p%40ss%3Ad%3D1@pool.example:3333#xnsub")
    assert url.user == "bc1q.w1"
    assert url.password is not None
    assert url.password.reveal() == "p@ss:d=1"
    assert url.xnsub
    assert "p@ss" not in f"{url} {url!r}"
    odd = parse_pool_url("me:a#b/c?d@pool.example:3333#xnsub")
    assert odd.password is not None
    assert (odd.password.reveal(), odd.host, odd.xnsub) == ("a#b/c?d", "pool.example", True)
    only = parse_pool_url("me@pool.example:3333")
    assert (only.user, only.password) == ("me", None)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("http://127.0.0.1:8332", "--node"),
        ("stratum2+tcp://p:3333/9auq", "does not match its checksum"),
        ("stratum2+tcp://p:3333/u95GEReVMjK6k5YqiSFNqqTnKU4ypU2Wm8awa6tmbmDmk1bWt", "Braiins"),
        ("stratum2+tcp://p:3333?channel=both", "channel=standard"),
        ("stratum2+tcp://p/9auq", "port is missing"),
        ("gopher://me:canary-1@p:1", "stratum\\+tcp"),
        ("tcp=//me:canary-1@x://p:3333", "no scheme"),
        ("pool.example", "port is missing"),
        ("[::1]", "port is missing"),
        ("::1:3333", "brackets"),
        ("stratum+tcp://me:canary-1@:3333", "no host name"),
        ("pool example:3333", "no host name"),
        ("[::1:3333", "no host name"),
        ("[pool]:3333", "no host name"),
        ("[::1]3333", "no host name"),
        ("x" * 300 + ":1", "no host name"),
        ("pool:0", "1 to 65535"),
        ("pool:65536", "1 to 65535"),
        ("pool:+1", "1 to 65535"),
        ("pool:٣", "1 to 65535"),
        ("", "no host name"),
    ],
)
@fault("P16")
def test_bad_urls_name_the_value_and_the_remedy(text: str, remedy: str) -> None:
    with pytest.raises(ConfigError, match=remedy) as caught:
        parse_pool_url(text)
    assert "\n" not in str(caught.value)
    assert "canary" not in str(caught.value)


def words_about(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_pool_url(text)
    return str(caught.value)


@pytest.mark.parametrize("port", ["1", "80", "00080", "65535"])
def test_a_port_has_up_to_five_digits(port: str) -> None:
    assert parse_pool_url(f"pool:{port}").port == int(port)
    assert "is not 1 to 65535" in words_about(f"pool:{port.rjust(6, '0')}")


def test_a_host_has_up_to_253_characters() -> None:
    assert parse_pool_url("h" * 253 + ":1").host == "h" * 253
    assert f"{'h' * 60!r} is no host name" in words_about("h" * 254 + ":1")


def test_two_colons_are_an_ipv6_address_without_brackets() -> None:
    assert "write an IPv6 address in brackets" in words_about("fe80:1:3333")
    assert "the port is missing" in words_about("pool:")


def test_a_refusal_shows_the_beginning_of_a_long_url() -> None:
    assert f"pool {'x' * 100!r}: no scheme" in words_about("a=b://" + "x" * 200)
    assert f"pool {'stratum+tcp://' + 'p' * 106!r}: the port" in words_about("p" * 200)
    assert f"as in {'p' * 60}:3333" in words_about("p" * 200)
    assert f"scheme {'s' * 40!r} is unknown" in words_about("s" * 60 + "://pool:1")
    assert f"port {'9' * 20!r} is not" in words_about("pool:" + "9" * 30)


def test_a_stratum_v2_url_carries_the_pools_key() -> None:
    key = "9bXiEd8boQVhq7WddEcERUL5tyyJVFYdU8th3HfbNXK3Yw6GRXh"
    for scheme in ("stratum2+tcp", "stratum+sv2", "STRATUM2+TCP"):
        url = parse_pool_url(f"{scheme}://me@pool.example:3333/{key}")
        assert url.protocol == "sv2" and not url.tls and url.user == "me"
        assert url.authority is not None and url.authority.hex().startswith("76637000979c1c11")
        assert str(url) == "stratum2+tcp://pool.example:3333"
    for text, standard in ((f"/{key}?channel=standard", True), (f"/{key}/", False)):
        assert parse_pool_url(f"stratum2+tcp://p:1{text}").standard is standard
    bare = parse_pool_url("stratum2+tcp://p:1?channel=standard")
    assert bare.authority is None and bare.standard
    assert parse_pool_url("stratum2+tcp://[::1]:1").host == "::1"
