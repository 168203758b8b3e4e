"""Lines on the teacher's terminal: blocks always, comings and goings not in floods."""

from miner.pool.values import BlockFound, BlockJudged, Joined, Kind, Left, Member, Slept
from miner.pool.words import Calm, Lines

ANN = Member(1, "Ann", Kind.STRATUM, "homehash/1.0")


def test_blocks_are_told_with_their_finder_and_the_kernels_word() -> None:
    said: list[str] = []
    lines = Lines(said.append, said.append)
    for number, (accepted, word) in enumerate(((True, ""), (False, "bad-cb-amount"))):
        lines.hear(BlockFound(0.0, ANN, 7, f"{number}" * 64))
        assert len(said) == number  # nothing before the kernel spoke
        lines.hear(BlockJudged(0.0, f"{number}" * 64, accepted, word))
    lines.hear(BlockJudged(0.0, "f" * 64, True))
    assert said == [
        f"block 7 by Ann: {'0' * 64}, accepted",
        f"block 7 by Ann: {'1' * 64}: bad-cb-amount",
        f"a block: {'f' * 64}, accepted",
    ]


def test_comings_and_goings() -> None:
    said: list[str] = []
    lines = Lines(said.append, said.append)
    lines.hear(Joined(0.0, ANN))
    lines.hear(Joined(0.0, ANN, again=True))
    lines.hear(Left(0.0, ANN, "removed by the teacher"))
    lines.hear(Slept(0.0, 3720.0))
    assert said == [
        "Ann joined (homehash/1.0)",
        "Ann is back (homehash/1.0)",
        "Ann left: removed by the teacher",
        "this computer slept for 1 h 2 min; the room goes on",
    ]


def test_a_flood_of_lines_hides_no_block() -> None:
    said: list[str] = []
    now = [5.0]
    calm = Calm(said.append, lambda: now[0])
    lines = Lines(said.append, calm)
    for _ in range(100):
        lines.hear(Joined(0.0, ANN))
    lines.hear(BlockJudged(0.0, "f" * 64, True))
    assert len(said) == 11 and said[-1].endswith("accepted")
    now[0] = 6.0
    lines.hear(Left(0.0, ANN))
    assert said[-2:] == ["(90 more lines like these)", "Ann left"]
