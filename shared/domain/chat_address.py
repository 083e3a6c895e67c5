"""Which addresses chat messages may be posted to: those of the products' own hosts, and what the operator adds. Pure."""

from __future__ import annotations

from collections.abc import Collection

from shared.domain.webhook_address import WebhookAddress, WebhookAddressError, is_listed, read_webhook_url
from shared.language.deciding.sentences import say

KNOWN_CHAT_HOSTS = (
    "hooks.slack.com,hooks.slack-gov.com,chat.googleapis.com,*.logic.azure.com,*.logic.azure.us,*.api.powerplatform.com"
)
"""
Where the products take messages: Slack's webhooks; Google Chat; Workflows of Teams, which run in Logic Apps and, since 2025, in
environments of Power Platform (https://learn.microsoft.com/power-automate/triggers-introduction).
"""


def read_chat_url(url: str, hosts: Collection[str], allowed: Collection[str]) -> WebhookAddress:
    """
    Take a chat channel's URL apart.

    Args:
        url: As an administrator entered it.
        hosts: Where it may lead; `*.example.com` stands for every name below.
        allowed: Hosts that may be private, and spoken to without TLS.

    Raises:
        WebhookAddressError: it is none that is posted to.
    """
    address = read_webhook_url(url, allowed)
    if not is_listed(address.host, hosts):
        message = say("Its host is none of Slack, Microsoft Teams or Google Chat (ROOMSYNC_CHAT_HOSTS).")
        raise WebhookAddressError(message)
    return address
