"""The record of administrators' acts, as a page and as JSON."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template

from services.portal.admin.audit import entries
from services.portal.deps import Deps
from services.portal.frame.sessions import require_right
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


def blueprint(deps: Deps) -> Blueprint:
    """`/admin/audit` and `/v1/admin/audit`."""
    bp = Blueprint("audit", __name__)

    @bp.get("/admin/audit")
    def page() -> str:
        person = require_right(Right.SEE_AUDIT)
        acts = entries.read_acts(deps, person.tenant)
        return render_template("audit.html", acts=_shown(acts), broken=_broken(acts), next_step=NEXT)

    @bp.get("/v1/admin/audit")
    def api() -> Response:
        person = require_right(Right.SEE_AUDIT)
        acts = entries.read_acts(deps, person.tenant)
        broken = _broken(acts)
        return jsonify({"acts": _shown(acts), "broken": broken, "next": NEXT if broken else ""})

    return bp


def _shown(acts: entries.Acts) -> list[dict[str, str | int]]:
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
