"""Many rooms at once, on pages: administrators see it everywhere and end it; people see it beside their prompts."""

from __future__ import annotations

import pytest

from shared.contracts.decline_incident import CauseKind, DeclineIncident, LikelyCause
from shared.contracts.meeting_state import RoomState
from shared.domain.instants import to_rfc3339
from shared.organisations import decline_incidents
from tests.integration.services.portal.admin.test_report import appointed
from tests.integration.services.portal.office import Browser, Office

pytestmark = pytest.mark.proves("B17")


def begin(office: Office, tenant: str) -> DeclineIncident:
    """As the notifier shows it."""
    now_ms = office.clock.now_ms()
    cause = LikelyCause(kind=CauseKind.BUILDING, about="Riverside", share=97)
    incident = DeclineIncident(id="i-1", began_at_ms=now_ms, last_at_ms=now_ms, declines=100, upcoming=400, cause=cause)
    decline_incidents.publish(office.engine.registry, tenant, incident)
    return incident


@pytest.fixture
def chief(office: Office, ada: Browser) -> Browser:
    return appointed(office, ada, "subscription-admin")


def test_every_page_of_an_administrator_says_so_and_leads_to_the_cause(office: Office, chief: Browser) -> None:
    for path in ("/admin/integration", "/admin/rooms", "/profile"):
        assert 'id="incident"' not in chief.client.get(path).text
    assert "This has not happened lately" in chief.client.get("/admin/incident").text
    begin(office, chief.tenant)
    for path in ("/admin/integration", "/admin/rooms", "/profile"):
        assert "100 rooms said no at once" in chief.client.get(path).text
    page = chief.client.get("/admin/incident").text
    assert "97 of them are of rooms in one building: Riverside." in page
    assert "Send what is held" in page


def test_whoever_may_switch_ends_it_once_and_the_audit_says_so(office: Office, chief: Browser) -> None:
    begin(office, chief.tenant)
    answer = chief.post("/v1/admin/incident/release")
    assert answer.status_code == 200
    assert answer.json["incident"]["over"] == to_rfc3339(office.clock.now_ms())
    assert answer.json["incident"]["released"]
    again = chief.post("/v1/admin/incident/release")
    assert (again.status_code, again.json["code"]) == (409, "nothing-held")
    acts = chief.client.get("/v1/admin/audit").json["acts"]
    assert [act["about"] for act in acts if act["act"] == "incident.released"] == ["i-1"]
    assert 'id="incident"' not in chief.client.get("/admin/rooms").text


def test_what_the_notifier_shows_afterwards_does_not_begin_it_again(office: Office, chief: Browser) -> None:
    incident = begin(office, chief.tenant)
    chief.client.post("/admin/incident/release", data={"csrf": chief.csrf})
    row = decline_incidents.publish(office.engine.registry, chief.tenant, incident)
    assert row is not None
    assert row.over_at_ms


@pytest.mark.parametrize(("roles", "see", "end"), [((), 403, 403), (("building-admin",), 200, 403)])
def test_others_see_or_end_nothing(office: Office, ben: Browser, roles: tuple[str, ...], see: int, end: int) -> None:
    appointed(office, ben, *roles)
    begin(office, ben.tenant)
    assert ben.client.get("/v1/admin/incident").status_code == ben.client.get("/admin/incident").status_code == see
    assert ben.post("/v1/admin/incident/release").status_code == end
    assert decline_incidents.read_open(office.engine.registry, ben.tenant) is not None
    assert ('id="incident"' in ben.client.get("/profile").text) is (see == 200)


def test_a_person_sees_twenty_prompts_singly_and_one_line_that_opens_the_others(office: Office, ada: Browser) -> None:
    [room] = office.enter_rooms(ada.tenant, "one")
    for number in range(25):
        declined = office.room(ada, room, RoomState.DECLINED)
        office.show(office.meeting(ada, declined, meeting=f"m-{number}"), ada.tenant)
    begin(office, ada.tenant)
    found = ada.client.get("/v1/me/prompts").json
    assert found["manyAtOnce"]["declines"] == 100
    assert [shape.get("folded", False) for shape in found["prompts"]] == [False] * 20 + [True] * 5
    page = ada.client.get("/").text
    shown, folded = page.split('<details id="folded"')
    assert (shown.count('data-prompt="d-'), folded.count('data-prompt="d-')) == (20, 5)
    assert "And 5 more" in folded
    assert '<p class="notice" id="many" role="status">Many rooms of your organisation said no at once.' in page
    decline_incidents.release(office.engine.registry, ada.tenant, office.clock.now_ms())
    assert "manyAtOnce" not in ada.client.get("/v1/me/prompts").json
