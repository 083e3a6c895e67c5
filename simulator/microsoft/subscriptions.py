"""Change-notification subscriptions: their rules, their handshake, their lives on the world's clock."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from simulator.microsoft import wire
from simulator.microsoft.errors import GraphError, refuse
from simulator.microsoft.handshake import shake
from simulator.world import Principal, World

MINUTE_MS = 60_000
MIN_LIFE_MS = 45 * MINUTE_MS
MAX_LIFE_MS = 10_080 * MINUTE_MS
MAX_CLIENT_STATE = 128
_KINDS = {"created", "updated", "deleted"}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_RESOURCE = re.compile(r"^/?(?:me|users(?:/([^/()]+)|\('([^']+)'\)))/events/?$", re.IGNORECASE)


@dataclass(slots=True)
class OpenSubscription:
    """One standing request to be told of a mailbox's events."""

    id: str
    client_id: str
    user_id: str
    mailbox_id: str
    tenant_id: str
    resource: str
    kinds: frozenset[str]
    change_type: str
    url: str
    lifecycle_url: str | None
    client_state: str | None
    expires_ms: int
    created_ms: int
    renewed_ms: int | None = None
    reauthorized_ms: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """As Graph shows it."""
        return {
            "id": self.id,
            "resource": self.resource,
            "applicationId": self.client_id,
            "changeType": self.change_type,
            "clientState": self.client_state,
            "notificationUrl": self.url,
            "lifecycleNotificationUrl": self.lifecycle_url,
            "expirationDateTime": wire.instant(self.expires_ms),
            "creatorId": self.user_id,
            "includeResourceData": None,
            "latestSupportedTlsVersion": "v1_2",
        }


class Subscriptions:
    """Every subscription that is alive. The handshake is made outside the world's lock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._all: dict[str, OpenSubscription] = {}
        world.faults.declare("validateOnRenewal", False, "Microsoft: a renewal makes the handshake again")
        world.subscription_listings["microsoft"] = self.list_all

    def create(self, principal: Principal, sent: dict[str, Any]) -> OpenSubscription:
        """Check, shake hands with both addresses, keep. Raises GraphError 400, 403, 409."""
        with self._world.lock:
            made = self._checked(principal, sent)
            self._refuse_twin(made)
        for url in filter(None, (made.url, made.lifecycle_url)):
            self.handshake(url)
        with self._world.lock:
            self._refuse_twin(made)
            self._all[made.id] = made
        return made

    def renew(self, principal: Principal, subscription_id: str, sent: dict[str, Any]) -> OpenSubscription:
        """Change the expiry or the address. Raises GraphError 400, 404."""
        unknown = {name for name in sent if not name.startswith("@")} - {"expirationDateTime", "notificationUrl"}
        if unknown or not {"expirationDateTime", "notificationUrl"} & set(sent):
            refuse("Only expirationDateTime and notificationUrl can be updated.")
        with self._world.lock:
            found = self.get(principal, subscription_id)
            expires_ms = self._expiry(sent["expirationDateTime"]) if "expirationDateTime" in sent else found.expires_ms
            url = _address(sent["notificationUrl"]) if "notificationUrl" in sent else found.url
            again = url != found.url or self._world.faults.get("validateOnRenewal", "microsoft")
        if again:
            self.handshake(url)
        with self._world.lock:
            found.expires_ms, found.url, found.renewed_ms = expires_ms, url, self._world.now_ms()
        return found

    def reauthorize(self, principal: Principal, subscription_id: str) -> None:
        """Renew the access check only, never the expiry. Raises GraphError 404."""
        self.get(principal, subscription_id).reauthorized_ms = self._world.now_ms()

    def delete(self, principal: Principal, subscription_id: str) -> None:
        """End one. Raises GraphError 404."""
        del self._all[self.get(principal, subscription_id).id]

    def get(self, principal: Principal, subscription_id: str) -> OpenSubscription:
        """A live one of this user and app. Raises GraphError 404."""
        found = self.live(subscription_id)
        if found is None or (found.user_id, found.client_id) != (principal.user_id, principal.client_id):
            raise GraphError(404, "ResourceNotFound", "The subscription does not exist.")
        return found

    def live(self, subscription_id: str) -> OpenSubscription | None:
        """By id, while it has not expired."""
        found = self._all.get(subscription_id)
        return found if found and found.expires_ms > self._world.now_ms() else None

    def of_principal(self, principal: Principal) -> list[OpenSubscription]:
        """All live ones of this user and app."""
        owner = (principal.user_id, principal.client_id)
        return [one for one in self.alive() if (one.user_id, one.client_id) == owner]

    def of_mailbox(self, mailbox_id: str) -> list[OpenSubscription]:
        """All live ones that look at a mailbox."""
        return [one for one in self.alive() if one.mailbox_id == mailbox_id]

    def alive(self) -> Iterable[OpenSubscription]:
        """All live ones."""
        now_ms = self._world.now_ms()
        return [one for one in self._all.values() if one.expires_ms > now_ms]

    def remove(self, subscription_id: str) -> bool:
        """The service drops one by itself; whether it was there."""
        return self._all.pop(subscription_id, None) is not None

    def list_all(self) -> list[dict[str, Any]]:
        """For the control API: every live one, with what Graph would not show."""
        return [
            {
                **one.as_dict(),
                "provider": "microsoft",
                "tenant": one.tenant_id,
                "user": one.user_id,
                "mailbox": one.mailbox_id,
                "expiresMs": one.expires_ms,
                "createdMs": one.created_ms,
                "renewedMs": one.renewed_ms,
                "reauthorizedMs": one.reauthorized_ms,
            }
            for one in self.alive()
        ]

    def handshake(self, url: str) -> None:
        """Ask the address to echo a token. Raises GraphError 400."""
        shake(url, self._world.ids.guid("handshake", self._world.ids.count("handshake")))

    def _checked(self, principal: Principal, sent: dict[str, Any]) -> OpenSubscription:
        for name in ("resource", "changeType", "notificationUrl", "expirationDateTime"):
            if not sent.get(name):
                refuse(f"{name} is required.")
        change_type = str(sent["changeType"])
        kinds = frozenset(part.strip().lower() for part in change_type.split(","))
        if not kinds <= _KINDS:
            refuse(f"changeType '{change_type}' is not supported.")
        state = sent.get("clientState")
        if state is not None and len(str(state)) > MAX_CLIENT_STATE:
            refuse(f"clientState must be at most {MAX_CLIENT_STATE} characters.")
        if sent.get("includeResourceData"):
            refuse("Rich notifications are not simulated.")
        user = self._world.directory.user(principal.user_id)
        lifecycle = sent.get("lifecycleNotificationUrl")
        return OpenSubscription(
            id=self._world.ids.guid("subscription", self._world.ids.count("subscription")),
            client_id=principal.client_id,
            user_id=user.id,
            mailbox_id=self._mailbox(str(sent["resource"]), user.id),
            tenant_id=user.tenant_id,
            resource=str(sent["resource"]),
            kinds=kinds,
            change_type=change_type,
            url=_address(sent["notificationUrl"]),
            lifecycle_url=_address(lifecycle) if lifecycle else None,
            client_state=None if state is None else str(state),
            expires_ms=self._expiry(sent["expirationDateTime"]),
            created_ms=self._world.now_ms(),
        )

    def _mailbox(self, resource: str, user_id: str) -> str:
        match = _RESOURCE.match(resource.partition("?")[0])
        if match is None:
            refuse(f"Resource '{resource}' is not supported.")
        key = match.group(1) or match.group(2)
        found = self._world.directory.find(key) if key else self._world.directory.find(user_id)
        if found is None or found.id != user_id:
            text = "Operation: Create; Exception: [Status Code: Forbidden; Reason: Forbidden]"
            raise GraphError(403, "ExtensionError", text)
        return found.id

    def _expiry(self, text: object) -> int:
        wanted_ms = wire.parse_instant(str(text), "expirationDateTime")
        now_ms = self._world.now_ms()
        if wanted_ms > now_ms + MAX_LIFE_MS:
            refuse("Subscription expiration can only be 10080 minutes in the future.")
        return max(wanted_ms, now_ms + MIN_LIFE_MS)

    def _refuse_twin(self, made: OpenSubscription) -> None:
        for one in self.of_mailbox(made.mailbox_id):
            if (one.user_id, one.client_id, one.kinds) == (made.user_id, made.client_id, made.kinds):
                raise GraphError(
                    409, "ExtensionError", f"Subscription Id {one.id} already exists for the requested combination"
                )


def _address(url: object) -> str:
    text = str(url)
    parts = urlsplit(text)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return text
    return refuse("notificationUrl must be https (http is taken for this machine only).")
