"""The embedded regtest node, on Bitcoin Core's own consensus engine."""
