"""Typical wrong programs: a solution with one thing changed, and the hint that must come.

(exercise, what is replaced, by what, key of the hint)
"""

NUMBER = 'int.from_bytes(raw[start : start + 4], "little")'
HASH = "raw[start : start + 32][::-1].hex()"
FIELDS = '"previous": hash_hex(4),\n        "merkle_root": hash_hex(36)'
ODD = "            level.append(level[-1])"
PAIRED = "sha256d(level[i] + level[i + 1])"
UP = f"""        if len(level) % 2:
{ODD}
        level = [{PAIRED} for i in range(0, len(level), 2)]"""
CARRIED = """        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [sha256d(one[0] + one[1]) if len(one) == 2 else one[0] for one in pairs]"""
LEVEL = "level = [bytes.fromhex(txid)[::-1] for txid in txids]"
T1 = "(rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25))"
T2 = "(rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22))"
NEW = "[(t1 + t2) & MASK, a, b, c, (d + t1) & MASK, e, f, g]"
PART = "        part = min(difficulty, left)\n"
EDGE = f"        if left == 0:\n            break\n{PART}"
UNCUT = EDGE.replace("==", "<=").replace("min(difficulty, left)", "difficulty")
CLAMP = "min(max(factor, 1 / 4), 4)"
WARP = "times[height] < times[height - 1] - 600"

PROGRAMS = [
    ("header", NUMBER, NUMBER.replace("little", "big"), "big-endian"),
    ("header", HASH, "raw[start : start + 32].hex()", "unreversed"),
    ("header", HASH, "raw[start : start + 32].hex()[::-1]", "digits"),
    ("header", HASH, "raw[start : start + 32][::-1]", "bytes"),
    ("header", NUMBER, NUMBER.replace(")", ", signed=True)"), "signed"),
    ("header", FIELDS, FIELDS.replace("36", "_").replace("4", "36").replace("_)", "4)"), "swapped"),
    ("header", "start + 4], ", "start + 3], ", "short"),
    ("target", "8 * (exponent - 3)", "8 * exponent", "three"),
    ("target", "8 * (exponent - 3)", "8 * (exponent - 2)", "off-by-one"),
    ("target", "8 * (exponent - 3)", "(exponent - 3)", "bits"),
    ("target", "nbits & 0xFFFFFF", "nbits", "unmasked"),
    ("target", "digits << 8 * (exponent - 3)", "digits * 256.0 ** (exponent - 3)", "float"),
    ("target", "if exponent >= 3:", "if True:", "negative"),
    ("target", "digits >> 8 * (3 - exponent)", "round(digits / 256 ** (3 - exponent))", "rounded"),
    ("merkle", LEVEL, "level = [bytes.fromhex(txid) for txid in txids]", "back-reversed"),
    ("merkle", "level[0][::-1]", "level[0]", "half-reversed"),
    ("merkle", PAIRED, "hashlib.sha256(level[i] + level[i + 1]).digest()", "once"),
    ("merkle", PAIRED, "sha256d(level[i + 1] + level[i])", "turned"),
    ("merkle", ODD, "            level.append(bytes(32))", "zeros"),
    ("merkle", ODD, "            level.pop()", "dropped"),
    ("merkle", UP, CARRIED, "carried"),
    ("round", " & MASK, a, b, c, (d + t1) & MASK", ", a, b, c, d + t1", "unbounded"),
    ("round", "word >> bits | word << 32 - bits", "word << bits | word >> 32 - bits", "left"),
    ("round", "(word >> bits | word << 32 - bits) & MASK", "word >> bits", "shifted"),
    ("round", "(d + t1)", "t1", "without-d"),
    ("round", "(d + t1)", "(d + t1 + t2)", "both-sums"),
    ("round", NEW, "[(t1 + t2) & MASK, b, c, d, (d + t1) & MASK, f, g, h]", "unmoved"),
    ("round", " + k + w", " + w", "without-k"),
    ("midstate", '"<I"', '">I"', "nonce-order"),
    ("midstate", "padding(80)", "padding(16)", "chunk-length"),
    ("midstate", '">8I"', '"<8I"', "word-order"),
    ("midstate", "INITIAL_STATE, first", "midstate, first", "second-start"),
    ("midstate", 'struct.pack(">8I", *second)', "first", "once"),
    ("midstate", "8 * length)", "length)", "byte-length"),
    ("midstate", " + padding(80)", "", "unpadded"),
    ("midstate", '">Q"', '"<Q"', "length-order"),
    ("miner", '["previousblockhash"])[::-1]', '["previousblockhash"])', "previous-order"),
    ("miner", "sha256d(coinbase) +", "sha256d(coinbase)[::-1] +", "root-order"),
    ("miner", "sha256d(coinbase) +", 'sha256d(work["coinbase"].encode()) +', "root-text"),
    ("miner", 'work["curtime"].to_bytes(4, "little")', 'work["curtime"].to_bytes(4, "big")',
     "time-order"),
    ("miner", "+ bits[::-1]", "+ bits", "bits-order"),
    ("miner", 'work["version"].to_bytes(4, "little")', 'work["version"].to_bytes(4, "big")',
     "version-order"),
    ("miner", '(sha256d(header), "little")', '(sha256d(header), "big")', "hash-order"),
    ("miner", "<= target:", "> target:", "above"),
    ("miner", 'return header + b"\\x01" + coinbase', "return header", "header-alone"),
    ("miner", 'b"\\x01" + coinbase', "coinbase", "uncounted"),
    ("miner", 'b"\\x01" + coinbase', 'b"\\x01" + coinbase + b"\\0"', "coinbase"),
    ("miner", 'return header + b"\\x01" + coinbase', "return (header + coinbase).hex()", "hex"),
    ("vardiff", "difficulty * min", "difficulty / min", "inverse"),
    ("vardiff", "shares * 60 / seconds", "shares / seconds", "minutes"),
    ("vardiff", CLAMP, "factor", "unlimited"),
    ("vardiff", CLAMP, "min(factor, 4)", "only-up"),
    ("vardiff", "1 / 2 < factor < 2", "False", "restless"),
    ("vardiff", "1 / 2 < factor < 2", "1 / 2 <= factor <= 2", "edges"),
    ("vardiff", f"difficulty * {CLAMP}", CLAMP, "factor"),
    ("vardiff", "shares * 60 / seconds", "shares * 60 // seconds", "whole"),
    ("pplns", "reversed(shares)", "shares", "oldest"),
    ("pplns", EDGE, UNCUT, "uncut"),
    ("pplns", PART, PART + "        if part < difficulty:\n            break\n", "left-out"),
    ("pplns", "left = window", "left = 10**9", "everything"),
    ("pplns", "min(difficulty, left)", "1", "number"),
    ("pplns", "sum(work.values())", "window", "by-window"),
    ("pplns", "reward * part // whole", "reward * part / whole", "floats"),
    ("pplns", "reward * part // whole", "round(reward * part / whole)", "rounded"),
    ("retarget", "* span // TWO_WEEKS", "* TWO_WEEKS // span", "inverse"),
    ("retarget", "min(max(last - first, TWO_WEEKS // 4), TWO_WEEKS * 4)", "last - first",
     "unlimited"),
    ("retarget", "min(max(last - first, TWO_WEEKS // 4), TWO_WEEKS * 4)",
     "max(last - first, TWO_WEEKS // 4)", "below"),
    ("retarget", "// TWO_WEEKS\n", "// (2015 * 600)\n", "intervals"),
    ("retarget", "min(target, target_from_nbits(EASIEST))", "target", "boundless"),
    ("retarget", "nbits_from_target(min(target, target_from_nbits(EASIEST)))", "target", "target"),
    ("timewarp", "range(period, len(times), period)", "range(1, len(times))", "anywhere"),
    ("timewarp", WARP, "times[height] < times[height - 1]", "graceless"),
    ("timewarp", WARP, "times[height] <= times[height - 1] - 600", "inclusive"),
    ("timewarp", WARP, "abs(times[height] - times[height - 1]) > 600", "both-ways"),
    ("timewarp", "range(period, ", "range(period - 1, ", "last-block"),
    ("timewarp", "range(period, ", "range(period + 1, ", "next-block"),
    ("timewarp", "range(period, ", "range(0, ", "end"),
    ("timewarp", "[height for height", "[height - 1 for height", "before"),
]  # fmt: skip
