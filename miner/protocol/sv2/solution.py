"""What a submit says of a share, apart from its number: to be sent, and for the journal."""

import json
from dataclasses import asdict, dataclass

from miner.errors import LocalProtocolError
from miner.protocol.sv2.messages import Message, SubmitSharesExtended, SubmitSharesStandard
from miner.protocol.sv2.work import JobId
from miner.work.found import FoundBlock, Share

KIND = "sv2"  # of a FoundBlock


@dataclass(frozen=True, slots=True)
class Solution:
    """The fields of SubmitSharesStandard or SubmitSharesExtended."""

    channel_id: int
    job_id: int
    nonce: int
    ntime: int
    version: int
    extranonce: str | None  # hex; None on a standard channel

    @classmethod
    def of(cls, share: Share) -> "Solution":
        """Raises LocalProtocolError for a share of another protocol."""
        job, unit = share.unit.job, share.unit
        if not isinstance(job.context, JobId):
            raise LocalProtocolError(f"job {job.job_id!r} is not of a Stratum v2 pool")
        standard = job.context.standard
        extranonce = None if standard else unit.extranonce2.hex()
        ids = (job.context.channel_id, job.context.job_id)
        return cls(*ids, share.nonce, unit.ntime, share.version, extranonce)

    @classmethod
    def unpack(cls, block: FoundBlock) -> "Solution":
        """Of a block that `pack` made."""
        return cls(**json.loads(block.payload))

    def pack(self, share: Share, connection: str, found_at: int) -> FoundBlock:
        """`connection` names the only one that can take the block."""
        job = share.unit.job
        return FoundBlock(
            source=job.source,
            hash_hex=share.hash_hex,
            height=job.height,
            header=share.header,
            kind=KIND,
            payload=json.dumps(asdict(self)),
            context=connection,
            found_at=found_at,
        )

    def message(self, number: int) -> Message:
        """The message with this sequence number."""
        values = (self.channel_id, number, self.job_id, self.nonce, self.ntime, self.version)
        if self.extranonce is None:
            return SubmitSharesStandard(*values)
        return SubmitSharesExtended(*values, bytes.fromhex(self.extranonce))
