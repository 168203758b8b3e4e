"""homehash: a SHA-256 proof-of-work miner that mines, measures and explains."""

__version__ = "0.1.0"
