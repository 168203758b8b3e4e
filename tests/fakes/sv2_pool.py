"""A Stratum v2 pool for tests: it packs, parses and judges by code of its own, without I/O.

Feed it what the client sends and pass on what it returns; the calls that begin with `send_` give
the bytes of a message to the client. Every share is rebuilt to its 80 bytes and hashed here. The
switches make it behave as real servers were seen to, well and badly.
"""

import hashlib
import struct
from dataclasses import dataclass, field

from tests.fakes import sv2_noise

AUTHORITY = b"\x07" * 32
NOW = 1_790_000_000
CHANNEL_BIT = 0x8000
PREFIX = bytes.fromhex(
    "02000000010000000000000000000000000000000000000000000000000000000000000000ffffffff25"
)
SUFFIX = bytes.fromhex(
    "feffffff0200f9029500000000160014751e76e8199196d454941c45d1b3a323f1433bd6"
    "0000000000000000266a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9"
    "00000000"
)


def sha256d(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def text(value: str) -> bytes:
    return bytes([len(value.encode())]) + value.encode()


def target_of(nbits: int) -> int:
    return (nbits & 0x7FFFFF) << (8 * ((nbits >> 24) - 3))


def coinbase_prefix(height: int) -> bytes:
    """Up to the extranonce: the height, then a tag so that 20 bytes of extranonce follow."""
    number = height.to_bytes((height.bit_length() + 8) // 8, "little")
    script = bytes([len(number)]) + number
    script += b"/fake sv2 pool/"[: 0x25 - 20 - len(script)].ljust(0x25 - 20 - len(script), b"/")
    return PREFIX + script


@dataclass
class PoolJob:
    """A job given out, with the terms that bind its shares."""

    job_id: int
    version: int
    rolling: bool
    prefix: bytes = b""
    suffix: bytes = b""
    path: tuple[bytes, ...] = ()
    extranonce_prefix: bytes = b""
    root: bytes = b""
    target: int = 0
    prev: bytes = b""
    min_ntime: int = 0
    nbits: int = 0
    alive: bool = True


@dataclass
class Submitted:
    """One share as judged here."""

    sequence: int
    job_id: int
    header: bytes
    verdict: str  # "ok", or the error code
    worker: str = ""


@dataclass
class FakeSv2Pool:
    """One connection's server side."""

    flags: int = 0  # of SetupConnection.Success
    used_version: int = 2
    knows_extensions: bool = True
    refuse_setup: tuple[int, str] | None = None
    refuse_open: str = ""
    refuse_extended: bool = False
    extranonce_size: int = 16
    batch: int = 1  # successes are told by so many
    group_id: int = 1
    channel_id: int = 2
    target: int = 2**256 - 1
    valid_from: int = NOW - 3600
    not_valid_after: int = NOW + 3600
    nbits: int = 0x207FFFFF
    static: sv2_noise.Key = field(default_factory=sv2_noise.Key)
    received: list[tuple[int, int, bytes]] = field(default_factory=list)
    shares: list[Submitted] = field(default_factory=list)
    jobs: dict[int, PoolJob] = field(default_factory=dict)
    rates: list[float] = field(default_factory=list)
    flags_asked: int = -1
    user: str = ""
    easiest: int = 0  # target that the client takes
    names: list[str] = field(default_factory=list)  # host, vendor, hardware, firmware, device
    standard: bool = False
    by_group: bool = False  # address jobs to the group, as SRI does after the first
    silent: bool = False  # answers no share

    def __post_init__(self) -> None:
        self.extranonce_prefix = b"\x01\x00\x00\x02"
        self._buffer = b""
        self._inbox: sv2_noise.Box | None = None
        self._outbox: sv2_noise.Box | None = None
        self.next_job = 1
        self._tip: tuple[bytes, int] | None = None
        self._seen: set[bytes] = set()
        self._untold: list[int] = []
        self._extension = False

    # -- bytes

    def feed(self, data: bytes) -> bytes:
        """What the client sent; what to send back."""
        self._buffer += data
        answer = b""
        if self._inbox is None:
            if len(self._buffer) < 64:
                return b""
            signed = sv2_noise.certificate(
                AUTHORITY, self.static.public, self.valid_from, self.not_valid_after
            )
            answer, self._inbox, self._outbox = sv2_noise.respond(
                self._buffer[:64], sv2_noise.Key(), self.static, signed
            )
            self._buffer = self._buffer[64:]
        frames, self._buffer = self._inbox.open_frames(self._buffer), b""
        for head, payload in frames:
            extension = head[0] | head[1] << 8
            self.received.append((extension, head[2], payload))
            answer += self._answer(extension, head[2], payload)
        return answer

    def send(self, number: int, payload: bytes, extension: int = 0) -> bytes:
        assert self._outbox is not None
        head = extension.to_bytes(2, "little") + bytes([number])
        return self._outbox.seal_frame(head, payload)

    def _channel(self, number: int, payload: bytes) -> bytes:
        return self.send(number, payload, CHANNEL_BIT)

    def _answer(self, extension: int, number: int, payload: bytes) -> bytes:
        if extension == 1:
            if not self.knows_extensions:
                return b""
            self._extension = True
            return self.send(1, payload[:2] + b"\x01\x00\x02\x00", 1)
        handlers = {
            0x00: self._setup, 0x10: self._open_standard, 0x13: self._open_extended,
            0x16: self._update, 0x1A: self._submit, 0x1B: self._submit,
        }  # fmt: skip
        return handlers[number](payload) if number in handlers else b""

    def _setup(self, payload: bytes) -> bytes:
        assert payload[0] == 0 and struct.unpack("<HH", payload[1:5]) == (2, 2)
        (self.flags_asked,) = struct.unpack("<I", payload[5:9])
        rest, self.names = payload[9:], []
        for skip in (2, 0, 0, 0, 0):  # the port stands behind the host
            self.names.append(rest[1 : 1 + rest[0]].decode())
            rest = rest[1 + rest[0] + skip :]
        assert rest == b""
        if self.refuse_setup is not None:
            flags, code = self.refuse_setup
            return self.send(2, struct.pack("<I", flags) + text(code))
        return self.send(1, struct.pack("<HI", self.used_version, self.flags))

    def _open_standard(self, payload: bytes) -> bytes:
        self.standard = True
        request, self.user, self.rates = self._request(payload)
        if self.refuse_open:
            return self.send(0x12, request + text(self.refuse_open))
        self.extranonce_prefix = self.extranonce_prefix.ljust(20, b"\0")
        body = request + struct.pack("<I", self.channel_id) + self.target.to_bytes(32, "little")
        body += bytes([len(self.extranonce_prefix)]) + self.extranonce_prefix
        return self.send(0x11, body + struct.pack("<I", self.group_id))

    def _open_extended(self, payload: bytes) -> bytes:
        request, self.user, self.rates = self._request(payload)
        if self.refuse_extended:
            return self.send(0x12, request + text("extended-channels-not-supported"))
        if self.refuse_open:
            return self.send(0x12, request + text(self.refuse_open))
        body = request + struct.pack("<I", self.channel_id) + self.target.to_bytes(32, "little")
        body += struct.pack("<H", self.extranonce_size)
        body += bytes([len(self.extranonce_prefix)]) + self.extranonce_prefix
        return self.send(0x14, body + struct.pack("<I", self.group_id))

    def _request(self, payload: bytes) -> tuple[bytes, str, list[float]]:
        length = payload[4]
        user = payload[5 : 5 + length].decode()
        (rate,) = struct.unpack("<f", payload[5 + length : 9 + length])
        self.easiest = int.from_bytes(payload[9 + length : 41 + length], "little")
        return payload[:4], user, [rate]

    def _update(self, payload: bytes) -> bytes:
        self.rates.append(struct.unpack("<f", payload[4:8])[0])
        return self.send_target(self.target)

    # -- what a test makes it send

    def send_job(
        self,
        height: int,
        *,
        future: bool = True,
        min_ntime: int = 0,
        rolling: bool = True,
        path: tuple[bytes, ...] = (),
        job_id: int | None = None,
    ) -> bytes:
        """A job; on a standard channel the root is computed here, unless it goes to the group."""
        number = self.next_job if job_id is None else job_id
        self.next_job = number + 1
        job = PoolJob(number, 0x30000000, rolling, coinbase_prefix(height), SUFFIX, path)
        job.extranonce_prefix, job.target = self.extranonce_prefix, self.target
        if self._tip is not None and not future:
            job.prev, job.min_ntime, job.nbits = self._tip[0], min_ntime, self.nbits
        self.jobs[number] = job
        channel = self.group_id if self.by_group else self.channel_id
        when = b"\0" if future else b"\x01" + struct.pack("<I", min_ntime)
        head = struct.pack("<II", channel, number) + when + struct.pack("<I", job.version)
        if self.standard and not self.by_group:
            job.root = self._root(job, b"")
            return self._channel(0x15, head + job.root)
        body = head + bytes([rolling]) + bytes([len(path)]) + b"".join(path)
        body += struct.pack("<H", len(job.prefix)) + job.prefix
        return self._channel(0x1F, body + struct.pack("<H", len(SUFFIX)) + SUFFIX)

    def send_tip(self, job_id: int, prev: bytes, min_ntime: int) -> bytes:
        """SetNewPrevHash: every job but this one is dead."""
        self._tip = prev, min_ntime
        for number, other in self.jobs.items():
            other.alive = number == job_id
        if (job := self.jobs.get(job_id)) is not None:
            job.prev, job.min_ntime, job.nbits, job.target = (
                prev,
                min_ntime,
                self.nbits,
                self.target,
            )
        channel = self.group_id if self.by_group else self.channel_id
        body = struct.pack("<II", channel, job_id) + prev
        return self._channel(0x20, body + struct.pack("<II", min_ntime, self.nbits))

    def send_target(self, target: int) -> bytes:
        self.target = target
        channel = self.group_id if self.by_group else self.channel_id
        return self._channel(0x21, struct.pack("<I", channel) + target.to_bytes(32, "little"))

    def send_prefix(self, prefix: bytes) -> bytes:
        self.extranonce_prefix = prefix
        head = struct.pack("<I", self.channel_id)
        return self._channel(0x19, head + bytes([len(prefix)]) + prefix)

    def send_group(self, group_id: int, *channels: int) -> bytes:
        self.group_id = group_id
        body = struct.pack("<IH", group_id, len(channels))
        return self.send(0x25, body + b"".join(struct.pack("<I", one) for one in channels))

    def send_close(self, channel: int, reason: str) -> bytes:
        return self._channel(0x18, struct.pack("<I", channel) + text(reason))

    def send_reconnect(self, host: str, port: int) -> bytes:
        return self.send(4, text(host) + struct.pack("<H", port))

    # -- shares

    def _root(self, job: PoolJob, extranonce: bytes) -> bytes:
        root = sha256d(job.prefix + job.extranonce_prefix + extranonce + job.suffix)
        for node in job.path:
            root = sha256d(root + node)
        return root

    def _submit(self, payload: bytes) -> bytes:
        channel, sequence, job_id, nonce, ntime, version = struct.unpack("<6I", payload[:24])
        extranonce, worker = b"", ""
        if not self.standard:
            size = payload[24]
            extranonce, rest = payload[25 : 25 + size], payload[25 + size :]
            if self._extension:
                assert rest[:3] == b"\x02\x00\x01"
                assert len(rest) == 5 + int.from_bytes(rest[3:5], "little")
                worker = rest[5:].decode()
        job = self.jobs.get(job_id)
        header, verdict = b"", "invalid-channel-id"
        if channel == self.channel_id:
            header, verdict = self._judge(job, extranonce, nonce, ntime, version)
        self.shares.append(Submitted(sequence, job_id, header, verdict, worker))
        if self.silent:
            return b""
        head = struct.pack("<II", channel, sequence)
        if verdict != "ok":
            return self._channel(0x1D, head + text(verdict))
        self._untold.append(sequence)
        if len(self._untold) < self.batch:
            return b""
        told, self._untold = len(self._untold), []
        return self._channel(0x1C, head + struct.pack("<IQ", told, 0))

    def _judge(
        self, job: PoolJob | None, extranonce: bytes, nonce: int, ntime: int, version: int
    ) -> tuple[bytes, str]:
        if job is None:
            return b"", "invalid-job-id"
        if not job.alive:
            return b"", "stale-share"
        if not self.standard and len(extranonce) != self.extranonce_size:
            return b"", "bad-extranonce-size"
        changed = version ^ job.version
        if changed & ~0x1FFFE000 or (changed and not job.rolling):
            return b"", "invalid-non-rollable-version-bit"
        header = struct.pack("<I", version) + job.prev + (job.root or self._root(job, extranonce))
        header += struct.pack("<III", ntime, job.nbits, nonce)
        if ntime < job.min_ntime:
            return header, "invalid-share"
        if header in self._seen:
            return header, "duplicate-share"
        self._seen.add(header)
        value = int.from_bytes(sha256d(header), "little")
        return header, "ok" if value <= job.target else "difficulty-too-low"
