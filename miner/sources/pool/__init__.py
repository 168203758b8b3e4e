"""Pools as a source of work, whatever protocol they speak."""
