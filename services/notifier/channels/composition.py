"""Writes a mail: text and HTML without remote content, and the headers that let machines see what it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.notifier.channels.port import AlarmNotice, Notice, NoticeLine
from shared.domain.instants import DAY_MS, SECOND_MS

LISTED = 20
"""How many prompts a digest lists; the person's page has all."""
_MAX_NAME_CHARS = 80
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """A prompt in words."""

    room: str
    when: str
    link: str


class MailComposer:
    """Writes the mails of one deployment."""

    def __init__(self, sender: str) -> None:
        """`sender` is ROOMSYNC_MAIL_FROM: `roomsync@corp.example`, or with a name before it."""
        self._from = sender
        self.sender = parseaddr(sender)[1]
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def compose(self, notice: Notice | AlarmNotice) -> EmailMessage:
        """The mail that tells of `notice`."""
        if isinstance(notice, AlarmNotice):
            subject = f"{notice.declines} rooms said no at once"
            return self._mail(notice, "alarm", subject, {"it": notice})
        lines = [_write(line, notice.zone) for line in notice.lines[:LISTED]]
        known = {
            "lines": lines,
            "more": max(0, len(notice.lines) - LISTED),
            "act": "Choose another room" if notice.may_act else "See which rooms are free",
            "page": notice.page,
            "stop": notice.stop,
        }
        return self._mail(notice, "mail", _subject(lines, len(notice.lines)), known)

    def _mail(
        self, notice: Notice | AlarmNotice, template: str, subject: str, known: Mapping[str, Any]
    ) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._from
        message["To"] = notice.address
        message["Subject"] = subject
        message["Date"] = format_datetime(datetime.fromtimestamp(notice.at_ms / SECOND_MS, tz=_UTC))
        message["Message-ID"] = f"<{notice.id}@{self.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5
        message["X-Auto-Response-Suppress"] = "All"  # Exchange sends no absence note
        message["List-Unsubscribe"] = f"<{notice.stop}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058 §3.1
        message.set_content(self._templates.get_template(f"{template}.txt").render(known))
        message.add_alternative(self._templates.get_template(f"{template}.html").render(known), subtype="html")
        return message


def _subject(lines: list[WrittenLine], count: int) -> str:
    if count == 1:
        return f"{lines[0].room} said no: {lines[0].when}"
    return f"{count} meetings have lost their room"


def _write(line: NoticeLine, zone: ZoneInfo | None) -> WrittenLine:
    return WrittenLine(plain_name(line.room), when_words(line.starts_ms, line.ends_ms, zone), line.link)


def when_words(starts_ms: int, ends_ms: int, zone: ZoneInfo | None) -> str:
    """`Tue 1 Dec 2026, 10:00 to 11:00`, on the person's wall clock; in UTC, and saying so, while their zone is not known."""
    if starts_ms % DAY_MS == 0 and ends_ms % DAY_MS == 0:  # all-day dates stand at midnight UTC
        last = _local(ends_ms, _UTC) - timedelta(days=1)
        first = _local(starts_ms, _UTC)
        return _day(first) if first == last else f"{_day(first)} to {_day(last)}"
    begin, end = _local(starts_ms, zone or _UTC), _local(ends_ms, zone or _UTC)
    until = f"{end:%H:%M}" if begin.date() == end.date() else f"{_day(end)}, {end:%H:%M}"
    return f"{_day(begin)}, {begin:%H:%M} to {until}{'' if zone else ' UTC'}"


def plain_name(text: str) -> str:
    """A room's name on one line, without characters that are not seen or turn the direction of reading."""
    seen = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in text)
    return " ".join(seen.split())[:_MAX_NAME_CHARS] or "A room"


def _local(at_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at_ms / SECOND_MS, tz=zone)


def _day(moment: datetime) -> str:
    return f"{moment:%a} {moment.day} {moment:%b %Y}"
