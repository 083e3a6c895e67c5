"""A mail server of the demo's own: it delivers nothing and prints what arrives."""

from __future__ import annotations

import contextlib
import email
import email.policy
import importlib.util
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from typing import Any

from cli.demo.processes import PrintLine

SENDER = "Rooms <rooms@roomsync.example>"


@contextlib.contextmanager
def print_mails(print_line: PrintLine) -> Iterator[Mapping[str, str]]:
    """Serve on a free loopback port; gives the settings that point the notifier at it, none without the package aiosmtpd."""
    if importlib.util.find_spec("aiosmtpd") is None:
        yield {}
        return
    from aiosmtpd.controller import Controller  # noqa: PLC0415  # a package of the development environment

    from cli.run import find_free_port  # noqa: PLC0415  # only where it is served

    controller = Controller(_Printer(print_line), hostname="127.0.0.1", port=find_free_port())
    controller.start()
    try:
        yield {"ROOMSYNC_SMTP_URL": f"smtp://127.0.0.1:{controller.port}", "ROOMSYNC_MAIL_FROM": SENDER}
    finally:
        controller.stop()


class _Printer:
    """Prints each mail's subject and text."""

    def __init__(self, print_line: PrintLine) -> None:
        self._print_line = print_line

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text = mail.get_body(("plain",)) if isinstance(mail, EmailMessage) else None
        self._print_line(f"\nA mail to {mail['To']}: {mail['Subject']}")
        for line in (text.get_content() if text else "").splitlines():
            self._print_line(f"  | {line}")
        return "250 OK"
