"""The ladder that a person sees and changes: as JSON, and from the form on the profile."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from shared.contracts.rows import NotificationRow
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office
from tests.support.described_answers import described_portal

pytestmark = pytest.mark.proves("B16")
PATH = "/v1/me/notifications"


def put(browser: Browser, **fields: Any) -> Any:
    return browser.client.put(PATH, json=fields, headers={"X-CSRF-Token": browser.csrf})


def row_of(office: Office, browser: Browser) -> NotificationRow | None:
    return tables.notifications(office.engine.registry).get(browser.tenant, browser.user)


def test_mail_is_on_with_all_rungs_and_quiet_nights(ada: Browser) -> None:
    shown = ada.client.get(PATH).json
    assert {key: shown[key] for key in ("mail", "first", "dayBefore", "hoursBefore", "quiet")} == dict.fromkeys(
        ("mail", "first", "dayBefore", "hoursBefore", "quiet"), True
    )
    assert (shown["quietFrom"], shown["quietUntil"], shown["available"]) == ("22:00", "07:00", False)


def test_what_is_sent_is_changed_and_the_rest_stays(office: Office, ada: Browser) -> None:
    assert put(ada, dayBefore=False, zone="Europe/Zurich").status_code == 200
    assert put(ada, quietFrom="20:30").json["dayBefore"] is False
    assert row_of(office, ada) == NotificationRow(day_before=False, zone="Europe/Zurich", quiet_from="20:30")


@pytest.mark.parametrize(
    "fields",
    [{"mail": "perhaps"}, {"quietFrom": "25:00"}, {"quietUntil": "7"}, {"zone": "Nowhere/At_All"}, {"mail": []}],
)
def test_what_cannot_be_meant_is_refused_by_its_name(office: Office, ada: Browser, fields: dict[str, Any]) -> None:
    answer = put(ada, **fields)
    assert answer.status_code == 422
    assert next(iter(fields)) in answer.json["title"]
    assert row_of(office, ada) is None


def test_a_change_from_elsewhere_is_refused(office: Office, ada: Browser) -> None:
    assert ada.client.put(PATH, json={"mail": False}).status_code == 403
    assert row_of(office, ada) is None


def test_the_form_sends_what_is_ticked_and_switches_mail_on_again_after_a_refusal(office: Office, ada: Browser) -> None:
    refused = NotificationRow(refused_at_ms=office.clock.now_ms(), refusal="550 5.1.1")
    tables.notifications(office.engine.registry).put(ada.tenant, ada.user, refused)
    app = described_portal(
        dataclasses.replace(office.deps, settings=dataclasses.replace(office.settings, mail_from="r@x.test"))
    )
    client = app.test_client()
    cookie = ada.client.get_cookie("roomsync_session")
    assert cookie is not None
    client.set_cookie("roomsync_session", cookie.value)
    assert "550 5.1.1" in client.get("/profile").text
    sent = {"csrf": ada.csrf, "mail": "on", "first": "on", "quietFrom": "21:00", "quietUntil": "06:00", "zone": ""}
    assert client.post("/profile/notifications", data=sent).status_code == 303
    assert row_of(office, ada) == NotificationRow(
        day_before=False, hours_before=False, quiet=False, quiet_from="21:00", quiet_until="06:00"
    )


def test_the_zone_of_the_browser_is_remembered_with_the_sign_in(office: Office, domain: str) -> None:
    browser = office.browser()
    browser.client.set_cookie("roomsync_zone", "America/New_York")
    browser.sign_in(f"ada@{domain}")
    assert browser.client.get(PATH).json["zone"] == "America/New_York"


@pytest.mark.proves("B30")
def test_the_calendar_is_off_until_it_is_ticked_and_offered_only_where_it_is_written_to(
    office: Office, ada: Browser
) -> None:
    assert "Remind me in my own calendar" not in ada.client.get("/profile").text
    shown = ada.client.get(PATH).json
    assert (shown["calendarAvailable"], shown["calendar"]) == (False, False)
    refused = NotificationRow(calendar_refused_at_ms=office.clock.now_ms(), calendar_refusal="ErrorAccessDenied")
    tables.notifications(office.engine.registry).put(ada.tenant, ada.user, refused)
    settings = dataclasses.replace(office.settings, calendar_reminders="on")
    client = described_portal(dataclasses.replace(office.deps, settings=settings)).test_client()
    cookie = ada.client.get_cookie("roomsync_session")
    assert cookie is not None
    client.set_cookie("roomsync_session", cookie.value)
    page = client.get("/profile").text
    assert "Remind me in my own calendar" in page
    assert "ErrorAccessDenied" in page
    sent = {"csrf": ada.csrf, "calendar": "on", "first": "on", "quietFrom": "21:00", "quietUntil": "06:00", "zone": ""}
    assert client.post("/profile/notifications", data=sent).status_code == 303
    row = row_of(office, ada)
    assert row is not None
    assert (row.calendar, row.mail, row.calendar_refused_at_ms, row.calendar_refusal) == (True, True, 0, "")
    since_ms = row.calendar_since_ms
    assert since_ms == office.clock.now_ms()
    del sent["calendar"]
    assert client.post("/profile/notifications", data=sent).status_code == 303
    row = row_of(office, ada)
    assert row is not None
    assert (row.calendar, row.calendar_since_ms) == (False, since_ms)


@pytest.mark.proves("B30", "B19")
def test_the_calendar_is_not_offered_where_the_deployment_only_observes(office: Office, ada: Browser) -> None:
    settings = dataclasses.replace(office.settings, calendar_reminders="on", writes="off")
    client = described_portal(dataclasses.replace(office.deps, settings=settings)).test_client()
    cookie = ada.client.get_cookie("roomsync_session")
    assert cookie is not None
    client.set_cookie("roomsync_session", cookie.value)
    assert client.get(PATH).json["calendarAvailable"] is False
