"""Where webhooks may be sent: which URLs are taken, and which addresses a name may stand for. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from shared.language.deciding.sentences import say

MAX_URL_CHARS = 1_000
MAX_HOST_CHARS = 253
LOWEST_FREE_PORT = 1_024
_HTTPS_PORT = 443
_HTTP_PORT = 80
_PRINTABLE = re.compile(r"[!-~]{1,1000}")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}")
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
"""All that IANA has given out for global unicast (RFC 4291 §2.4): mapped, translated (64:ff9b::/96) and local ones lie outside."""
_SET_APART = tuple(
    ipaddress.ip_network(each)
    for each in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "2001::/23", "2002::/16", "3fff::/20")
)
"""
What Python, or some of its versions, take for global, and is not: protocol assignments and documentation (RFC 6890, 7526, 9637);
Teredo and 6to4, in which an IPv4 address stands that may be private; and the address at which Azure serves its own machines
(https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16).
"""


class WebhookAddressError(ValueError):
    """A URL that webhooks are not sent to."""

    def __init__(self, why: str) -> None:
        """Say why in a sentence that repeats nothing of the URL."""
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """An endpoint's URL in parts."""

    tls: bool
    host: str
    """In lower case; an IPv6 address without brackets."""
    port: int
    target: str
    """Path and query, as they are sent."""
    allowed: bool
    """Whether the setting names the host: it may be a private one, without TLS, at any port."""

    @property
    def authority(self) -> str:
        """The `Host` of a request."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = _HTTPS_PORT if self.tls else _HTTP_PORT
        return host if self.port == usual else f"{host}:{self.port}"


def hosts_of(setting: str) -> frozenset[str]:
    """The names in ROOMSYNC_WEBHOOK_ALLOWED_HOSTS, `name[,name]`, in lower case."""
    return frozenset(name.strip().lower() for name in setting.split(",") if name.strip())


def is_listed(host: str, patterns: Collection[str]) -> bool:
    """Whether a host is one of these; `*.example.com` stands for every name below."""
    return any(_matches(host, each) for each in patterns)


def read_webhook_url(url: str, allowed: Collection[str]) -> WebhookAddress:
    """
    Take an endpoint's URL apart.

    Args:
        url: As an administrator entered it.
        allowed: Hosts that may be private, spoken to without TLS, and at any port.

    Raises:
        WebhookAddressError: it is none that webhooks are sent to.
    """
    if len(url) > MAX_URL_CHARS or not _PRINTABLE.fullmatch(url):
        message = say(
            "It has to be one of at most {most} printable ASCII characters; write other names in punycode."
        ).format(most=MAX_URL_CHARS)
        raise WebhookAddressError(message)
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        message = say("It cannot be read as a URL.")
        raise WebhookAddressError(message) from error
    is_allowed = host in allowed
    _check_form(parts, host, is_allowed=is_allowed)
    tls = parts.scheme == "https"
    port = (_HTTPS_PORT if tls else _HTTP_PORT) if port is None else port
    if port == 0 or not (is_allowed or port == _HTTPS_PORT or port >= LOWEST_FREE_PORT):
        message = say("Its port has to be {https}, or {lowest} and above.").format(
            https=_HTTPS_PORT, lowest=LOWEST_FREE_PORT
        )
        raise WebhookAddressError(message)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return WebhookAddress(tls, host, port, target, is_allowed)


def is_public(address: str) -> bool:
    """
    Whether an IP address is one of the public Internet's: not private, shared (CGNAT), loopback, link-local, multicast, reserved.

    IPv6 addresses in which an IPv4 address is hidden are not, whichever it is.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _GLOBAL_V6:
        return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _SET_APART)


def _check_form(parts: SplitResult, host: str, *, is_allowed: bool) -> None:
    if parts.scheme not in ("https", "http") or (parts.scheme == "http" and not is_allowed):
        message = say("It has to begin with https://.")
        raise WebhookAddressError(message)
    if parts.username is not None or parts.password is not None:
        message = say("It must not hold a user or a password: deliveries are signed instead.")
        raise WebhookAddressError(message)
    if parts.fragment:
        message = say("It must not have a fragment (#…).")
        raise WebhookAddressError(message)
    if not _is_ip(host) and not _NAME.fullmatch(host):
        message = say("It has to name a host.")
        raise WebhookAddressError(message)
    if not is_allowed and (
        host == "localhost" or host.endswith(".localhost") or (_is_ip(host) and not is_public(host))
    ):
        message = say(
            "Its host is private; only whoever operates roomsync can allow that (ROOMSYNC_WEBHOOK_ALLOWED_HOSTS)."
        )
        raise WebhookAddressError(message)


def _matches(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) and host != pattern[2:] if pattern.startswith("*.") else host == pattern


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host
