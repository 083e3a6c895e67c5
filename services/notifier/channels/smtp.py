"""The channel mail: one connection a message, with TLS, and what the server's answers mean for the person."""

from __future__ import annotations

import re
import smtplib
import ssl
from email.message import EmailMessage

from services.notifier.channels.composition import MailComposer
from services.notifier.channels.mail_server import MailServer
from services.notifier.channels.port import ReminderEnd, SendAttempt, Sending, SendOutcome
from shared.domain.email_addresses import is_address

TIMEOUT_S = 10.0
"""For each answer of the server."""
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_PERMANENT = 500
_NO_SUCH_MAILBOX = frozenset({550, 551, 553})
"""RFC 5321 §4.2.3: no such mailbox here, or not its name."""
_ADDRESS_CLASSES = ("5.1.", "5.2.1")
"""RFC 3463 §3.2 and §3.3: the address is none, or its mailbox is disabled. `5.7` is policy: it says nothing of the person."""


class SmtpChannel:
    """Sends mail. Thread-safe: nothing is kept between messages."""

    name = "mail"

    def __init__(self, server: MailServer, composer: MailComposer, *, timeout_s: float = TIMEOUT_S) -> None:
        self._server = server
        self._composer = composer
        self._timeout_s = timeout_s

    def send(self, notice: Sending) -> SendAttempt:
        """Send one message, once."""
        if isinstance(notice, ReminderEnd):
            message = "nobody is written to about an event that is removed"
            raise TypeError(message)
        if not is_address(notice.address):  # kept by an earlier version: it could name a second recipient
            return SendAttempt(SendOutcome.REFUSED, "not-an-address")
        mail = self._composer.compose(notice)
        try:
            return self._submit(mail, notice.address)
        except smtplib.SMTPResponseException as error:
            return SendAttempt(SendOutcome.LATER, _codes(error.smtp_code, error.smtp_error))
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            return SendAttempt(SendOutcome.LATER, type(error).__name__)

    def _submit(self, message: EmailMessage, address: str) -> SendAttempt:
        client = self._connect()
        try:
            client.send_message(message, self._composer.sender, [address])
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            return SendAttempt(_meaning(code, text), _codes(code, text))
        except smtplib.SMTPDataError as error:  # some servers look the recipient up only here
            return SendAttempt(_meaning(error.smtp_code, error.smtp_error), _codes(error.smtp_code, error.smtp_error))
        finally:
            client.close()  # no QUIT: the server has answered, and what it says to a farewell changes nothing
        return SendAttempt(SendOutcome.ACCEPTED)

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        context = ssl.create_default_context()
        if server.implicit_tls:
            client: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=self._timeout_s, context=context)
        else:
            client = smtplib.SMTP(server.host, server.port, timeout=self._timeout_s)
        try:
            client.ehlo_or_helo_if_needed()
            if not server.implicit_tls and (server.require_starttls or client.has_extn("starttls")):
                client.starttls(context=context)
            if server.user:
                self._log_in(client)
        except BaseException:
            client.close()
            raise
        return client

    def _log_in(self, client: smtplib.SMTP) -> None:
        if not isinstance(client.sock, ssl.SSLSocket) and not self._server.may_log_in_plainly:
            message = "the server offers no TLS: the password is not sent in the clear"
            raise smtplib.SMTPNotSupportedError(message)
        client.login(self._server.user, self._server.password)


def _meaning(code: int, text: bytes | str) -> SendOutcome:
    """Whether an answer refuses this person for good, or may be another one tomorrow."""
    enhanced = _enhanced(text)
    if code < _PERMANENT:
        return SendOutcome.LATER
    if enhanced:
        return SendOutcome.REFUSED if enhanced.startswith(_ADDRESS_CLASSES) else SendOutcome.LATER
    return SendOutcome.REFUSED if code in _NO_SUCH_MAILBOX else SendOutcome.LATER


def _codes(code: int, text: bytes | str) -> str:
    return " ".join(filter(None, [str(code), _enhanced(text)]))


def _enhanced(text: bytes | str) -> str:
    start = (text.decode(errors="replace") if isinstance(text, bytes) else text)[:20]
    found = _ENHANCED.match(start)
    return found[0] if found else ""
