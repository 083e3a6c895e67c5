"""An organisation's webhook endpoints: added, found, given another secret, paused and resumed. URL and secrets stand sealed."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Sequence

import msgspec

from shared.contracts.notification import RungDelivery
from shared.contracts.webhook_rows import (
    FAILING_FOR_MS,
    SECRET_PREFIX,
    PauseReason,
    Webhook,
    WebhooksRow,
    WebhookTarget,
)
from shared.crypto.sealing import seal, unseal
from shared.decoders import json_decoder
from shared.errors import MalformedRecordError, RefusedError
from shared.ports.keyring import Keyring
from shared.ports.registry import Registry
from shared.registry import tables
from shared.registry.listed_items import change_item

MOST_ENDPOINTS = 20
MOST_SECRETS = 2
_ROW = "endpoints"
_SECRET_BYTES = 32
_ID_BYTES = 10


def new_secret() -> str:
    """A secret as Standard Webhooks writes it: `whsec_` and 32 random bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def list_webhooks(registry: Registry, tenant: str) -> tuple[Webhook, ...]:
    """The organisation's endpoints, oldest first. Raises StoreUnavailableError, RowRefusedError."""
    row = tables.webhooks(registry).get(tenant, _ROW)
    return row.endpoints if row else ()


def find_webhook(registry: Registry, tenant: str, endpoint: str) -> Webhook | None:
    """One of them; None when there is none of that id. Raises StoreUnavailableError, RowRefusedError."""
    return next((each for each in list_webhooks(registry, tenant) if each.id == endpoint), None)


def open_target(keyring: Keyring, tenant: str, webhook: Webhook) -> WebhookTarget:
    """
    What of an endpoint is secret.

    Raises:
        KeyDestroyedError: the organisation was switched off for good.
        MalformedRecordError: it was sealed for another endpoint, or is damaged.
    """
    plain = unseal(keyring.consent_key(tenant), webhook.sealed, purpose=_purpose(tenant, webhook.id))
    try:
        return json_decoder(WebhookTarget).decode(plain)
    except msgspec.DecodeError as error:
        message = f"what is sealed of webhook {webhook.id} cannot be read: {error}"
        raise MalformedRecordError(message) from error


def add_webhook(
    registry: Registry, keyring: Keyring, tenant: str, url: str, types: Sequence[str], now_ms: int
) -> tuple[Webhook, str]:
    """
    Add an endpoint.

    Returns:
        The endpoint, and its secret, which is shown once.

    Raises:
        RefusedError: there are twenty already.
    """
    secret, name = new_secret(), f"w-{secrets.token_hex(_ID_BYTES)}"
    sealed = _seal(keyring, tenant, name, WebhookTarget(url=url, secrets=(secret,)))
    added = Webhook(id=name, sealed=sealed, types=tuple(types), made_at_ms=now_ms)

    def with_it(row: WebhooksRow | None) -> WebhooksRow:
        endpoints = row.endpoints if row else ()
        if len(endpoints) >= MOST_ENDPOINTS:
            message = f"{tenant} has {MOST_ENDPOINTS} webhook endpoints: remove one that is no longer used"
            raise RefusedError(message)
        return WebhooksRow(endpoints=(*endpoints, added))

    tables.webhooks(registry).change(tenant, _ROW, with_it)
    return added, secret


def remove_webhook(registry: Registry, tenant: str, endpoint: str) -> bool:
    """Remove an endpoint: nothing more is sent to it. Returns whether there was one."""
    return _change(registry, tenant, endpoint, lambda _: None) is not None


def add_secret(registry: Registry, keyring: Keyring, tenant: str, endpoint: str) -> str | None:
    """
    Add a second secret: deliveries are signed with both until the older one is ended.

    Returns:
        The new one, which is shown once; None when there is no such endpoint.

    Raises:
        RefusedError: it has two already.
    """
    secret = new_secret()

    def with_another(webhook: Webhook) -> Webhook:
        target = open_target(keyring, tenant, webhook)
        if len(target.secrets) >= MOST_SECRETS:
            message = f"webhook {endpoint} has {MOST_SECRETS} secrets: end the older one first"
            raise RefusedError(message)
        changed = msgspec.structs.replace(target, secrets=(*target.secrets, secret))
        return msgspec.structs.replace(webhook, sealed=_seal(keyring, tenant, endpoint, changed))

    return secret if _change(registry, tenant, endpoint, with_another) else None


def end_older_secret(registry: Registry, keyring: Keyring, tenant: str, endpoint: str) -> bool:
    """
    Sign with the newest secret alone from now on. Returns whether there is such an endpoint.

    Raises:
        RefusedError: it has one alone.
    """

    def with_newest(webhook: Webhook) -> Webhook:
        target = open_target(keyring, tenant, webhook)
        if len(target.secrets) == 1:
            message = f"webhook {endpoint} has one secret alone: make another before this one ends"
            raise RefusedError(message)
        changed = msgspec.structs.replace(target, secrets=target.secrets[-1:])
        return msgspec.structs.replace(webhook, sealed=_seal(keyring, tenant, endpoint, changed))

    return _change(registry, tenant, endpoint, with_newest) is not None


def note_taken(registry: Registry, tenant: str, endpoint: str) -> None:
    """The endpoint has taken something: it fails no longer."""
    _change(registry, tenant, endpoint, lambda webhook: msgspec.structs.replace(webhook, failing_since_ms=0))


def note_failure(registry: Registry, tenant: str, endpoint: str, now_ms: int, *, gone: bool) -> bool:
    """
    The endpoint has not taken something. It is paused if it is gone, or has failed for three days.

    Returns:
        Whether it was paused now.
    """
    paused = False

    def failing(webhook: Webhook) -> Webhook:
        nonlocal paused
        since_ms = webhook.failing_since_ms or now_ms
        paused = not webhook.paused_at_ms and (gone or now_ms - since_ms >= FAILING_FOR_MS)
        failed = msgspec.structs.replace(webhook, failing_since_ms=since_ms)
        if not paused:
            return failed
        reason = PauseReason.GONE if gone else PauseReason.FAILING
        return msgspec.structs.replace(failed, paused_at_ms=now_ms, paused_because=reason)

    _change(registry, tenant, endpoint, failing)
    return paused


def change_pause_mails(
    registry: Registry, tenant: str, endpoint: str, decide: Callable[[Webhook], dict[str, RungDelivery]]
) -> None:
    """
    Change how far the mails about a pause have come; nothing once the endpoint was resumed or removed.

    Args:
        registry: Where the endpoint stands.
        tenant: Whose it is.
        endpoint: Its id.
        decide: The mails as they are to be; called again when another process has changed the row meanwhile.
    """

    def changed(webhook: Webhook) -> Webhook:
        return msgspec.structs.replace(webhook, pause_mails=decide(webhook)) if webhook.paused_at_ms else webhook

    _change(registry, tenant, endpoint, changed)


def resume_webhook(registry: Registry, tenant: str, endpoint: str) -> bool:
    """Send to a paused endpoint again. Returns whether there is such an endpoint."""

    def going(webhook: Webhook) -> Webhook:
        return msgspec.structs.replace(webhook, failing_since_ms=0, paused_at_ms=0, paused_because=None, pause_mails={})

    return _change(registry, tenant, endpoint, going) is not None


def _change(
    registry: Registry, tenant: str, endpoint: str, decide: Callable[[Webhook], Webhook | None]
) -> WebhooksRow | None:
    """The row afterwards; None when there is no such endpoint."""
    known = False

    def changed(row: WebhooksRow | None) -> WebhooksRow | None:
        nonlocal known
        endpoints = change_item(row.endpoints if row else (), endpoint, decide)
        known = endpoints is not None
        return None if endpoints is None else WebhooksRow(endpoints=endpoints)

    row = tables.webhooks(registry).change(tenant, _ROW, changed)
    return row if known else None


def _seal(keyring: Keyring, tenant: str, endpoint: str, target: WebhookTarget) -> bytes:
    key = keyring.consent_key(tenant)
    return seal(key, msgspec.json.encode(target), purpose=_purpose(tenant, endpoint))


def _purpose(tenant: str, endpoint: str) -> str:
    return f"webhook/{tenant}/{endpoint}"
