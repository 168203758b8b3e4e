"""One module a language: how a miner is asked, and what its answer says in the board's units."""
