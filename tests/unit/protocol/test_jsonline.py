"""Framing and strict JSON."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miner.errors import LocalProtocolError, RemoteProtocolError
from miner.protocol.jsonline import LineSplitter, decode, encode, encoded_size
from tests.faults import fault


@fault("S02")
def test_many_lines_in_a_segment_crlf_and_blanks() -> None:
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
@fault("S06")
def test_what_is_no_json_object_is_refused(line: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(line)


def test_numbers_keep_their_exact_value() -> None:
    message = decode(b'{"a":0.1,"b":12345678901234567890,"c":1e-320,"d":[[[]]]}')
    assert message["a"] == Decimal("0.1")
    assert message["b"] == 12345678901234567890
    assert message["c"] == Decimal("1e-320")


def test_brackets_in_text_do_not_count_as_depth() -> None:
    assert decode(b'{"a":"' + b"[{" * 100 + b'\\""}')["a"] == "[{" * 100 + '"'


@fault("S50")
def test_our_own_line_stays_below_1024_bytes() -> None:
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


def test_a_blank_line_first_does_not_hide_the_next() -> None:
    assert list(LineSplitter().feed(b"\na\n")) == [b"a"]
    assert list(LineSplitter().feed(b"\n\r\n \t\nb\n")) == [b"b"]


def test_the_end_of_a_line_is_found_where_two_segments_meet() -> None:
    splitter = LineSplitter()
    assert list(splitter.feed(b"a")) == []
    assert list(splitter.feed(b"\nb\r")) == [b"a"]
    assert list(splitter.feed(b"\n")) == [b"b"]


def test_a_line_without_end_is_refused_beyond_the_limit_and_a_cr() -> None:
    splitter = LineSplitter(10)
    assert list(splitter.feed(b"ok\n" + b"x" * 10)) == [b"ok"]
    assert list(splitter.feed(b"\r")) == []  # 11 bytes: the line may still be of 10
    with pytest.raises(RemoteProtocolError, match="a line above 10 bytes"):
        list(splitter.feed(b"x"))


def test_a_line_too_long_is_named_with_its_size() -> None:
    with pytest.raises(RemoteProtocolError, match="a line of 11 bytes, want <= 10"):
        list(LineSplitter(10).feed(b"x" * 11 + b"\n"))


def nested(depth: int) -> bytes:
    """An object inside of which lists make up this depth."""
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@pytest.mark.parametrize(
    "siblings",
    [
        b"",
        b',"b":[]',
        b',"b":{}',
        b"".join(b',"b%d":[[],[],{},{}]' % i for i in range(9)) + b',"c":"]]}}"',
    ],
)
def test_a_message_nests_16_deep_and_no_deeper(siblings: bytes) -> None:
    for depth, good in ((2, True), (15, True), (16, True), (17, False), (18, False)):
        for line in (
            nested(depth)[:-1] + siblings + b"}",
            b'{"x":0' + siblings + b"," + nested(depth)[1:],
        ):
            if good:
                assert "a" in decode(line)
            else:
                with pytest.raises(RemoteProtocolError, match="nested deeper than 16"):
                    decode(line)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"\xff" * 81, "not UTF-8: '" + "\ufffd" * 77 + "...'"),
        (b"x" * 81, "not JSON: '" + "x" * 77 + "...'"),
        (b"1" * 81, "a JSON object is wanted, not '" + "1" * 77 + "...'"),
        (b'{"id":1,"a":{"b":1,"c":2,"b":3}}', "key 'b' stands twice: "),
        (b'{"id":1,"method":"m","id":1}', "key 'id' stands twice: "),
    ],
    ids=["binary", "text", "number", "inner key twice", "key twice"],
)
@fault("S06")
def test_an_error_shows_80_characters_of_the_line(line: bytes, words: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decode(line)
    whole = words + f"'{line.decode()}'" if words.endswith(": ") else words
    assert str(caught.value) == whole


@pytest.mark.parametrize(
    "text", ["1" * 400, "-" + "1" * 399, "0." + "1" * 398, "1." + "0" * 396 + "e1"]
)
def test_a_number_has_up_to_400_characters(text: str) -> None:
    assert len(text) == 400
    assert decode(b'{"a":%s}' % text.encode())["a"] == Decimal(text)
    longer = text.replace("1", "11", 1)
    with pytest.raises(RemoteProtocolError, match="not JSON"):
        decode(b'{"a":%s}' % longer.encode())
