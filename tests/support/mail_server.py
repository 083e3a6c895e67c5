"""A real SMTP server on loopback for tests: it accepts, refuses, is busy, is slow, hangs up, or is away, as it is told."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.processes import free_ports

WAIT_S = 30.0


class MailSink:
    """What arrives, and how the server behaves from now on."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.refusals: dict[str, str] = {}
        """Address → the answer to RCPT."""
        self.answer = "250 OK"
        """To the message itself; "" hangs up without one, the message taken."""
        self.takes = True
        """Whether a message that is not answered 250 counts as arrived."""
        self.slow_s = 0.0
        self.arrived = threading.Condition()

    async def handle_RCPT(  # noqa: N802  # aiosmtpd finds it by this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # as above
        del session
        await asyncio.sleep(self.slow_s)
        if self.answer.startswith("250") or not self.answer:
            self._take(envelope)
        if not self.answer and server.transport is not None:
            server.transport.abort()
        return self.answer or "421 gone"

    def _take(self, envelope: Envelope) -> None:
        found = email.message_from_bytes(envelope.content or b"", policy=email.policy.default)
        assert isinstance(found, EmailMessage)
        with self.arrived:
            self.mails.append(found)
            self.recipients += envelope.rcpt_tos
            self.arrived.notify_all()

    def ids(self) -> Counter[str]:
        """Message-ID → how often it arrived."""
        return Counter(str(mail["Message-ID"]) for mail in self.mails)

    def wait_for(self, count: int) -> None:
        """Until so many messages have arrived."""
        deadline = time.monotonic() + WAIT_S
        with self.arrived:
            while len(self.mails) < count:
                assert self.arrived.wait(deadline - time.monotonic()), f"{len(self.mails)} of {count} mails arrived"


@contextlib.contextmanager
def serve_mail(
    sink: MailSink | None = None, *, port: int = 0, tls: ssl.SSLContext | None = None, **options: Any
) -> Iterator[tuple[MailSink, int]]:
    """Serve on loopback; gives the sink and the port. `tls` encrypts from the first byte; see aiosmtpd for `options`."""
    sink = sink or MailSink()
    controller = Controller(sink, hostname="127.0.0.1", port=port or free_ports(1)[0], ssl_context=tls, **options)
    controller.start()
    try:
        yield sink, int(controller.port)
    finally:
        controller.stop()


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    """The part of a mail in plain text, or as `html`."""
    part = mail.get_body(preferencelist=(kind,))
    assert part is not None
    return str(part.get_content())


def link_in(mail: EmailMessage) -> str:
    """The first link to a prompt in a mail's text."""
    return next(line.split()[-1] for line in text_of(mail).splitlines() if "/p/" in line)
