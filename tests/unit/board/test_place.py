"""What is typed for a source."""

import pytest

from miner.board.place import Place, parse
from miner.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("homehash://desk", Place("homehash", "desk", 8080)),
        ("axeos://192.168.1.20", Place("axeos", "192.168.1.20", 80)),
        ("Garage=axeos://192.168.1.20:8081", Place("axeos", "192.168.1.20", 8081, "", "Garage")),
        ("cgminer://[fe80::1]:4029", Place("cgminer", "fe80::1", 4029)),
        ("XMRIG://box/", Place("xmrig", "box", 8080)),
        ("ckpool:/var/log/ck", Place("ckpool", path="/var/log/ck")),
        (
            "publicpool://10.0.0.2/bc1qexampleexampleexample",
            Place("publicpool", "10.0.0.2", 3334, "bc1qexampleexampleexample"),
        ),
        ("192.168.1.40", Place("any", "192.168.1.40")),
        ("desk.local:8090", Place("any", "desk.local", 8090)),
    ],
)
def test_a_source_is_understood(text: str, place: Place) -> None:
    assert parse(text) == place


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("axoes://h", "axeos meant"),
        ("http://h", "one of homehash"),
        ("axeos://user:word@h", "no login"),
        ("axeos://h:0", "65535"),
        ("axeos://h:70000", "65535"),
        ("axeos://h:٣", "65535"),
        ("axeos://", "want"),
        ("axeos://a b", "want"),
        ("ckpool:", "ckpool:/path"),
        ("publicpool://h", "ADDRESS"),
        ("publicpool://h/../x", "ADDRESS"),
        ("", "want"),
        ("\x1b[31m", "want"),
    ],
)
def test_what_is_no_source_is_one_line_without_a_secret(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        parse(text)
    assert "word@" not in str(caught.value) and str(caught.value).isprintable()
