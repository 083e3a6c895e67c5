"""Asking room_status to tell again what a replay found missing: wishes on a topic of their own, no decision in them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import msgspec

from cli.replay.report import Report
from shared.contracts import envelope as envelopes
from shared.contracts import repair
from shared.contracts.envelope import Envelope
from shared.contracts.repair import Repair
from shared.contracts.topics import REPAIRS
from shared.organisations.enrolment import NOBODY
from shared.ports.log import NewRecord

IDS_A_RECORD = 500


def repairs(report: Report) -> Iterator[NewRecord]:
    """One record for each partition that lacks something; more where it lacks very much."""
    for stretch, missing in report.missing():
        ids = [each.id for each in missing]
        for start in range(0, len(ids), IDS_A_RECORD):
            wish = Repair(begin=stretch.begin, end=stretch.end, ids=tuple(ids[start : start + IDS_A_RECORD]))
            yield NewRecord(REPAIRS.name, stretch.partition, str(stretch.partition).encode(), _value(wish))


def _value(wish: Repair) -> bytes:
    return envelopes.encode(
        Envelope(
            id=f"repair/{uuid.uuid4().hex}",
            type=repair.TYPE,
            tenant=NOBODY,
            payload=msgspec.Raw(msgspec.json.encode(wish)),
        )
    )
