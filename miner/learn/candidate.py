"""A learner's program, run in a process of its own: `python -P -m miner.learn.candidate`.

One line of JSON on stdin says what to run. Answers go to stdout, each line behind a token, so that
nothing the program prints is taken for one; its own prints go to stderr. It may use so much memory
and may start no other program. That guards against accidents; it is no sandbox.
"""

import builtins
import json
import os
import sys
import types
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

HIGH = 200  # descriptors below are those that programs use by accident
MOST_BITS = 2048  # of a number that is passed on
MOST_ITEMS = 20_000  # of a list, and characters or bytes of a text
MOST_DEPTH = 4  # of lists in lists
MOST_FILE_BYTES = 64 * 1024**2  # that the program may write
CPU_S = 60  # a program that outlives the judge ends here
OTHERS = (
    "os.exec", "os.fork", "os.forkpty", "os.kill", "os.killpg", "os.posix_spawn", "os.spawn",
    "os.startfile", "os.system", "pty.spawn", "subprocess.Popen",
)  # fmt: skip


ANYTHING = BaseException  # SystemExit too; by a name that no program can take away


class OtherProgram(RuntimeError):
    """The program tried to start or end another one."""


def encode(value: Any, depth: int = 0) -> Any:
    """A value as JSON: what an exercise may return as it is, anything else by its type."""
    if value is None or type(value) in (bool, float):
        return value
    if type(value) is int:
        return value if value.bit_length() <= MOST_BITS else {"huge": value.bit_length()}
    if type(value) in (str, bytes, bytearray) and len(value) <= MOST_ITEMS:
        return value if type(value) is str else {"hex": value.hex()}
    if depth < MOST_DEPTH and type(value) in (list, tuple, dict) and len(value) <= MOST_ITEMS:
        if type(value) is dict:
            return {"map": [[encode(k, 9), encode(v, depth + 1)] for k, v in value.items()]}
        return [encode(one, depth + 1) for one in value]
    return {"other": type(value).__name__[:40]}


class Foreign:
    """A value that was not passed on: no exercise asks for such a one."""

    def __init__(self, kind: str, bits: int = 0) -> None:
        self.kind, self.bits = kind, bits

    def __repr__(self) -> str:
        return f"<{self.kind}>"


def decode(value: Any) -> Any:
    """The value that was encoded, or a Foreign in its place."""
    match value:
        case list():
            return [decode(one) for one in value]
        case {"hex": digits}:
            return bytes.fromhex(digits)
        case {"map": pairs}:
            return {_key(key): decode(one) for key, one in pairs}
        case {"huge": bits}:
            return Foreign("int", bits)
        case {"other": kind}:
            return Foreign(kind)
    return value


def _key(key: Any) -> Any:
    """Of a dict; a list cannot be one."""
    return str(key) if isinstance(key, list) else decode(key)


class Channel:
    """The way back to the judge; works after the program took Python apart."""

    def __init__(self, token: str) -> None:
        self.token, self.write, self.dumps = token, os.write, json.dumps
        self.handle = _out_of_reach(1)
        self.names, self.known = vars(builtins), dict(vars(builtins))

    def mend(self) -> None:
        """Bring back Python's own names; a dict's method needs none of them."""
        self.names.update(self.known)

    def tell(self, kind: str, **details: Any) -> None:
        self.mend()
        line = f"{self.token} {self.dumps({'kind': kind, **details})}\n".encode()
        while line:
            line = line[self.write(self.handle, line) :]


def _out_of_reach(handle: int) -> int:
    """A copy of a descriptor, with a high number where the system allows."""
    if sys.platform != "win32":
        import fcntl

        with suppress(OSError):
            return fcntl.fcntl(handle, fcntl.F_DUPFD_CLOEXEC, HIGH)
    return os.dup(handle)


def limit(memory_bytes: int) -> None:
    """Bound memory, files and time of this process, where the system can."""
    if sys.platform == "win32":
        return  # the judge's clock is the only limit
    import resource

    wanted = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_FSIZE: MOST_FILE_BYTES,
        resource.RLIMIT_CPU: CPU_S,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in wanted.items():
        with suppress(OSError, ValueError):
            hard = resource.getrlimit(kind)[1]
            least = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (least, hard))


def refuse_others(event: str, _arguments: tuple[Any, ...]) -> None:
    """An audit hook: other programs are neither started nor ended."""
    if event in OTHERS:
        raise OtherProgram(event)


def trouble(error: BaseException, path: str, source: bytes) -> dict[str, Any]:
    """What an exception says, and the last line of the program that it came through."""
    line, at = None, error.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename == path:
            line = at.tb_lineno
        at = at.tb_next
    if isinstance(error, SyntaxError) and error.filename == path:
        line = error.lineno
    said = ""
    with suppress(Exception):
        said = str(error.msg if isinstance(error, SyntaxError) else error)[:400]
    lines = source.splitlines()
    code = lines[line - 1] if line is not None and 0 < line <= len(lines) else b""
    return {
        "error": type(error).__name__,
        "syntax": isinstance(error, SyntaxError),
        "said": said,
        "line": line,
        "code": code.decode("utf-8", "replace").strip()[:100],
    }


def load(path: str, source: bytes) -> types.ModuleType:
    """The program's module. Raises whatever it raises."""
    module = types.ModuleType("exercise")
    module.__file__ = path
    sys.modules["exercise"] = module
    sys.path.append(str(Path(path).parent))  # last: a random.py there does no harm
    exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)  # noqa: S102
    return module


def counting() -> Callable[[], int]:
    """From now on calls of `compress` are counted; gives how many since it was asked last."""
    from miner.bitcoin import sha256

    compress, calls = sha256.compress, [0]

    def counted(*arguments: Any) -> Any:
        calls[0] += 1
        return compress(*arguments)

    def since() -> int:
        count, calls[0] = calls[0], 0
        return count

    sha256.compress = counted  # type: ignore[assignment]
    return since


def run(order: dict[str, Any], channel: Channel) -> None:
    """Load the program and call its function with each case."""
    path, source = order["path"], bytes.fromhex(order["source"])
    since = counting() if order["counted"] else lambda: 0
    sys.addaudithook(refuse_others)
    channel.tell("ready")
    try:
        module = load(path, source)
    except ANYTHING as error:
        channel.mend()
        channel.tell("unloaded", **trouble(error, path, source))
        return
    channel.tell("loaded")
    names = vars(module)
    function = names.get(order["function"])
    if not callable(function):
        own = [name for name, one in names.items() if isinstance(one, types.FunctionType)]
        channel.tell("missing", names=own[:20])
        return
    for place, given in enumerate(order["cases"]):
        channel.tell("begun", place=place)
        since()
        try:
            value = function(*[decode(one) for one in given])
        except ANYTHING as error:
            channel.mend()
            channel.tell("raised", place=place, **trouble(error, path, source))
        else:
            channel.mend()
            channel.tell("returned", place=place, value=encode(value), calls=since())


def main() -> NoReturn:
    """Read the order, go out of the program's way, run it, and leave threads behind."""
    order = json.loads(sys.stdin.readline())
    channel = Channel(order["token"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, write_through=True, errors="backslashreplace")  # type: ignore[union-attr]
    limit(order["memory"])
    leave = os._exit
    run(order, channel)
    channel.tell("done")
    leave(0)


if __name__ == "__main__":
    main()
