"""Scripts: their operations, their text form, their signature-operation cost (BIP 16, BIP 141)."""

from collections.abc import Iterator, Sequence

WITNESS_SCALE = 4
CHECKSIG = (0xAC, 0xAD)  # with and without VERIFY
CHECKMULTISIG = (0xAE, 0xAF)
MAX_MULTISIG_KEYS = 20
# Names of 0x61..0xba as Bitcoin Core prints them; pushes are printed as what they push.
NAMES = (
    "NOP VER IF NOTIF VERIF VERNOTIF ELSE ENDIF VERIFY RETURN TOALTSTACK FROMALTSTACK 2DROP 2DUP "
    "3DUP 2OVER 2ROT 2SWAP IFDUP DEPTH DROP DUP NIP OVER PICK ROLL ROT SWAP TUCK CAT SUBSTR LEFT "
    "RIGHT SIZE INVERT AND OR XOR EQUAL EQUALVERIFY RESERVED1 RESERVED2 1ADD 1SUB 2MUL 2DIV NEGATE "
    "ABS NOT 0NOTEQUAL ADD SUB MUL DIV MOD LSHIFT RSHIFT BOOLAND BOOLOR NUMEQUAL NUMEQUALVERIFY "
    "NUMNOTEQUAL LESSTHAN GREATERTHAN LESSTHANOREQUAL GREATERTHANOREQUAL MIN MAX WITHIN RIPEMD160 "
    "SHA1 SHA256 HASH160 HASH256 CODESEPARATOR CHECKSIG CHECKSIGVERIFY CHECKMULTISIG "
    "CHECKMULTISIGVERIFY NOP1 CHECKLOCKTIMEVERIFY CHECKSEQUENCEVERIFY NOP4 NOP5 NOP6 NOP7 NOP8 "
    "NOP9 NOP10 CHECKSIGADD"
).split()


def operations(script: bytes) -> Iterator[tuple[int, bytes | None]]:
    """(opcode, pushed bytes or None) in order; ends early with (-1, None) at a torn push."""
    at = 0
    while at < len(script):
        opcode, at = script[at], at + 1
        if opcode > 0x4E:
            yield opcode, None
            continue
        size = opcode
        if opcode >= 0x4C:  # PUSHDATA1, 2, 4: the size follows in so many bytes
            width = 1 << (opcode - 0x4C)
            field = script[at : at + width]
            size, at = int.from_bytes(field, "little"), at + width
            if len(field) < width:
                size = len(script)  # torn: more than can be left
        if at + size > len(script):
            yield -1, None
            return
        yield opcode, script[at : at + size]
        at += size


def asm(script: bytes) -> str:
    """As people and Bitcoin Core write it: short pushes are numbers, long ones hex."""
    return " ".join(_word(opcode, data) for opcode, data in operations(script))


def _word(opcode: int, data: bytes | None) -> str:
    if opcode < 0:
        return "[error]"
    if data is not None:
        return str(_number(data)) if len(data) <= 4 else data.hex()
    if opcode == 0x4F:
        return "-1"
    if 0x51 <= opcode <= 0x60:
        return str(opcode - 0x50)
    if opcode == 0x50:
        return "OP_RESERVED"
    return f"OP_{NAMES[opcode - 0x61]}" if opcode - 0x61 < len(NAMES) else "OP_UNKNOWN"


def _number(data: bytes) -> int:
    """Little-endian, sign in the top bit."""
    if not data:
        return 0
    magnitude = int.from_bytes(data, "little") & ~(0x80 << 8 * (len(data) - 1))
    return -magnitude if data[-1] & 0x80 else magnitude


def is_push_only(script: bytes) -> bool:
    return all(0 <= opcode <= 0x60 for opcode, _ in operations(script))


def is_unspendable(script: bytes) -> bool:
    """Can no input ever spend it? Such outputs are not kept as coins."""
    return script[:1] == b"\x6a" or len(script) > 10_000


def is_p2sh(script: bytes) -> bool:
    return len(script) == 23 and script[:2] == b"\xa9\x14" and script[22] == 0x87


def witness_program(script: bytes) -> tuple[int, bytes] | None:
    """(version, program) of a segwit output, BIP 141; None for any other script."""
    if not 4 <= len(script) <= 42 or script[1] != len(script) - 2:
        return None
    if script[0] == 0:
        return 0, script[2:]
    return (script[0] - 0x50, script[2:]) if 0x51 <= script[0] <= 0x60 else None


def count_sigops(script: bytes, *, accurate: bool) -> int:
    """Signature operations; `accurate` believes the number of keys stated before a multisig."""
    total, previous = 0, -1
    for opcode, _ in operations(script):
        if opcode in CHECKSIG:
            total += 1
        elif opcode in CHECKMULTISIG:
            stated = accurate and 0x51 <= previous <= 0x60
            total += previous - 0x50 if stated else MAX_MULTISIG_KEYS
        previous = opcode
    return total


def sigop_cost(
    input_scripts: Sequence[bytes],
    output_scripts: Sequence[bytes],
    witnesses: Sequence[Sequence[bytes]],
    spent_scripts: Sequence[bytes],
) -> int:
    """BIP 141's cost of a transaction: legacy and P2SH operations count four times."""
    plain = sum(count_sigops(s, accurate=False) for s in (*input_scripts, *output_scripts))
    total = plain * WITNESS_SCALE
    for script_sig, witness, spent in zip(input_scripts, witnesses, spent_scripts, strict=True):
        program = spent
        if is_p2sh(spent) and is_push_only(script_sig):
            program = _last_push(script_sig)
            total += count_sigops(program, accurate=True) * WITNESS_SCALE
        total += _witness_sigops(program, witness)
    return total


def _last_push(script: bytes) -> bytes:
    last = b""
    for _, data in operations(script):
        last = data or b""
    return last


def _witness_sigops(script: bytes, witness: Sequence[bytes]) -> int:
    program = witness_program(script)
    if program is None or program[0] != 0:
        return 0
    if len(program[1]) == 20:
        return 1
    return count_sigops(witness[-1], accurate=True) if len(program[1]) == 32 and witness else 0
