"""Protocols without input or output: bytes in, events out."""
