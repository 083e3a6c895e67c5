"""Which mail server ROOMSYNC_SMTP_URL names, and how it is spoken to."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from shared.domain.hosts import is_loopback

SMTPS_PORT = 465
"""TLS from the first byte: RFC 8314 §3.3."""
SUBMISSION_PORT = 587


@dataclass(frozen=True, slots=True)
class MailServer:
    """A server that takes mail for delivery."""

    host: str
    port: int
    implicit_tls: bool
    require_starttls: bool
    user: str = ""
    password: str = ""

    @property
    def may_log_in_plainly(self) -> bool:
        """Whether a password may travel without TLS: to this machine alone."""
        return is_loopback(self.host)


def parse_mail_server(url: str) -> MailServer:
    """Read `smtp://user:password@host:port?starttls=require` or `smtps://…`, which settings have checked."""
    parts = urlsplit(url)
    implicit = parts.scheme == "smtps"
    return MailServer(
        host=parts.hostname or "",
        port=parts.port or (SMTPS_PORT if implicit else SUBMISSION_PORT),
        implicit_tls=implicit,
        require_starttls=parse_qs(parts.query).get("starttls") == ["require"],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )
