"""`python -m miner` is the `miner` command."""

from miner.cli.main import main

main()
