"""Posts a message to a chat channel: to hosts of the products alone, by the guarded request that webhooks are sent by."""

from __future__ import annotations

from collections.abc import Collection

from shared.contracts.chat_message import CONTENT_TYPE, ChatMessage, chat_request
from shared.contracts.chat_rows import ChatProduct
from shared.domain.chat_address import read_chat_url
from shared.domain.webhook_address import WebhookAddressError, hosts_of
from shared.runtime.http_post import HttpPost, PostResult
from shared.runtime.settings import Settings

WHOLE_S = 10.0


class ChatPost:
    """Thread-safe."""

    def __init__(self, hosts: Collection[str], allowed: Collection[str], *, whole_s: float = WHOLE_S) -> None:
        """
        Keep where messages may go.

        Args:
            hosts: Of the products; `*.example.com` stands for every name below.
            allowed: Which of them may be private, and spoken to without TLS.
            whole_s: How long one request may take, in seconds.
        """
        self.hosts = hosts
        self.allowed = allowed
        self._post = HttpPost(allowed, whole_s=whole_s)

    def send(self, product: ChatProduct, address: str, message: ChatMessage) -> PostResult:
        """Post once. Raises nothing that the product, its name or the network can cause."""
        try:
            read_chat_url(address, self.hosts, self.allowed)
        except WebhookAddressError:
            return PostResult(fault="address-refused")
        url, body = chat_request(product, address, message)
        return self._post.send(url, {"content-type": CONTENT_TYPE}, body)


def chat_post_from(settings: Settings) -> ChatPost:
    """What a deployment posts by."""
    return ChatPost(hosts_of(settings.chat_hosts), hosts_of(settings.webhook_allowed_hosts))
