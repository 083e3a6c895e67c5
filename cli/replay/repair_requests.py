"""Makes the records that ask room_status to publish what a replay found missing. They carry ids, no decision."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import msgspec

from cli.replay.report import ReplayReport
from shared.contracts import envelope as envelopes
from shared.contracts import repair
from shared.contracts.envelope import Envelope
from shared.contracts.repair import Repair
from shared.contracts.topics import REPAIRS
from shared.organisations.enrolment import NOBODY
from shared.ports.log import NewRecord

IDS_A_RECORD = 500


def make_repair_records(report: ReplayReport) -> Iterator[NewRecord]:
    """Yield a record for each partition that lacks events; several where it lacks more than `IDS_A_RECORD`."""
    for offsets, missing in report.missing():
        ids = [each.id for each in missing]
        for start in range(0, len(ids), IDS_A_RECORD):
            request = Repair(begin=offsets.begin, end=offsets.end, ids=tuple(ids[start : start + IDS_A_RECORD]))
            yield NewRecord(REPAIRS.name, offsets.partition, str(offsets.partition).encode(), _encode_repair(request))


def _encode_repair(request: Repair) -> bytes:
    return envelopes.encode(
        Envelope(
            id=f"repair/{uuid.uuid4().hex}",
            type=repair.TYPE,
            tenant=NOBODY,
            payload=msgspec.Raw(msgspec.json.encode(request)),
        )
    )
