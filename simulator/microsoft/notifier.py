"""From a change in a mailbox to the two, three or four notifications that Outlook makes of it, batched per address."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any, Literal

from simulator.microsoft import wire
from simulator.microsoft.subscriptions import OpenSubscription, Subscriptions
from simulator.world import CalendarChange, NotThereError, Policy, Post, World

LifecycleKind = Literal["missed", "subscriptionRemoved", "reauthorizationRequired"]
LIFECYCLE_KINDS: tuple[LifecycleKind, ...] = ("missed", "subscriptionRemoved", "reauthorizationRequired")

POLICY = Policy(
    provider="microsoft",
    first_timeout_s=3.0,
    retry_timeout_s=10.0,
    waits_s=(10, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600),
    retry=lambda _: True,  # any non-2xx or timeout, 4xx included
)
_MOST = 4
_EXTRA_SHARE = 0.25

# What is seen on a subscription for one action (field reports, see the sheet in docs/): never one for one.
_PROFILES: dict[str, tuple[str, ...]] = {
    "created": ("created", "updated"),
    "invited": ("created", "updated"),
    "asked": ("created", "updated", "updated", "updated"),
    "accepted": ("created", "updated", "updated", "updated"),
    "changed": ("updated", "updated", "updated"),
    "moved": ("updated", "updated", "updated"),
    "cancelled": ("updated", "deleted"),
    "uninvited": ("updated", "deleted"),
    "declined": ("deleted", "updated"),
    "removed-by-owner": ("updated", "deleted"),
}


class Notifier:
    """Listens to the feed; what one action changes goes out together."""

    def __init__(self, world: World, subscriptions: Subscriptions) -> None:
        self._world = world
        self._subscriptions = subscriptions
        self._waiting: list[tuple[OpenSubscription, str, str, str]] = []
        world.on_change(self._changed)

    def lifecycle(self, subscription: OpenSubscription, kind: LifecycleKind) -> None:
        """Send one lifecycle notification, if an address was given; `subscriptionRemoved` removes it first."""
        if kind == "subscriptionRemoved":
            self._subscriptions.remove(subscription.id)
        if subscription.lifecycle_url:
            item = {**self._head(subscription), "lifecycleEvent": kind}
            self._send(subscription.lifecycle_url, [item], f"{kind} {subscription.id}")

    def _changed(self, change: CalendarChange) -> None:
        owner = self._world.directory.find(change.mailbox_id)
        if owner is None or owner.provider != "microsoft":
            return
        for subscription in self._subscriptions.of_mailbox(change.mailbox_id):
            if not self._waiting:
                self._world.scheduler.after(0, self._flush)
            for kind in self._kinds(change):
                if kind in subscription.kinds:
                    self._waiting.append((subscription, kind, change.event_id, change.mailbox_id))

    def _kinds(self, change: CalendarChange) -> list[str]:
        kinds = list(_PROFILES.get(change.cause, ("updated", "updated")))
        dice = self._world.ids.random("notification", change.seq)
        if len(kinds) < _MOST and dice.random() < _EXTRA_SHARE:
            kinds.append("updated")
        return kinds

    def _flush(self) -> None:
        by_url: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for subscription, kind, event_id, mailbox_id in self._waiting:
            if self._subscriptions.live(subscription.id):
                by_url[subscription.url].append(self._item(subscription, kind, event_id, mailbox_id))
        self._waiting = []
        for url, items in by_url.items():
            self._send(url, items, f"{len(items)} items")

    def _item(self, subscription: OpenSubscription, kind: str, event_id: str, mailbox_id: str) -> dict[str, Any]:
        path = f"Users/{mailbox_id}/Events/{event_id}"
        return {
            **self._head(subscription),
            "changeType": kind,
            "resource": path,
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.Event",
                "@odata.id": path,
                "@odata.etag": wire.etag(event_id, self._version(mailbox_id, event_id)),
                "id": event_id,
            },
        }

    def _head(self, subscription: OpenSubscription) -> dict[str, Any]:
        head: dict[str, Any] = {
            "subscriptionId": subscription.id,
            "subscriptionExpirationDateTime": wire.instant(subscription.expires_ms).replace("Z", "+00:00"),
            "tenantId": subscription.tenant_id,
        }
        if subscription.client_state is not None:
            head["clientState"] = subscription.client_state
        return head

    def _version(self, mailbox_id: str, event_id: str) -> int:
        try:
            return self._world.calendar.copy(mailbox_id, event_id)[0].version
        except NotThereError:
            gone = self._world.calendar.removed(mailbox_id, event_id)
            return gone.version if gone else 0

    def _send(self, url: str, items: list[dict[str, Any]], subject: str) -> None:
        body = json.dumps({"value": items}).encode()
        headers = {"Content-Type": "application/json; charset=utf-8"}
        self._world.delivery.send(Post(POLICY, url, headers, body, subject))
