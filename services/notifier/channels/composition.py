"""Writes a mail: text and HTML without remote content, and the headers that let machines see what it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.notifier.channels.port import AlarmNotice, AnyNotice, NoticeLine, PauseNotice
from shared.domain.instants import DAY_MS, SECOND_MS
from shared.language.catalogues import catalogue_for
from shared.language.deciding.formats import write_clock, write_short_day_with_year
from shared.language.deciding.negotiation import PLAIN, Manner
from shared.language.deciding.sentences import Sentence, say, say_many, translate
from shared.language.templates import template_options, use_catalogue

LISTED = 20
"""How many prompts a digest lists; the person's page has all."""
_MAX_NAME_CHARS = 80
_UTC = ZoneInfo("UTC")
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """A prompt in words."""

    room: str
    when: str
    link: str


class MailComposer:
    """Writes the mails of one deployment, each in the language of whoever gets it."""

    def __init__(self, sender: str) -> None:
        """`sender` is ROOMSYNC_MAIL_FROM: `roomsync@corp.example`, or with a name before it."""
        self._from = sender
        self.sender = parseaddr(sender)[1]

    def compose(self, notice: AnyNotice) -> EmailMessage:
        """The mail that tells of `notice`."""
        if isinstance(notice, AlarmNotice):
            subject = say("{declines} rooms said no at once").format(declines=notice.declines)
            return self._mail(notice, "alarm", subject, {"it": notice})
        if isinstance(notice, PauseNotice):
            return self._mail(notice, "pause", say("A webhook is paused"), {"it": notice})
        lines = [_write(line, notice.zone, notice.manner) for line in notice.lines[:LISTED]]
        known = {
            "lines": lines,
            "more": max(0, len(notice.lines) - LISTED),
            "act": say("Choose another room") if notice.may_act else say("See which rooms are free"),
            "page": notice.page,
            "stop": notice.stop,
        }
        return self._mail(notice, "mail", _subject(lines, len(notice.lines)), known)

    def _mail(self, notice: AnyNotice, template: str, subject: Sentence, known: Mapping[str, Any]) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._from
        message["To"] = notice.address
        message["Subject"] = _literal(translate(subject, catalogue_for(notice.manner)))
        message["Date"] = format_datetime(datetime.fromtimestamp(notice.at_ms / SECOND_MS, tz=_UTC))
        message["Message-ID"] = f"<{notice.id}@{self.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5
        message["X-Auto-Response-Suppress"] = "All"  # Exchange sends no absence note
        message["List-Unsubscribe"] = f"<{notice.stop}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058 §3.1
        templates = _templates_in(notice.manner.language, notice.manner.pseudo)
        shown = {**known, "subject": subject, "manner": notice.manner}
        message.set_content(templates.get_template(f"{template}.txt").render(shown))
        message.add_alternative(templates.get_template(f"{template}.html").render(shown), subtype="html")
        message["Content-Language"] = notice.manner.language  # RFC 3282; content sets the headers of that name anew
        return message


def _literal(text: str) -> str:
    """
    As a header shows it: what looks like an encoded word (RFC 2047 §2) is none.

    Python decodes encoded words of a header that it is given, and writes a line feed in one as it is: whatever follows would be
    a header of its own.
    """
    return text.replace("=?", "= ?")


@lru_cache(maxsize=16)
def _templates_in(language: str, pseudo: bool) -> Environment:
    catalogue = catalogue_for(Manner(language, "", False, 0, pseudo=pseudo))
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **template_options(lambda: catalogue),
    )
    use_catalogue(environment, lambda: catalogue)
    return environment


def _subject(lines: list[WrittenLine], count: int) -> Sentence:
    if count == 1:
        return say("{room} said no: {when}").format(room=lines[0].room, when=lines[0].when)
    return say_many("{count} meeting has lost its room", "{count} meetings have lost their room", count)


def _write(line: NoticeLine, zone: ZoneInfo | None, manner: Manner) -> WrittenLine:
    room = translate(line.room, catalogue_for(manner))
    return WrittenLine(plain_name(room), when_words(line.starts_ms, line.ends_ms, zone, manner), line.link)


def when_words(starts_ms: int, ends_ms: int, zone: ZoneInfo | None, manner: Manner = PLAIN) -> str:
    """`Tue 1 Dec 2026, 10:00 to 11:00`, on the person's wall clock; in UTC, and saying so, while their zone is not known."""
    catalogue = catalogue_for(manner)
    if starts_ms % DAY_MS == 0 and ends_ms % DAY_MS == 0:  # all-day dates stand at midnight UTC
        last = _day(_local(ends_ms, _UTC) - timedelta(days=1), manner)
        first = _day(_local(starts_ms, _UTC), manner)
        return first if first == last else translate(_SPAN.format(begin=first, end=last), catalogue)
    begin, end = _local(starts_ms, zone or _UTC), _local(ends_ms, zone or _UTC)
    until = write_clock(end, manner) if begin.date() == end.date() else _moment(end, manner)
    span = translate(_SPAN.format(begin=_moment(begin, manner), end=until), catalogue)
    return span if zone else f"{span} UTC"


_SPAN = say("{begin} to {end}")


def plain_name(text: str) -> str:
    """A room's name on one line, without characters that are not seen or turn the direction of reading."""
    seen = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in text)
    return " ".join(seen.split())[:_MAX_NAME_CHARS] or "A room"


def _local(at_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at_ms / SECOND_MS, tz=zone)


def _moment(moment: datetime, manner: Manner) -> str:
    return f"{_day(moment, manner)}, {write_clock(moment, manner)}"


def _day(moment: datetime, manner: Manner) -> str:
    return write_short_day_with_year(moment.date(), manner)
