"""The record of administrators' acts, as a page and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, TypedDict

from flask import Blueprint, Response, render_template, request
from msgspec import Meta

from services.portal.admin.audit import entries
from services.portal.admin.audit.deciding.act_words import ACT_WORDS, KIND_WORDS, describe_outcome
from services.portal.admin.audit.deciding.selection import (
    MAX_ACTS,
    PAGE_ACTS,
    AuditQuery,
    read_number,
    read_selection,
    select_acts,
    without_page,
)
from services.portal.admin.audit.names import ActNames
from services.portal.deps import Deps
from services.portal.frame.deciding.sheets import MEDIA_TYPE, write_sheet
from services.portal.frame.language import translated_answer
from services.portal.frame.navigation import ROLE_WORDS
from services.portal.frame.sessions import require_right
from services.portal.interface.fields import Count, Instant
from services.portal.interface.operation import operation
from services.portal.my_day.deciding.zones import UTC_ZONE
from services.portal.my_day.parameters import read_zone
from shared.contracts.rows import AuditRow
from shared.domain.instants import to_rfc3339
from shared.domain.roles import Right
from shared.language.deciding.sentences import say

NEXT = say(
    "Ask whoever operates roomsync to run `roomsync doctor`, and to find out who writes to its store. Each act also stands in the"
    " log of the portal, as `administrator_acted` with the number of its entry."
)
"""What an administrator does whose organisation's record is broken."""
CURSOR_HEADER = "Roomsync-Cursor"
"""Of the lines: sent as `after`, its value brings the acts that have been done since."""
_MOST_WRITTEN = 10_000
_MOST_LINES = 1_000
_NAMED = 20
"""Broken places that are named at once."""


class ActShape(TypedDict):
    """One act of an administrator."""

    entry: Count
    """Its number in the record, which is chained; 0 for acts of before that."""
    at: Instant
    user: Annotated[str, Meta(examples=["u-2b4d6f7h3j5l7n2p"])]
    """Our id of who did it."""
    who: Annotated[str, Meta(examples=["ada@contoso.test"])]
    """The address behind that id, as it can be read now; "" once it cannot. The record itself keeps no names."""
    act: Annotated[str, Meta(examples=["room.entered"])]
    words: Annotated[str, Meta(examples=["entered a room"])]
    about: Annotated[str, Meta(examples=["r-c3u5x7z2b4d6f7h3j5l7n2p4r6"])]
    """An id of ours, or empty."""
    aboutName: Annotated[str, Meta(examples=["Riverside"])]
    """The room or address behind that id, as it can be read now; else ""."""
    outcome: Annotated[str, Meta(examples=["done"])]
    """`done`, `refused`, a role, or a code."""


class AuditAnswer(TypedDict):
    """What administrators did, newest first."""

    acts: list[ActShape]
    cursor: Count | None
    """Sent as `before`, it brings the acts before these; null on the last page."""
    broken: list[Annotated[str, Meta(examples=["Entries 3 to 5 are missing."])]]
    """Where the record is not whole."""
    next: Annotated[str, Meta(examples=[""])]
    """What to do about that; empty while it is whole."""


def blueprint(deps: Deps) -> Blueprint:
    """`/admin/audit`, as a sheet and as lines, and `/v1/admin/audit`."""
    bp = Blueprint("audit", __name__)

    @bp.get("/admin/audit")
    def page() -> str:
        return _page(deps, require_right(Right.SEE_AUDIT).tenant)

    @bp.get("/admin/audit.csv")
    def sheet() -> Response:
        person = require_right(Right.SEE_AUDIT)
        asked = without_page(read_selection(request.args, _MOST_WRITTEN), _MOST_WRITTEN)
        found = select_acts(entries.read_acts(deps, person.tenant).newest, asked, read_zone()[0])
        columns = tuple(ActShape.__annotations__)
        rows = (_cells(translated_answer(each), columns) for each in _shown(found.acts, ActNames(deps, person.tenant)))
        attached = {"Content-Disposition": "attachment; filename=audit.csv"}
        return Response(write_sheet(columns, rows), content_type=MEDIA_TYPE, headers=attached)

    @bp.get("/admin/audit.ndjson")
    def lines() -> Response:
        person = require_right(Right.SEE_AUDIT)
        after = read_number(request.args.get("after", ""))
        acts = entries.read_acts(deps, person.tenant).newest
        later = [each for each in reversed(acts) if each[0] > after][:_MOST_LINES]
        text = "".join(
            f"{json.dumps(translated_answer(each))}\n" for each in _shown(later, ActNames(deps, person.tenant))
        )
        cursor = str(later[-1][0] if later else after)
        return Response(text, content_type="application/x-ndjson", headers={CURSOR_HEADER: cursor})

    @bp.get("/v1/admin/audit")
    @operation(Right.SEE_AUDIT, query=AuditQuery)
    def api() -> AuditAnswer:
        """List acts of the organisation's administrators, the newest first, and say whether the record is whole."""
        person = require_right(Right.SEE_AUDIT)
        acts = entries.read_acts(deps, person.tenant)
        found = select_acts(acts.newest, read_selection(request.args, MAX_ACTS), UTC_ZONE)
        broken = _broken(acts)
        return {
            "acts": _shown(found.acts, ActNames(deps, person.tenant)),
            "cursor": found.cursor,
            "broken": broken,
            "next": NEXT if broken else "",
        }

    return bp


def _page(deps: Deps, tenant: str) -> str:
    asked = read_selection(request.args, PAGE_ACTS)
    acts = entries.read_acts(deps, tenant)
    names = ActNames(deps, tenant)
    found = select_acts(acts.newest, asked, read_zone()[0])
    return render_template(
        "audit.html",
        acts=_shown(found.acts, names),
        cursor=found.cursor,
        asked=asked,
        people=names.list_people(row for _, row in acts.newest),
        kinds=KIND_WORDS,
        describe_outcome=describe_outcome,
        role_words={role.value: words for role, words in ROLE_WORDS.items()},
        broken=_broken(acts),
        next_step=NEXT,
    )


def _shown(acts: Iterable[tuple[int, AuditRow]], names: ActNames) -> list[ActShape]:
    return [
        {
            "entry": position,
            "at": to_rfc3339(row.at_ms),
            "user": row.user,
            "who": names.name(row.user),
            "act": row.act,
            "words": ACT_WORDS.get(row.act, row.act),
            "about": row.about,
            "aboutName": names.name(row.about),
            "outcome": row.outcome,
        }
        for position, row in acts
    ]


def _cells(act: ActShape, columns: Iterable[str]) -> list[str | int]:
    return [act[name] for name in columns]  # type: ignore[literal-required]


def _broken(acts: entries.Acts) -> list[str]:
    return [finding.as_text() for finding in acts.findings[:_NAMED]]
