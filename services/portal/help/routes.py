"""Help, contact, privacy and terms, for anybody: the numbers on them are those that the code goes by."""

from __future__ import annotations

from flask import Blueprint, render_template

from services.portal.deps import Deps
from services.portal.frame.sessions import LIFE_MS, MAX_LIFE_MS, anybody
from services.portal.meetings.deciding.words import STATE_BADGES, STATE_WORDS
from services.portal.meetings.takes import DISMISSED_MS, KEPT_MS
from services.portal.my_day.places import KEEP_MS as PLACES_KEPT_MS
from shared.contracts.day_tally import KEEP_MS as COUNTS_KEPT_MS
from shared.contracts.topics import OBSERVATIONS
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.grants.sleep import SLEEP_MS
from shared.registry import tables

PATH = "/help"
PERIODS = {
    "session_hours": LIFE_MS // HOUR_MS,
    "session_days": MAX_LIFE_MS // DAY_MS,
    "record_days": OBSERVATIONS.retention_ms // DAY_MS,
    "take_days": KEPT_MS // DAY_MS,
    "dismissal_days": DISMISSED_MS // DAY_MS,
    "place_days": PLACES_KEPT_MS // DAY_MS,
    "count_days": COUNTS_KEPT_MS // DAY_MS,
    "sleep_days": SLEEP_MS // DAY_MS,
}
"""How long what is kept, in the unit that each name ends with."""


def blueprint(deps: Deps) -> Blueprint:
    """The routes below `/help`."""
    bp = Blueprint("help", __name__)

    @bp.get(PATH)
    def help_page() -> str:
        states = [(state, STATE_BADGES[state], STATE_WORDS[state]) for state in STATE_BADGES]
        return render_template("help.html", states=states)

    @bp.get(f"{PATH}/contact")
    def contact_page() -> str:
        person = anybody()
        row = tables.tenants(deps.engine.registry).get(person.tenant, "tenant") if person else None
        return render_template(
            "help_contact.html", contact=row.contact if row else "", security=deps.settings.security_contact
        )

    @bp.get(f"{PATH}/privacy")
    def privacy_page() -> str:
        return render_template("help_privacy.html", may_write=deps.settings.may_write, **PERIODS)

    @bp.get(f"{PATH}/terms")
    def terms_page() -> str:
        return render_template("help_terms.html", may_write=deps.settings.may_write)

    return bp
