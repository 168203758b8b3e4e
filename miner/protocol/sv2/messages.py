"""The messages of Stratum v2 that a miner sends or gets, as data.

A message is a frozen class whose annotations are its fields in the order of the wire. Its type
number, its extension, and whether its frame is marked as belonging to a channel stand in KIND.
`parse` and `encode` are all the code there is. Bytes that follow the known fields belong to
extensions and are ignored, as the specification asks.

Hashes are bytes as hashed; targets are numbers. Coinbase parts come without the witness fields of
BIP 141, but for SubmitSolution's. Source: Stratum v2 specification, chapters 3, 5, 7 and extension
0x0001; older peers mark channel messages otherwise, so the mark of what comes is not looked at.
"""

from dataclasses import dataclass, fields
from typing import Annotated, ClassVar, NamedTuple, get_type_hints

from miner.protocol.sv2 import wire
from miner.protocol.sv2.frames import Frame

U8 = Annotated[int, wire.U8]
U16 = Annotated[int, wire.U16]
U32 = Annotated[int, wire.U32]
U64 = Annotated[int, wire.U64]
U256 = Annotated[int, wire.U256]
Hash = Annotated[bytes, wire.HASH]
Flag = Annotated[bool, wire.BOOL]
F32 = Annotated[float, wire.F32]
Str = Annotated[str, wire.STR]
B32 = Annotated[bytes, wire.B0_32]
B255 = Annotated[bytes, wire.B0_255]
B64K = Annotated[bytes, wire.B0_64K]
MaybeU32 = Annotated[int | None, wire.optional(wire.U32)]
Hashes = Annotated[tuple[bytes, ...], wire.sequence(1, wire.HASH)]
U16s = Annotated[tuple[int, ...], wire.sequence(2, wire.U16)]
U32s = Annotated[tuple[int, ...], wire.sequence(2, wire.U32)]
Transactions = Annotated[tuple[bytes, ...], wire.sequence(2, wire.B0_16M)]

MINING, TEMPLATES = 0, 2  # protocols, as SetupConnection names them
REQUIRES_STANDARD_JOBS, REQUIRES_VERSION_ROLLING = 0x1, 0x4  # flags of ours
REQUIRES_FIXED_VERSION, REQUIRES_EXTENDED_CHANNELS = 0x1, 0x2  # flags of a mining server
EXTENSIONS = 0x0001  # the extension that negotiates extensions
WORKER_IDENTITY = 0x0002  # names the device behind each share of an extended channel


class Kind(NamedTuple):
    """Where a message stands in the protocol."""

    number: int
    channel: bool = False
    extension: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """Any of them."""

    KIND: ClassVar[Kind]


@dataclass(frozen=True, slots=True)
class SetupConnection(Message):
    KIND = Kind(0x00)
    protocol: U8
    min_version: U16
    max_version: U16
    flags: U32
    endpoint_host: Str
    endpoint_port: U16
    vendor: Str
    hardware_version: Str
    firmware: Str
    device_id: Str


@dataclass(frozen=True, slots=True)
class SetupSuccess(Message):
    KIND = Kind(0x01)
    used_version: U16
    flags: U32


@dataclass(frozen=True, slots=True)
class SetupError(Message):
    KIND = Kind(0x02)
    flags: U32  # those the server does not support; 0: another cause
    error_code: Str


@dataclass(frozen=True, slots=True)
class ChannelEndpointChanged(Message):
    KIND = Kind(0x03, channel=True)
    channel_id: U32


@dataclass(frozen=True, slots=True)
class Reconnect(Message):
    KIND = Kind(0x04)
    new_host: Str  # empty: the same
    new_port: U16  # 0: the same


@dataclass(frozen=True, slots=True)
class RequestExtensions(Message):
    KIND = Kind(0x00, extension=EXTENSIONS)
    request_id: U16
    wanted: U16s


@dataclass(frozen=True, slots=True)
class ExtensionsSuccess(Message):
    KIND = Kind(0x01, extension=EXTENSIONS)
    request_id: U16
    supported: U16s


@dataclass(frozen=True, slots=True)
class ExtensionsError(Message):
    KIND = Kind(0x02, extension=EXTENSIONS)
    request_id: U16
    unsupported: U16s
    required: U16s


@dataclass(frozen=True, slots=True)
class OpenStandardMiningChannel(Message):
    KIND = Kind(0x10)
    request_id: U32
    user_identity: Str
    nominal_hash_rate: F32  # hashes a second
    max_target: U256


@dataclass(frozen=True, slots=True)
class OpenStandardMiningChannelSuccess(Message):
    KIND = Kind(0x11)
    request_id: U32
    channel_id: U32
    target: U256
    extranonce_prefix: B32
    group_channel_id: U32


@dataclass(frozen=True, slots=True)
class OpenMiningChannelError(Message):
    KIND = Kind(0x12)
    request_id: U32
    error_code: Str


@dataclass(frozen=True, slots=True)
class OpenExtendedMiningChannel(Message):
    KIND = Kind(0x13)
    request_id: U32
    user_identity: Str
    nominal_hash_rate: F32
    max_target: U256
    min_extranonce_size: U16


@dataclass(frozen=True, slots=True)
class OpenExtendedMiningChannelSuccess(Message):
    KIND = Kind(0x14)
    request_id: U32
    channel_id: U32
    target: U256
    extranonce_size: U16
    extranonce_prefix: B32
    group_channel_id: U32


@dataclass(frozen=True, slots=True)
class NewMiningJob(Message):
    KIND = Kind(0x15, channel=True)
    channel_id: U32
    job_id: U32
    min_ntime: MaybeU32  # None: a future job
    version: U32
    merkle_root: Hash


@dataclass(frozen=True, slots=True)
class UpdateChannel(Message):
    KIND = Kind(0x16, channel=True)
    channel_id: U32
    nominal_hash_rate: F32
    maximum_target: U256


@dataclass(frozen=True, slots=True)
class UpdateChannelError(Message):
    KIND = Kind(0x17, channel=True)
    channel_id: U32
    error_code: Str


@dataclass(frozen=True, slots=True)
class CloseChannel(Message):
    KIND = Kind(0x18, channel=True)
    channel_id: U32  # a group's closes all its channels
    reason_code: Str


@dataclass(frozen=True, slots=True)
class SetExtranoncePrefix(Message):
    KIND = Kind(0x19, channel=True)
    channel_id: U32
    extranonce_prefix: B32


@dataclass(frozen=True, slots=True)
class SubmitSharesStandard(Message):
    KIND = Kind(0x1A, channel=True)
    channel_id: U32
    sequence_number: U32
    job_id: U32
    nonce: U32
    ntime: U32
    version: U32  # the whole field


@dataclass(frozen=True, slots=True)
class SubmitSharesExtended(Message):
    KIND = Kind(0x1B, channel=True)
    channel_id: U32
    sequence_number: U32
    job_id: U32
    nonce: U32
    ntime: U32
    version: U32
    extranonce: B32


@dataclass(frozen=True, slots=True)
class SubmitSharesSuccess(Message):
    KIND = Kind(0x1C, channel=True)
    channel_id: U32
    last_sequence_number: U32
    new_submits_accepted_count: U32
    new_shares_sum: U64


@dataclass(frozen=True, slots=True)
class SubmitSharesError(Message):
    KIND = Kind(0x1D, channel=True)
    channel_id: U32
    sequence_number: U32
    error_code: Str


@dataclass(frozen=True, slots=True)
class NewExtendedMiningJob(Message):
    KIND = Kind(0x1F, channel=True)
    channel_id: U32  # or a group's
    job_id: U32
    min_ntime: MaybeU32  # None: a future job
    version: U32
    version_rolling_allowed: Flag
    merkle_path: Hashes
    coinbase_tx_prefix: B64K
    coinbase_tx_suffix: B64K


@dataclass(frozen=True, slots=True)
class SetNewPrevHash(Message):
    KIND = Kind(0x20, channel=True)
    channel_id: U32  # or a group's
    job_id: U32
    prev_hash: Hash
    min_ntime: U32
    nbits: U32


@dataclass(frozen=True, slots=True)
class SetTarget(Message):
    KIND = Kind(0x21, channel=True)
    channel_id: U32  # or a group's
    maximum_target: U256


@dataclass(frozen=True, slots=True)
class SetGroupChannel(Message):
    KIND = Kind(0x25)
    group_channel_id: U32
    channel_ids: U32s


@dataclass(frozen=True, slots=True)
class CoinbaseOutputConstraints(Message):
    KIND = Kind(0x70)
    max_additional_size: U32  # serialized bytes of our outputs
    max_additional_sigops: U16


@dataclass(frozen=True, slots=True)
class NewTemplate(Message):
    KIND = Kind(0x71)
    template_id: U64
    future_template: Flag
    version: U32
    coinbase_tx_version: U32
    coinbase_prefix: B255  # start of the scriptSig: the height
    coinbase_tx_input_sequence: U32
    coinbase_tx_value_remaining: U64  # satoshis for our outputs
    coinbase_tx_outputs_count: U32
    coinbase_tx_outputs: B64K  # without their count; they stand behind ours
    coinbase_tx_locktime: U32
    merkle_path: Hashes


@dataclass(frozen=True, slots=True)
class TemplatePrevHash(Message):
    KIND = Kind(0x72)
    template_id: U64
    prev_hash: Hash
    header_timestamp: U32
    n_bits: U32
    target: U256


@dataclass(frozen=True, slots=True)
class RequestTransactionData(Message):
    KIND = Kind(0x73)
    template_id: U64


@dataclass(frozen=True, slots=True)
class TransactionData(Message):
    KIND = Kind(0x74)
    template_id: U64
    excess_data: B64K
    transactions: Transactions


@dataclass(frozen=True, slots=True)
class TransactionDataError(Message):
    KIND = Kind(0x75)
    template_id: U64
    error_code: Str


@dataclass(frozen=True, slots=True)
class SubmitSolution(Message):
    KIND = Kind(0x76)
    template_id: U64
    version: U32
    header_timestamp: U32
    header_nonce: U32
    coinbase_tx: B64K  # with the witness fields


KNOWN: dict[tuple[int, int], type[Message]] = {
    (kind.KIND.extension, kind.KIND.number): kind for kind in Message.__subclasses__()
}


def _codecs(kind: type[Message]) -> tuple[tuple[str, wire.Codec], ...]:
    hints = get_type_hints(kind, include_extras=True)
    return tuple((field.name, hints[field.name].__metadata__[0]) for field in fields(kind))


# Each field's name and codec, in the order of the wire.
CODECS = {kind: _codecs(kind) for kind in Message.__subclasses__()}


def parse(frame: Frame) -> Message | None:
    """The message of a frame; None for a type we do not know, which is to be ignored.

    Raises RemoteProtocolError that names message and field.
    """
    kind = KNOWN.get((frame.extension, frame.number))
    if kind is None:
        return None
    reader, values = wire.Reader(frame.payload), []
    for name, codec in CODECS[kind]:
        reader.field = f"{kind.__name__}: {name}"
        values.append(codec.read(reader))
    return kind(*values)


def encode(message: Message, extra: bytes = b"") -> Frame:
    """The frame of a message, with fields of extensions behind its own."""
    kind = message.KIND
    payload = b"".join(codec.write(getattr(message, name)) for name, codec in CODECS[type(message)])
    return Frame(kind.extension, kind.number, payload + extra, kind.channel)


def worker_field(name: str) -> bytes:
    """Extension 0x0002's field with the name of a device, at most 32 bytes of UTF-8.

    Little-endian like everything else: the reference implementation reads it so, though an example
    in the specification is printed the other way round.
    """
    text = name.encode()[:32].decode("utf-8", "ignore").encode()
    head = WORKER_IDENTITY.to_bytes(2, "little") + b"\x01" + len(text).to_bytes(2, "little")
    return head + text
