"""Lines, JSON, addresses of peers, and text that people will see."""

import random

from miner.errors import ConfigError, LocalProtocolError, RemoteProtocolError
from miner.protocol import jsonline
from miner.text import LIMIT, scrub
from miner.transport.endpoint import parse_node_url
from miner.transport.urls import parse_pool_url
from tests.fakes.broken.targets import Feed, gist

SMALL_LIMIT = 300  # so that the limit is met too
SECRET = "pA55"


def whole_login(data: bytes) -> bool:
    """Does the password stand where one stands? Elsewhere nobody can tell that it is one."""
    before = data.rpartition(b"@")[0]
    return b":pA55" in before and data.count(SECRET.encode()) == 1


def lines(dice: random.Random) -> tuple[list[bytes], Feed]:
    """Cut anywhere, the same lines come out as from a plain split."""

    def feed(data: bytes) -> str:
        splitter, got, at = jsonline.LineSplitter(SMALL_LIMIT), list[bytes](), 0
        wanted = [line.removesuffix(b"\r") for line in data.split(b"\n")[:-1]]
        try:
            while at < len(data):
                step = dice.choice((1, 2, 7, 100, 10_000))
                got += splitter.feed(data[at : at + step])
                at += step
        except RemoteProtocolError:
            assert max(len(line) for line in data.split(b"\n")) > SMALL_LIMIT
            return "too long"
        assert all(len(line) <= SMALL_LIMIT for line in wanted)
        assert got == [line for line in wanted if line.strip(b" \t")]
        return f"{min(len(got), 5)} lines"

    return [b'{"id":1}\n{"id":2}\r\n\n \t\r\n' * 3, b"a" * 299 + b"\n", b"a" * 310], feed


def json_guard(dice: random.Random) -> tuple[list[bytes], Feed]:
    """What is read can be written and read again; the rest is refused."""

    def feed(data: bytes) -> str:
        try:
            message = jsonline.decode(data)
        except RemoteProtocolError as error:
            return str(error).partition(":")[0]
        try:
            again = jsonline.decode(jsonline.encode(message).strip())
        except LocalProtocolError:
            return "cannot be written"
        assert again.keys() == message.keys()
        return f"{min(len(message), 6)} keys"

    deep = b'{"a":' + b"[" * 14 + b"1" + b"]" * 14 + b"}"
    long = b'{"a":' + b"9" * 399 + b',"b":1e300,"c":-0.0,"d":1E-400}'
    text = '{"id":null,"method":"x","params":["\\u00e9\\ud83d\\ude00 ü",true,1.5]}'.encode()
    return [deep, long, text, b'{"a":"[[[[[[[[[[[[[[[[[[[[\\""}'], feed


def pool_url(dice: random.Random) -> tuple[list[bytes], Feed]:
    def feed(data: bytes) -> str:
        try:
            url = parse_pool_url(data.decode("utf-8", "surrogateescape"))
        except ConfigError as error:
            assert SECRET not in str(error) or not whole_login(data)
            return gist(str(error).rpartition(": ")[2])
        assert 0 < url.port < 65536
        assert url.host and url.host.isprintable() and not set(url.host) & set("/@ ")
        assert SECRET not in str(url) or not whole_login(data)
        return f"{url.tls} {':' in url.host} {url.user is None}"

    seeds = [
        b"stratum+tcp://pool.example:3333", b"stratum+ssl://bob.w1:pA55word@[2001:db8::1]:443/",
        b"pool.example:3333#xnsub", b"tcp://bob%40home:pA55%3A@10.0.0.1:1", b"stratum2+tcp://x:1",
    ]  # fmt: skip
    return seeds, feed


def node_url(dice: random.Random) -> tuple[list[bytes], Feed]:
    def feed(data: bytes) -> str:
        try:
            place = parse_node_url(data.decode("utf-8", "surrogateescape"), 8332)
        except ConfigError as error:
            assert SECRET not in str(error) or not whole_login(data)
            return gist(str(error).rpartition(": ")[2])
        assert 0 < place.endpoint.port < 65536
        assert place.endpoint.host
        assert SECRET not in str(place.endpoint) + repr(place) or not whole_login(data)
        return f"{place.endpoint.scheme} {place.user is None} {len(place.endpoint.path) > 1}"

    seeds = [
        b"http://127.0.0.1:8332", b"https://bob:pA55word@node.example/wallet/x",
        b"http://[::1]:18443/", b"localhost", b"bob:pA55@localhost:1",
    ]  # fmt: skip
    return seeds, feed


def scrubbed(dice: random.Random) -> tuple[list[bytes], Feed]:
    def feed(data: bytes) -> str:
        text = data.decode("utf-8", "surrogateescape")
        shown = scrub(text)
        assert shown.isprintable()
        assert len(shown) <= LIMIT
        assert scrub([text]).isprintable()
        return f"{len(shown) == len(text)} {shown.endswith('...')} {'?' in shown}"

    bidi = "\u202e\u2066abc\u200b\U000e0001".encode()
    return [b"\x1b]52;c;AAAA\x07hello\x1b[31mred\x9b2J\n", bidi, b"plain " * 50], feed
