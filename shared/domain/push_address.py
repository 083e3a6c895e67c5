"""Which addresses notices for browsers may be sent to: those of the browsers' push services, and what the operator adds. Pure."""

from __future__ import annotations

from collections.abc import Collection

from shared.domain.webhook_address import WebhookAddress, WebhookAddressError, is_listed, read_webhook_url

KNOWN_PUSH_HOSTS = "fcm.googleapis.com,*.push.services.mozilla.com,*.push.apple.com,*.notify.windows.com"
"""
Where browsers take notices: Chrome, most others that are built on it, Firefox, Safari and Edge
(https://pushpad.xyz/blog/what-are-the-browser-push-services,
https://developer.apple.com/documentation/usernotifications/sending-web-push-notifications-in-web-apps-and-browsers,
https://learn.microsoft.com/windows/apps/design/shell/tiles-and-notifications/firewall-allowlist-config).
"""


def read_push_url(url: str, hosts: Collection[str], allowed: Collection[str]) -> WebhookAddress:
    """
    Take a browser's endpoint apart.

    Args:
        url: As a browser, or whoever pretends to be one, sent it.
        hosts: Where it may lead; `*.example.com` stands for every name below.
        allowed: Hosts that may be private, and spoken to without TLS.

    Raises:
        WebhookAddressError: it is none that is sent to.
    """
    address = read_webhook_url(url, allowed)
    if not is_listed(address.host, hosts):
        message = "Its host is none of a push service that is known here (ROOMSYNC_PUSH_HOSTS)."
        raise WebhookAddressError(message)
    return address
