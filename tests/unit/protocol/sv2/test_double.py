"""The double of a pool judged by what a real one said: same questions, same answers, byte for byte.

The recorded client's messages go in; the double's answers must be the recorded server's. Work is
the recorded one: the double cannot invent a real pool's coinbase, but it must judge its share.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.fakes.sv2_pool import FakeSv2Pool, PoolJob
from tests.unit.protocol.sv2.vectors import VECTORS

ANSWERS = (
    "SetupConnection.Success", "RequestExtensions.Success", "OpenStandardMiningChannel.Success",
    "OpenExtendedMiningChannel.Success", "SubmitShares.Success", "SubmitShares.Error", "SetTarget",
)  # fmt: skip


@dataclass
class Plain(FakeSv2Pool):
    """The double without encryption; `said` are its messages: extension, type, payload."""

    said: list[tuple[int, int, bytes]] = field(default_factory=list)

    def send(self, number: int, payload: bytes, extension: int = 0) -> bytes:
        self.said.append((extension, number, payload))
        return b""


def work(row: dict[str, Any], pool: Plain) -> None:
    """Take over the recorded server's job or tip."""
    fields = row["fields"]
    if row["name"] == "SetNewPrevHash":
        for job in pool.jobs.values():
            job.alive = job.job_id == fields["job_id"]
        job = pool.jobs[fields["job_id"]]
        job.prev, job.min_ntime = bytes.fromhex(fields["prev_hash"]), fields["min_ntime"]
        job.nbits, job.target = fields["nbits"], pool.target
        return
    job = PoolJob(fields["job_id"], fields["version"], fields.get("version_rolling_allowed", True))
    job.extranonce_prefix, job.target = pool.extranonce_prefix, pool.target
    if row["name"] == "NewMiningJob":
        job.root = bytes.fromhex(fields["merkle_root"])
    else:
        job.prefix = bytes.fromhex(fields["coinbase_tx_prefix"])
        job.suffix = bytes.fromhex(fields["coinbase_tx_suffix"])
        job.path = tuple(bytes.fromhex(node) for node in fields["merkle_path"])
    pool.jobs[job.job_id] = job


@pytest.mark.parametrize("session", ["sri_pool_extended", "sri_pool_standard"])
def test_the_double_answers_as_the_real_pool_did(session: str) -> None:
    rows = VECTORS["transcripts"][session]["messages"]
    opened = next(row["fields"] for row in rows if "MiningChannel.Success" in row["name"])
    pool = Plain(
        target=int.from_bytes(bytes.fromhex(opened["target"]), "little"),
        group_id=opened["group_channel_id"],
        channel_id=opened["channel_id"],
    )
    pool.extranonce_prefix = bytes.fromhex(opened["extranonce_prefix"])
    compared = 0
    for row in rows:
        if row["from"] == "client":
            pool._answer(
                row["extension_type"] & 0x7FFF, row["msg_type"], bytes.fromhex(row["payload"])
            )
        elif row["name"] == "SetTarget":  # how much easier is the real pool's choice
            extension, number, payload = pool.said.pop(0)
            assert (extension, number, payload[:4]) == (
                0x8000,
                0x21,
                bytes.fromhex(row["payload"])[:4],
            )
            pool.target = int.from_bytes(bytes.fromhex(row["payload"])[4:], "little")
        elif row["name"] in ANSWERS:
            wanted = row["extension_type"], row["msg_type"], bytes.fromhex(row["payload"])
            assert pool.said.pop(0) == wanted, row["name"]
            compared += 1
        else:
            work(row, pool)
    assert pool.said == [] and compared >= 4
    assert [share.verdict for share in pool.shares[:2]] == ["ok", "invalid-job-id"]
    share = VECTORS["transcripts"][session]["share"]
    assert pool.shares[0].header.hex() == share["header"]
