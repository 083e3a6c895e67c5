"""Which acts of an organisation's audit are shown: filtered, a page of them, and where the next begins. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from services.portal.interface.fields import Count, Day
from services.portal.my_day.deciding.zones import midnight_ms
from shared.contracts.rows import AuditRow

PAGE_ACTS = 50
MAX_ACTS = 200
_MAX_ID = 80
_MAX_DIGITS = 12


class AuditQuery(msgspec.Struct, rename={"first": "from", "last": "to"}):
    """Which acts."""

    user: str = ""
    """Our id of who did it."""
    act: str = ""
    """`room.entered`, or the part before the dot for all acts of that kind."""
    first: Day | None = None
    """The first day, in UTC."""
    last: Day | None = None
    """The last day, in UTC."""
    before: Count = 0
    """Entries before this one: the `cursor` of the answer before."""
    limit: Annotated[int, Meta(ge=1, le=MAX_ACTS)] = MAX_ACTS
    """How many at most."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What an administrator looks for in the audit."""

    user: str = ""
    act: str = ""
    first: date | None = None
    last: date | None = None
    before: int = 0
    limit: int = PAGE_ACTS

    def address(self, **changes: int) -> str:
        """The query string of this selection with `changes`."""
        said = {
            "user": self.user,
            "act": self.act,
            "from": str(self.first or ""),
            "to": str(self.last or ""),
            **{name: str(value) for name, value in changes.items()},
        }
        return "?" + urlencode({name: value for name, value in said.items() if value})


@dataclass(frozen=True, slots=True)
class ActPage:
    """Acts that were looked for, the newest first."""

    acts: Sequence[tuple[int, AuditRow]]
    cursor: int | None
    """What the next page is `before`; None on the last."""


def read_selection(sent: Mapping[str, str], limit: int) -> Selection:
    """Read the parameters of an address; what cannot be used counts as left out."""
    asked = read_number(sent.get("limit", ""))
    return Selection(
        user=sent.get("user", "")[:_MAX_ID],
        act=sent.get("act", "")[:_MAX_ID],
        first=_read_day(sent.get("from", "")),
        last=_read_day(sent.get("to", "")),
        before=read_number(sent.get("before", "")),
        limit=min(asked, MAX_ACTS) if asked else limit,
    )


def read_number(text: str) -> int:
    """A number of an entry; 0 for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS else 0


def select_acts(acts: Sequence[tuple[int, AuditRow]], asked: Selection, zone: ZoneInfo) -> ActPage:
    """
    The page of `acts` that is asked for.

    Acts of before the chain have no number: they stand at the end, beyond every cursor, as many of them as one page holds.

    Args:
        acts: Number in the chain and act, the newest first.
        asked: What is looked for; its days are those of `zone`.
        zone: Of whoever looks.
    """
    since = midnight_ms(asked.first, zone) if asked.first else 0
    until = midnight_ms(asked.last + timedelta(days=1), zone) if asked.last else None
    found = [
        (number, row)
        for number, row in acts
        if (not asked.before or number < asked.before)
        and asked.user in {"", row.user}
        and (not asked.act or row.act == asked.act or row.act.startswith(f"{asked.act}."))
        and since <= row.at_ms
        and (until is None or row.at_ms < until)
    ]
    shown = found[: asked.limit]
    more = len(found) > len(shown) and shown[-1][0] > 0
    return ActPage(shown, shown[-1][0] if more else None)


def without_page(asked: Selection, limit: int) -> Selection:
    """The same filters from the newest act on."""
    return replace(asked, before=0, limit=limit)


def _read_day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if date.min < found < date.max else None
