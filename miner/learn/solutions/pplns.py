"""One way to solve exercise pplns."""


def payout(shares: list[tuple[str, int]], window: int, reward: int) -> dict[str, int]:
    work: dict[str, int] = {}
    left = window
    for name, difficulty in reversed(shares):
        if left == 0:
            break
        part = min(difficulty, left)
        work[name] = work.get(name, 0) + part
        left -= part
    whole = sum(work.values())
    return {name: reward * part // whole for name, part in work.items()}
