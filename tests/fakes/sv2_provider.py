"""A template provider for tests, without I/O: it packs, parses and judges by code of its own.

A solution is taken apart, its coinbase hashed without witness, its header rebuilt and hashed; a
good one becomes the next previous hash when the test says so.
"""

import struct
from dataclasses import dataclass, field

from tests.fakes import sv2_noise
from tests.fakes.sv2_pool import AUTHORITY, NOW, sha256d, target_of, text

COMMITMENT = bytes.fromhex(  # of a block without transactions
    "6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9"
)
VALUE = 2_500_000_123


def height_push(height: int) -> bytes:
    number = height.to_bytes((height.bit_length() + 8) // 8, "little")
    return bytes([len(number)]) + number


@dataclass
class FakeProvider:
    """One connection's server side."""

    valid_from: int = NOW - 3600
    refuse_setup: str = ""
    used_version: int = 2
    transactions: tuple[bytes, ...] = ()
    nbits: int = 0x207FFFFF
    prev: bytes = bytes(32)
    received: list[int] = field(default_factory=list)
    reserved: int = -1  # bytes the client wants for its outputs
    sigops: int = -1  # what they cost
    good: list[bytes] = field(default_factory=list)  # hashes of valid solutions, as hashed
    bad: list[str] = field(default_factory=list)
    given: dict[int, tuple[bytes, bytes, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._buffer = b""
        self._inbox: sv2_noise.Box | None = None
        self._outbox: sv2_noise.Box | None = None

    def feed(self, data: bytes) -> bytes:
        """What the client sent; what to send back."""
        self._buffer += data
        answer = b""
        if self._inbox is None:
            static = sv2_noise.Key()
            signed = sv2_noise.certificate(AUTHORITY, static.public, self.valid_from, 2**32 - 1)
            answer, self._inbox, self._outbox = sv2_noise.respond(
                self._buffer[:64], sv2_noise.Key(), static, signed
            )
            self._buffer = self._buffer[64:]
        frames, self._buffer = self._inbox.open_frames(self._buffer), b""
        for head, payload in frames:
            assert head[:2] == b"\0\0", "no message of this protocol belongs to a channel"
            self.received.append(head[2])
            answer += self._answer(head[2], payload)
        return answer

    def send(self, number: int, payload: bytes) -> bytes:
        assert self._outbox is not None
        return self._outbox.seal_frame(b"\0\0" + bytes([number]), payload)

    def _answer(self, number: int, payload: bytes) -> bytes:
        if number == 0x00:
            assert payload[0] == 2
            if self.refuse_setup:
                return self.send(2, bytes(4) + text(self.refuse_setup))
            return self.send(1, struct.pack("<HI", self.used_version, 0))
        if number == 0x70:
            self.reserved, self.sigops = struct.unpack("<IH", payload)
        if number == 0x73:
            body = b"".join(len(tx).to_bytes(3, "little") + tx for tx in self.transactions)
            count = struct.pack("<H", len(self.transactions))
            return self.send(0x74, payload + b"\0\0" + count + body)
        if number == 0x76:
            self._judge(payload)
        return b""

    # -- what a test makes it send

    def send_template(self, number: int, height: int, *, future: bool = True) -> bytes:
        path = self._path()
        outputs = struct.pack("<q", 0) + bytes([len(COMMITMENT)]) + COMMITMENT
        body = struct.pack("<QBI", number, future, 0x20000000) + struct.pack("<I", 2)
        script = height_push(height)
        body += bytes([len(script)]) + script + struct.pack("<I", 0xFFFFFFFE)
        body += struct.pack("<QI", VALUE, 1) + struct.pack("<H", len(outputs)) + outputs
        body += struct.pack("<I", height - 1) + bytes([len(path)]) + b"".join(path)
        self.given[number] = (script, outputs, height - 1)
        return self.send(0x71, body)

    def send_tip(self, number: int, prev: bytes, timestamp: int = NOW) -> bytes:
        self.prev = prev
        body = struct.pack("<Q", number) + prev + struct.pack("<II", timestamp, self.nbits)
        return self.send(0x72, body + target_of(self.nbits).to_bytes(32, "little"))

    def _path(self) -> list[bytes]:
        """Of at most one transaction: its id is the only node."""
        assert len(self.transactions) <= 1
        return [sha256d(tx) for tx in self.transactions]

    def _judge(self, payload: bytes) -> None:
        number, version, timestamp, nonce, size = struct.unpack("<QIIIH", payload[:22])
        tx = payload[22:]
        if len(tx) != size or number not in self.given:
            self.bad.append("malformed, or a template never given")
            return
        script, outputs, locktime = self.given[number]
        bare = tx[:4] + tx[6:-38] + tx[-4:]
        script_size = bare[41]
        rest = bare[42 + script_size :]
        if tx[4:6] != b"\0\x01" or tx[-38:-4] != b"\x01\x20" + bytes(32):
            self.bad.append("no witness")
        elif not bare[42:].startswith(script) or script_size > 100:
            self.bad.append("script")
        elif rest[:4] != struct.pack("<I", 0xFFFFFFFE) or rest[-4:] != struct.pack("<I", locktime):
            self.bad.append("sequence or locktime")
        elif rest[4] != 2 or struct.unpack("<q", rest[5:13])[0] != VALUE:
            self.bad.append("outputs")
        elif not rest[:-4].endswith(outputs) or len(rest) != 9 + self.reserved + len(outputs):
            self.bad.append("the provider's outputs go last, ours take what was reserved")
        else:
            self._judge_header(bare, version, timestamp, nonce)

    def _judge_header(self, bare: bytes, version: int, timestamp: int, nonce: int) -> None:
        root = sha256d(bare)
        for node in self._path():
            root = sha256d(root + node)
        header = struct.pack("<I", version) + self.prev + root
        header += struct.pack("<III", timestamp, self.nbits, nonce)
        digest = sha256d(header)
        if int.from_bytes(digest, "little") <= target_of(self.nbits):
            self.good.append(digest)
        else:
            self.bad.append("too little work")
