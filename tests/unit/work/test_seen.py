from miner.work.seen import Seen


def test_a_hash_is_new_once_and_the_oldest_is_forgotten() -> None:
    seen = Seen(2)
    assert [seen.is_new(name) for name in (b"a", b"b", b"a", b"c", b"b", b"a")] == [
        True, True, False, True, False, True,
    ]  # fmt: skip
