"""Makes notifications as a provider would send them, with valid proof. Pure but for the ids it is given."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from shared.domain.identity import Mailbox, Provider
from shared.domain.instants import DAY_MS, to_rfc3339
from shared.domain.proof import HookKeys, mint
from shared.providers.catalogue import profile_of

NewId = Callable[[], str]
"""Makes a fresh GUID."""


@dataclass(frozen=True, slots=True)
class Push:
    """One request to the receiver."""

    path: str
    headers: dict[str, str]
    body: str

    def as_json(self) -> str:
        """Return the line that `trigger --print` writes."""
        return json.dumps(asdict(self))


def make_graph_push(keys: HookKeys, mailbox: Mailbox, new_id: NewId, now_ms: int) -> Push:
    """Make a batch of one change notification, shaped like Graph's."""
    event = f"AAMkTrigger{new_id().replace('-', '')}"
    item = {
        "subscriptionId": new_id(),
        "subscriptionExpirationDateTime": to_rfc3339(now_ms + DAY_MS),
        "changeType": "updated",
        "resource": f"Users/{new_id()}/Events/{event}",
        "resourceData": {"@odata.type": "#Microsoft.Graph.Event", "id": event},
        "clientState": mint(keys, mailbox, Provider.MICROSOFT),
        "tenantId": new_id(),
    }
    return Push(
        profile_of(Provider.MICROSOFT).hooks.path, {"Content-Type": "application/json"}, json.dumps({"value": [item]})
    )


def make_google_push(keys: HookKeys, mailbox: Mailbox, new_id: NewId, number: int) -> Push:
    """Make a channel message of Google: everything is in the headers."""
    channel = new_id()
    headers = {
        "X-Goog-Channel-ID": channel,
        "X-Goog-Channel-Token": mint(keys, mailbox, Provider.GOOGLE, channel),
        "X-Goog-Message-Number": str(number),
        "X-Goog-Resource-ID": new_id(),
        "X-Goog-Resource-State": "exists",
        "X-Goog-Resource-URI": "https://www.googleapis.com/calendar/v3/calendars/primary/events?alt=json",
    }
    return Push(profile_of(Provider.GOOGLE).hooks.path, headers, "")


def make_synthetic_mailboxes(count: int) -> list[Mailbox]:
    """Make up mailboxes: their proof is valid, nobody has connected them."""
    return [Mailbox("t-synthetic", f"u-{number:04d}") for number in range(count)]
