"""Lessons on proof of work, told by the miner's own functions on real data."""
