"""The record of administrators' acts, as a page and as JSON."""

from __future__ import annotations

from typing import Annotated, TypedDict

from flask import Blueprint, render_template
from msgspec import Meta

from services.portal.admin.audit import entries
from services.portal.deps import Deps
from services.portal.frame.sessions import require_right
from services.portal.interface.fields import Count, Instant
from services.portal.interface.operation import operation
from shared.domain.instants import to_rfc3339
from shared.domain.roles import Right

NEXT = (
    "Ask whoever operates roomsync to run `roomsync doctor`, and to find out who writes to its store. Each act also stands in the"
    " log of the portal, as `administrator_acted` with the number of its entry."
)
"""What an administrator does whose organisation's record is broken."""
_NAMED = 20
"""Broken places that are named at once."""
WORDS = {
    "integration.test-begun": "began a test of the integration",
    "integration.test-ended": "test of the integration ended",
    "integration.test-given-up": "gave up the test of the integration",
    "integration.directory-joined": "showed that they administer the directory: it is the organisation's",
    "integration.domains-joined": "had the calendar system list the organisation's domains",
    "integration.enabled": "enabled the integration",
    "integration.disabled": "switched the integration off",
    "integration.switched": "switched the integration off to change the provider",
    "integration.contact-changed": "changed whom people may ask",
    "incident.released": "sent what was held while many rooms said no",
    "role.offered": "named an address for a role",
    "role.given": "gave a role",
    "role.refused": "refused somebody a role",
    "role.taken": "took a role away",
    "room.entered": "entered a room",
    "room.changed": "changed a room",
    "room.removed": "removed a room",
    "room.paired": "paired a room",
    "room.unpaired": "unpaired a room",
    "rooms.imported": "imported rooms",
    "chat.added": "added a chat channel",
    "chat.removed": "removed a chat channel",
    "chat.tested": "tested a chat channel",
    "webhook.added": "added a webhook",
    "webhook.removed": "removed a webhook",
    "webhook.tested": "tested a webhook",
    "webhook.redelivered": "had events sent to a webhook again",
    "webhook.secret-added": "made another secret of a webhook",
    "webhook.secret-ended": "ended the older secret of a webhook",
    "webhook.paused": "paused a webhook that takes nothing",
    "webhook.resumed": "resumed a webhook",
    "rooms.entered": "entered rooms on their word, as whoever operates roomsync",
}


class ActShape(TypedDict):
    """One act of an administrator."""

    entry: Count
    """Its number in the record, which is chained; 0 for acts of before that."""
    at: Instant
    user: Annotated[str, Meta(examples=["u-2b4d6f7h3j5l7n2p"])]
    """Our id of who did it."""
    act: Annotated[str, Meta(examples=["room.entered"])]
    words: Annotated[str, Meta(examples=["entered a room"])]
    about: Annotated[str, Meta(examples=["r-c3u5x7z2b4d6f7h3j5l7n2p4r6"])]
    """An id of ours, or empty."""
    outcome: Annotated[str, Meta(examples=["done"])]
    """`done`, `refused`, a role, or a code."""


class AuditAnswer(TypedDict):
    """What administrators did, newest first."""

    acts: list[ActShape]
    broken: list[Annotated[str, Meta(examples=["Entries 3 to 5 are missing."])]]
    """Where the record is not whole."""
    next: Annotated[str, Meta(examples=[""])]
    """What to do about that; empty while it is whole."""


def blueprint(deps: Deps) -> Blueprint:
    """`/admin/audit` and `/v1/admin/audit`."""
    bp = Blueprint("audit", __name__)

    @bp.get("/admin/audit")
    def page() -> str:
        person = require_right(Right.SEE_AUDIT)
        acts = entries.read_acts(deps, person.tenant)
        return render_template("audit.html", acts=_shown(acts), broken=_broken(acts), next_step=NEXT)

    @bp.get("/v1/admin/audit")
    @operation(Right.SEE_AUDIT)
    def api() -> AuditAnswer:
        """List the latest acts of the organisation's administrators, and whether the record is whole."""
        person = require_right(Right.SEE_AUDIT)
        acts = entries.read_acts(deps, person.tenant)
        broken = _broken(acts)
        return {"acts": _shown(acts), "broken": broken, "next": NEXT if broken else ""}

    return bp


def _shown(acts: entries.Acts) -> list[ActShape]:
    return [
        {
            "entry": position,
            "at": to_rfc3339(row.at_ms),
            "user": row.user,
            "act": row.act,
            "words": WORDS.get(row.act, row.act),
            "about": row.about,
            "outcome": row.outcome,
        }
        for position, row in acts.newest
    ]


def _broken(acts: entries.Acts) -> list[str]:
    return [f"{finding.as_text()}." for finding in acts.findings[:_NAMED]]
