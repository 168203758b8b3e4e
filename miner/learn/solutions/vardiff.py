"""One way to solve exercise vardiff."""


def next_difficulty(difficulty: float, shares: int, seconds: int, wanted: int) -> float:
    a_minute = shares * 60 / seconds
    factor = a_minute / wanted
    if 1 / 2 < factor < 2:
        return difficulty
    return difficulty * min(max(factor, 1 / 4), 4)
