"""One way to solve exercise timewarp."""


def warps(times: list[int], period: int) -> list[int]:
    first_blocks = range(period, len(times), period)
    return [height for height in first_blocks if times[height] < times[height - 1] - 600]
