"""Asks a provider to push what happens in one mailbox to the receiver, with proof that only we can have made."""

from __future__ import annotations

from shared.domain.identity import Mailbox, Provider
from shared.domain.proof import HookKeys, mint
from shared.domain.sighting import SubscriptionRequest
from shared.providers.catalogue import profile_of


def make_subscription_request(
    provider: Provider, keys: HookKeys, mailbox: Mailbox, *, channel_id: str, receiver: str, expires_at_ms: int
) -> SubscriptionRequest:
    """
    Make the request for a subscription of `mailbox`.

    Args:
        provider: Where the mailbox lives.
        keys: Prove later that a push answers this request.
        mailbox: Whose changes are pushed.
        channel_id: Never used before.
        receiver: The receiver's address, without a path.
        expires_at_ms: When the subscription is to end by itself.

    Raises:
        ValueError: the proof would be longer than a provider takes.
    """
    hooks = profile_of(provider).hooks
    return SubscriptionRequest(
        channel_id=channel_id,
        client_state=mint(keys, mailbox, provider, channel_id if hooks.proof_names_channel else ""),
        notification_url=f"{receiver}{hooks.path}",
        lifecycle_url=f"{receiver}{hooks.lifecycle_path}" if hooks.lifecycle_path else "",
        expires_at_ms=expires_at_ms,
    )
