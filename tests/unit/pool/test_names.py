"""Names of strangers: short, clean, unique, and never markup to anybody."""

import pytest

from miner.pool.names import clean, of_user, unique

TAPROOT = "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"


@pytest.mark.parametrize(
    ("wished", "name"),
    [
        ("Ann", "Ann"),
        ("  Ann \t Lee\n", "Ann Lee"),
        ("<script>alert(1)</script>", "<script>alert(1)</script"),  # a text; pages escape it
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\u202eb", "a?b"),
        ("", "miner"),
        ("\x1b]0;title\x07", "miner"),
        ("x" * 100, "x" * 24),
        ("é" * 30, "é" * 20),
        ("😀" * 20, "😀" * 10),
        ("山田 太郎", "山田 太郎"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("\u3164", "miner"),
        ("Ann\u2800\u3164", "Ann"),
        ("نور", "نور"),
        ("👩\u200d🚀", "👩?🚀"),
    ],
)
def test_a_name_is_made_clean(wished: str, name: str) -> None:
    assert clean(wished) == name
    assert len(clean(wished)) <= 24 and len(clean(wished).encode()) <= 40


def test_a_name_that_is_taken_gets_a_number() -> None:
    taken: set[str] = set()
    names = []
    for _ in range(12):
        names.append(unique(clean("Ann"), taken))
        taken.add(names[-1].casefold())
    assert names[:3] == ["Ann", "Ann 2", "Ann 3"] and len(set(names)) == 12
    for long in ("x" * 24, "é" * 20, "😀" * 10):
        second = unique(long, {long.casefold()})
        assert second != long and second.endswith(" 2")
        assert len(second) <= 24 and len(second.encode()) <= 40
    assert unique("ANN", {"ann"}) == "ANN 2"


@pytest.mark.parametrize(
    ("user", "name", "address"),
    [
        ("Ann", "Ann", False),
        ("Ann.laptop", "Ann.laptop", False),
        (f"{TAPROOT}.desk", "desk", True),
        (TAPROOT, "bc1p…drcr", True),
        ("bc1qqqqqq", "bc1qqqqqq", False),  # no address: a name
    ],
)
def test_an_address_is_no_name(user: str, name: str, address: bool) -> None:
    assert of_user(user) == (name, address)
