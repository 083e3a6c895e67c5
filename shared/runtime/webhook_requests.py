"""Makes the records of `webhook-requests`: what an administrator wants of an endpoint's deliveries."""

from __future__ import annotations

import uuid

import msgspec

from shared.contracts import envelope as envelopes
from shared.contracts.envelope import Envelope
from shared.contracts.topics import WEBHOOK_REQUESTS
from shared.contracts.webhook_records import REQUEST_TYPE, WebhookRequest, backlog_key
from shared.ports.log import NewRecord


def webhook_request_record(tenant: str, endpoint: str, request: WebhookRequest, partition: int) -> NewRecord:
    """Return the record of one request, in the partition that it concerns."""
    value = envelopes.encode(
        Envelope(
            id=f"{REQUEST_TYPE}/{uuid.uuid4().hex}",
            type=REQUEST_TYPE,
            tenant=tenant,
            payload=msgspec.Raw(msgspec.json.encode(request)),
        )
    )
    return NewRecord(WEBHOOK_REQUESTS.name, partition, backlog_key(tenant, endpoint), value)
