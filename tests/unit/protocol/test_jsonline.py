"""Framing and strict JSON."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miner.errors import LocalProtocolError, RemoteProtocolError
from miner.protocol.jsonline import LineSplitter, decode, encode, encoded_size


def test_S02_many_lines_in_a_segment_crlf_and_blanks() -> None:
    splitter = LineSplitter()
    assert list(splitter.feed(b"a\r\n\n \r\nb\nc")) == [b"a", b"b"]
    assert list(splitter.feed(b"\n")) == [b"c"]


@given(st.lists(st.binary(max_size=12), max_size=8), st.lists(st.integers(0, 100), max_size=8))
def test_segmentation_changes_nothing(pieces: list[bytes], cuts: list[int]) -> None:
    stream = b"\n".join(pieces)
    whole = list(LineSplitter().feed(stream))
    splitter, got, at = LineSplitter(), [], 0
    for cut in [*sorted(min(cut, len(stream)) for cut in cuts), len(stream)]:
        got += list(splitter.feed(stream[at:cut]))
        at = cut
    assert got == whole


@pytest.mark.parametrize("segment", [1, 7, 10**6])
def test_a_line_above_the_limit_is_refused_after_the_lines_before_it(segment: int) -> None:
    stream = b"ok\n" + b"x" * 11 + b"\n"
    splitter = LineSplitter(10)
    got: list[bytes] = []
    pieces = (stream[at : at + segment] for at in range(0, len(stream), segment))
    with pytest.raises(RemoteProtocolError, match="line"):
        got.extend(line for piece in pieces for line in splitter.feed(piece))
    assert got == [b"ok"]


def test_a_line_of_exactly_the_limit_passes() -> None:
    assert list(LineSplitter(10).feed(b"x" * 10 + b"\r\n")) == [b"x" * 10]


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"3",
        b"null",
        b'"text"',
        b'{"a":1',
        b"{a:1}",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":1e99999999999999999999999}',
        b'{"a":1' + b"0" * 500 + b"}",
        b'{"a":0.' + b"0" * 500 + b"1}",
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"a":' + b"[" * 17 + b"]" * 17 + b"}",
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"[" * 1_000_000,
        b'"\\' * 200_000 + b"[" * 40,
    ],
    ids=lambda line: repr(line[:24]),
)
def test_S06_what_is_no_json_object_is_refused(line: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(line)


def test_numbers_keep_their_exact_value() -> None:
    message = decode(b'{"a":0.1,"b":12345678901234567890,"c":1e-320,"d":[[[]]]}')
    assert message["a"] == Decimal("0.1")
    assert message["b"] == 12345678901234567890
    assert message["c"] == Decimal("1e-320")


def test_brackets_in_text_do_not_count_as_depth() -> None:
    assert decode(b'{"a":"' + b"[{" * 100 + b'\\""}')["a"] == "[{" * 100 + '"'


def test_S50_our_own_line_stays_below_1024_bytes() -> None:
    assert len(encode({"a": "x" * 1014})) == 1023
    with pytest.raises(LocalProtocolError, match="1024 bytes"):
        encode({"a": "x" * 1015})
    with pytest.raises(LocalProtocolError):
        encode({"a": float("nan")})


@given(st.text(max_size=40))
def test_encoded_lines_are_ascii_and_come_back(text: str) -> None:
    line = encode({"t": text})
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert decode(line[:-1]) == {"t": text}
    assert len(line) == encoded_size(text) + len('{"t":""}\n')
