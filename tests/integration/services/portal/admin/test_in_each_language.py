"""Administrators' pages in each language: a marked language finds every sentence that nobody has translated."""

from __future__ import annotations

import msgspec
import pytest

from services.portal.admin.audit.deciding.act_words import ACT_WORDS
from shared.contracts.day_tally import DayTally
from shared.contracts.decline_incident import CauseKind, DeclineIncident, LikelyCause
from shared.contracts.rows import AuditRow, IntegrationState
from shared.domain.instants import MINUTE_MS
from shared.domain.roles import Role
from shared.domain.sighting import DirectoryRoom
from shared.engines.bound_registry import BoundRegistry
from shared.language.deciding.negotiation import PSEUDO
from shared.organisations import decline_incidents
from shared.organisations.audit_chain import append_act, name_row
from shared.registry import tables
from tests.integration.services.portal.admin.rooms.test_rooms import begin_import, switch
from tests.integration.services.portal.admin.test_report import count
from tests.integration.services.portal.office import Browser, Office
from tests.support.marked_words import untranslated

pytestmark = pytest.mark.proves("P3")
MARKED = {"headers": {"Accept-Language": PSEUDO}}
OUTCOMES = (
    "done", "refused", "building-admin", "no-push", "3 new, 1 changed", "2 joined, 1 of another organisation", "1 rooms",
)  # fmt: skip


@pytest.fixture
def chief(office: Office, ada: Browser) -> Browser:
    """Ada, who may do everything, in an organisation whose integration is on."""
    tables.users(office.engine.registry).change(
        ada.tenant, ada.user, lambda row: msgspec.structs.replace(row, roles=tuple(Role)) if row else None
    )
    tables.tenants(office.engine.registry).change(
        ada.tenant, "tenant", lambda row: msgspec.structs.replace(row, name="Contoso") if row else None
    )
    office.enter_rooms(ada.tenant, "one", "two")
    switch(office, ada.tenant, IntegrationState.ENABLED)
    ada.client.set_cookie("roomsync_zone", "Europe/Zurich")
    return ada


def shown(browser: Browser, *paths: str) -> dict[str, list[str]]:
    """What is not translated, of each page."""
    found = {}
    for path in paths:
        page = browser.client.get(path, **MARKED).text
        assert "⟦" in page, path
        assert 'lang="en" dir' not in page, path
        found[path] = untranslated(page)
    return {path: left for path, left in found.items() if left}


def answered(browser: Browser, path: str, **sent: object) -> list[str]:
    """What is not translated of the page that answers a form."""
    page = browser.client.post(path, data={"csrf": browser.csrf, **sent}, **MARKED).text
    assert "⟦" in page, path
    return untranslated(page)


def test_overview_rooms_and_people_have_no_sentence_that_is_not_translated(office: Office, chief: Browser) -> None:
    """Rooms that are new, gone and confirmed by nobody; somebody who waits to be confirmed; and what is refused."""
    room_id = next(room for room, _ in tables.rooms(office.engine.registry).scan(chief.tenant))
    office.calendar.rooms = [DirectoryRoom("one@rooms.test", "Room one", 8, "North", "4", directory_id="id-1")]
    preview = begin_import(office, chief).headers["Location"]
    chief.post("/v1/admin/people", {"address": "zoe@example.test", "role": "building-admin"})
    places = (
        "/admin", "/admin/people", "/admin/rooms", "/admin/rooms?q=none", "/admin/rooms?done=several-paired", preview,
        f"/admin/rooms/{room_id}", "/admin/rooms/day", "/admin/rooms/none", "/admin/rooms/import/none",
    )  # fmt: skip
    assert shown(chief, *places) == {}
    sheet = "address,name,capacity\none@rooms.test,Room one,9\nnew@rooms.test,Room two,2\nbad,Room two,x\n"
    assert answered(chief, "/admin/rooms/sheet", sheet=sheet) == []
    assert answered(chief, "/admin/rooms/selected/remove", room=room_id) == []
    assert answered(chief, "/admin/rooms", address="no address") == []
    assert answered(chief, "/admin/people", address="no address", role="building-admin") == []


def test_the_audit_has_no_sentence_that_is_not_translated(office: Office, chief: Browser) -> None:
    """Every act, every kind of outcome, and a record that is not whole."""
    assert shown(chief, "/admin/audit", "/admin/audit?user=none", "/admin/audit?before=3") == {}
    registry = office.engine.registry
    for act in ACT_WORDS:
        for outcome in OUTCOMES if act == "rooms.imported" else ("done",):
            append_act(registry, chief.tenant, AuditRow(office.clock.now_ms(), chief.user, act, "i-1", outcome))
    assert isinstance(registry, BoundRegistry)
    registry._registry.delete("audit", chief.tenant, name_row(2))

    assert shown(chief, "/admin/audit", "/admin/audit?user=none", "/admin/audit?before=3") == {}

    answer = chief.client.get("/v1/admin/audit", **MARKED).json
    said = [*answer["broken"], answer["next"], *(act["words"] for act in answer["acts"])]
    assert [each for each in said if not each.startswith("⟦")] == []
    assert {act["outcome"] for act in answer["acts"]} == set(OUTCOMES)
    for kind in ("csv", "ndjson"):
        lines = chief.client.get(f"/admin/audit.{kind}", **MARKED).text
        assert "entered a room" not in lines
        assert "room.entered" in lines


def test_report_and_incident_have_no_sentence_that_is_not_translated(office: Office, chief: Browser) -> None:
    """Counts of everything; an incident of each cause, while mails are held and after."""
    tally = DayTally(
        asked=5000,
        accepted=2,
        declined=3,
        noticed=2,
        noticed_after_ms=90 * MINUTE_MS,
        quiet=1,
        unanswered=2,
        meetings=4,
    )
    count(office, chief.tenant, 0, 1, tally)
    assert shown(chief, "/admin/report", "/admin/report?days=0", "/admin/incident") == {}
    assert "<td>5.000</td>" in chief.client.get("/admin/report", headers={"Accept-Language": "de"}).text
    for number, kind in enumerate(CauseKind):
        cause = LikelyCause(kind=kind, about="microsoft" if kind is CauseKind.PROVIDER else "North", share=97)
        now_ms = office.clock.now_ms()
        incident = DeclineIncident(f"i-{number}", now_ms, now_ms, declines=100, upcoming=400, cause=cause)
        decline_incidents.publish(office.engine.registry, chief.tenant, incident)
        assert shown(chief, "/admin/incident") == {}
    assert answered(chief, "/admin/incident/release") == []
    assert shown(chief, "/admin/incident") == {}
    assert answered(chief, "/admin/incident/release") == []
