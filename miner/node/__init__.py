"""The embedded node, on Bitcoin Core's own consensus engine: regtest, or a private testnet4.

From the outside in: service (start, stop) - rpc, http, jsonrpc (the door) - methods, arguments,
mining, lookups, describe (the answers) - local, split (the same in this process, and two branches
of it) - template, judge (work, proposals) - state, index, coins, mempool, script (what is known) -
rules (which chain) - chain (the kernel's verdicts) - folder (where it is kept).
"""
