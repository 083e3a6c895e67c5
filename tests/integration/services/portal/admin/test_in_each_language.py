"""Administrators' pages in each language: a marked language finds every sentence that nobody has translated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from services.portal.admin.audit.deciding.act_words import ACT_WORDS
from services.portal.admin.chat.deciding.presentation import test_shape as shape_test
from shared.contracts.day_tally import DayTally
from shared.contracts.decline_incident import CauseKind, DeclineIncident, LikelyCause
from shared.contracts.rows import AuditRow, IntegrationState
from shared.contracts.topics import ROOM_REJECTIONS
from shared.contracts.webhook_rows import WebhookDeliveriesRow, WebhookDelivery, WebhookDeliveryState, deliveries_id
from shared.domain.instants import DAY_MS, MINUTE_MS
from shared.domain.roles import Role
from shared.domain.sighting import DirectoryRoom
from shared.engines.bound_registry import BoundRegistry
from shared.language.deciding.negotiation import PSEUDO
from shared.language.deciding.sentences import Sentence
from shared.organisations import chat_channels, decline_incidents
from shared.organisations.audit_chain import append_act, name_row
from shared.organisations.webhooks import note_failure
from shared.registry import tables
from tests.integration.services.portal.admin.rooms.test_rooms import begin_import, switch
from tests.integration.services.portal.admin.test_report import count
from tests.integration.services.portal.office import Browser, Office, Simulator, an_office
from tests.support.marked_words import untranslated

pytestmark = pytest.mark.proves("P3")
MARKED = {"headers": {"Accept-Language": PSEUDO}}
OUTCOMES = (
    "done", "refused", "building-admin", "no-push", "3 new, 1 changed", "2 joined, 1 of another organisation", "1 rooms",
    "3 people, 2 disconnected",
)  # fmt: skip


@pytest.fixture
def office(tmp_path: Path, simulator: Simulator) -> Iterator[Office]:
    """It sends webhooks, and posts to chat."""
    hosts = {"chat_hosts": "127.0.0.1,hooks.slack.com", "webhook_allowed_hosts": "127.0.0.1"}
    with an_office(tmp_path / "home", simulator, webhooks="on", **hosts) as found:
        yield found


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
        assert '<main id="main" tabindex="-1">' in page, path
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
    assert ">5.000<" in chief.client.get("/admin/report", headers={"Accept-Language": "de"}).text
    for number, kind in enumerate(CauseKind):
        cause = LikelyCause(kind=kind, about="microsoft" if kind is CauseKind.PROVIDER else "North", share=97)
        now_ms = office.clock.now_ms()
        incident = DeclineIncident(
            id=f"i-{number}", began_at_ms=now_ms, last_at_ms=now_ms, declines=100, upcoming=400, cause=cause
        )
        decline_incidents.publish(office.engine.registry, chief.tenant, incident)
        assert shown(chief, "/admin/incident") == {}
    assert chief.post("/v1/admin/incident/release").status_code == 200
    assert shown(chief, "/admin/incident") == {}
    assert answered(chief, "/admin/incident/release") == []


ODD_ADDRESSES = (
    "", "ftp://x.test", "https://[", "https://ü.test", "https://x.test:7/", "https://u:p@x.test/", "https://x.test/#a",
    "https:///a", "https://10.0.0.9/a", "x" * 20_000, "https://x\x01.test",
)  # fmt: skip


def test_webhooks_have_no_sentence_that_is_not_translated(office: Office, chief: Browser) -> None:
    """Endpoints that work, fail and are paused, with one secret and two; deliveries in each state; and what is refused."""
    assert shown(chief, "/admin/webhooks", "/admin/webhooks/none") == {}
    for number in range(3):
        assert answered(chief, "/admin/webhooks", url=f"https://hooks.test/{number}") == []
    first, second, third = (each["id"] for each in chief.client.get("/v1/webhooks").json["webhooks"])
    registry, now_ms = office.engine.registry, office.clock.now_ms()
    assert answered(chief, f"/admin/webhooks/{first}/secrets") == []
    for failing, since_ms in ((second, now_ms), (third, now_ms - 3 * DAY_MS)):
        note_failure(registry, chief.tenant, failing, since_ms, gone=False)
    note_failure(registry, chief.tenant, third, now_ms, gone=False)
    deliveries = tuple(
        WebhookDelivery(
            number=number, event=f"d-{number}", type="roomsync.room.declined.v1", topic=ROOM_REJECTIONS.name if number else "",
            state=state, attempts=3, fault="no-answer", at_ms=now_ms, retry_at_ms=now_ms if number else 0,
        )
        for number, state in enumerate(WebhookDeliveryState)
    )  # fmt: skip
    tables.webhook_deliveries(registry).put(
        chief.tenant, deliveries_id(first, 0, 0), WebhookDeliveriesRow(deliveries=deliveries)
    )
    assert shown(chief, "/admin/webhooks", f"/admin/webhooks/{first}", f"/admin/webhooks/{second}") == {}
    states = chief.client.get("/v1/webhooks", **MARKED).json["webhooks"]
    assert [each["state"] for each in states] == ["active", "failing", "paused"]
    note_failure(registry, chief.tenant, second, now_ms, gone=True)
    assert shown(chief, "/admin/webhooks") == {}

    for url in ODD_ADDRESSES:
        assert answered(chief, "/admin/webhooks", url=url) == [], url
    for act, sent in (
        ("secrets", {}), ("test", {}), ("redeliver", {}), ("redeliver", {"since": "x"}), ("redeliver", {"ids": "d-9"}),
        ("redeliver", {"ids": "x" * 200}),
    ):  # fmt: skip
        assert answered(chief, f"/admin/webhooks/{third if act == 'test' else first}/{act}", **sent) == [], act
    assert answered(chief, f"/admin/webhooks/{second}/end-older-secret") == []
    assert answered(chief, "/admin/webhooks", url="https://hooks.test/x", types="odd") == []
    for number in range(20):
        last = chief.client.post(
            "/admin/webhooks", data={"csrf": chief.csrf, "url": f"https://x.test/{number}"}, **MARKED
        )
    assert (last.status_code, untranslated(last.text)) == (409, [])


def test_chat_has_no_sentence_that_is_not_translated(office: Office, chief: Browser) -> None:
    """Channels that are told and one that refused; a test that goes nowhere; and what is refused."""
    assert shown(chief, "/admin/chat") == {}
    form = {"product": "slack", "name": "#12", "url": "http://127.0.0.1:1/x", "zone": "Europe/Zurich"}
    assert chief.client.post("/admin/chat", data={"csrf": chief.csrf, **form}).status_code == 303
    assert chief.client.post("/admin/chat", data={"csrf": chief.csrf, **form, "reminders": "true"}).status_code == 303
    first, second = (each["id"] for each in chief.client.get("/v1/chat-channels").json["channels"])
    chat_channels.note_refusal(office.engine.registry, chief.tenant, second, office.clock.now_ms(), "404")
    assert shown(chief, "/admin/chat") == {}
    assert answered(chief, f"/admin/chat/{first}/test") == []
    assert answered(chief, "/admin/chat/none/remove") == []
    for field, value in (("product", "x"), ("name", ""), ("zone", "x"), *(("url", url) for url in ODD_ADDRESSES)):
        assert answered(chief, "/admin/chat", **{**form, field: value}) == [], value
    assert answered(chief, "/admin/chat", **{**form, "url": "https://x.test/y"}) == []
    for _ in range(9):
        last = chief.client.post("/admin/chat", data={"csrf": chief.csrf, **form}, **MARKED)
    assert (last.status_code, untranslated(last.text)) == (409, [])


@pytest.mark.parametrize("fault", ["address-refused", "timeout", "no-such-host", "tls", "redirect", "odd", ""])
def test_how_a_test_of_a_channel_went_is_said_in_a_sentence(fault: str) -> None:
    for status, taken in ((0, False), (404, False), (503, False), (200, True)):
        assert isinstance(shape_test(status, fault, taken=taken)["words"], Sentence)
