"""Stratum v2 without I/O: cryptography, handshake, frames, messages, work, shares, session."""
