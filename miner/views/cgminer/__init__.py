"""cgminer's API (its version 3.7), read-only: what home-mining tools ask miners."""
