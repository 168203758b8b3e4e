"""The embedded regtest node, on Bitcoin Core's own consensus engine.

From the outside in: service (start, stop) - rpc, http, jsonrpc (the door) - methods, arguments,
mining, lookups, describe (the answers) - template, judge (work, proposals) - state, index, coins,
mempool, script (what is known) - chain (the kernel's verdicts) - folder (where it is kept).
"""
