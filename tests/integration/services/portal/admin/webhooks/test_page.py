"""The administrators' page of webhooks: every act of the API, and a secret that is shown once."""

from __future__ import annotations

import re
from typing import Any

import pytest

from shared.contracts.topics import ROOM_REJECTIONS
from shared.contracts.webhook_rows import WebhookDeliveriesRow, WebhookDelivery, WebhookDeliveryState, deliveries_id
from shared.domain.instants import to_rfc3339
from shared.organisations.webhooks import note_failure
from shared.registry import tables
from tests.integration.services.portal.admin.webhooks.test_endpoints import requests
from tests.integration.services.portal.office import Browser, Office

pytestmark = pytest.mark.proves("B21")
LIST = "/admin/webhooks"
URL = 'https://hooks.receiver.test/in?a="><script>'
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{10,80}")


def press(browser: Browser, path: str, **form: Any) -> Any:
    return browser.client.post(path, data={"csrf": browser.csrf, **form})


def the_one(browser: Browser) -> str:
    [webhook] = browser.client.get("/v1/webhooks").json["webhooks"]
    return str(webhook["id"])


def test_an_endpoint_is_added_and_its_secret_shown_once(chief: Browser) -> None:
    answer = press(chief, LIST, url=URL, types=["roomsync.room.declined.v1"])
    assert answer.status_code == 201
    assert len(SECRET.findall(answer.text)) == 1
    page = chief.client.get(LIST).text
    assert SECRET.findall(page) == []
    assert "<script>" not in page.partition("<main")[2]
    assert "roomsync.room.declined.v1" in page
    assert '<a href="/admin/webhooks"' in chief.client.get("/profile").text


def test_secrets_are_rotated_and_the_endpoint_removed(chief: Browser) -> None:
    first = SECRET.findall(press(chief, LIST, url=URL).text)
    one = f"{LIST}/{the_one(chief)}"
    second = press(chief, f"{one}/secrets")
    assert SECRET.findall(second.text) not in ([], first)
    assert "both sign until" in chief.client.get(LIST).text
    assert press(chief, f"{one}/end-older-secret").status_code == 303
    assert "both sign until" not in chief.client.get(LIST).text
    assert press(chief, f"{one}/remove").headers["Location"] == LIST
    assert "There is none yet." in chief.client.get(LIST).text
    assert press(chief, f"{one}/remove").status_code == 404


def test_its_deliveries_are_shown_and_sent_again(office: Office, chief: Browser) -> None:
    press(chief, LIST, url=URL)
    endpoint = the_one(chief)
    assert press(chief, f"{LIST}/{endpoint}/test").headers["Location"] == f"{LIST}/{endpoint}"
    delivery = WebhookDelivery(
        number=0,
        event="d-1",
        type="roomsync.room.declined.v1",
        topic=ROOM_REJECTIONS.name,
        state=WebhookDeliveryState.WAITING,
        attempts=3,
        status=503,
        at_ms=office.clock.now_ms(),
        retry_at_ms=office.clock.now_ms() + 60_000,
    )
    tables.webhook_deliveries(office.engine.registry).put(
        chief.tenant, deliveries_id(endpoint, 0, 0), WebhookDeliveriesRow(deliveries=(delivery,))
    )
    page = chief.client.get(f"{LIST}/{endpoint}").text
    assert all(word in page for word in ("d-1", "503", "waiting"))
    assert press(chief, f"{LIST}/{endpoint}/redeliver", ids="d-1").status_code == 303
    assert press(chief, f"{LIST}/{endpoint}/redeliver", since="2026-11-28T09:30").status_code == 303
    for odd in ("2026-11-28T09:30:00.000Zodd", "2026-11-28T09:30:00.000000+24:30"):
        assert press(chief, f"{LIST}/{endpoint}/redeliver", since=odd).status_code == 422, "no part of it is read"
    assert press(chief, f"{LIST}/{endpoint}/redeliver", ids="d-2").status_code == 404
    acts = [act["words"] for act in chief.client.get("/v1/admin/audit").json["acts"]]
    assert acts == ["had events sent to a webhook again"] * 2 + ["tested a webhook", "added a webhook"]


@pytest.mark.proves("P3")
def test_what_is_sent_again_is_asked_for_on_the_clock_that_the_page_shows(office: Office, chief: Browser) -> None:
    press(chief, LIST, url=URL)
    page = f"{LIST}/{the_one(chief)}"
    assert '<label for="since">From UTC</label>' in chief.client.get(page).text
    chief.client.set_cookie("roomsync_zone", "Pacific/Auckland")
    shown = chief.client.get(page).text
    assert '<label for="since">From</label>' in shown
    assert 'name="zone" value="Pacific/Auckland"' in shown
    chief.client.set_cookie("roomsync_zone", "UTC")
    press(chief, f"{page}/redeliver", since="2026-11-28T09:30", zone="Pacific/Auckland")
    assert {to_rfc3339(request.since_ms) for _, _, request in requests(office)} == {"2026-11-27T20:30:00.000Z"}


def test_a_paused_endpoint_is_told_of_and_resumed(office: Office, chief: Browser) -> None:
    press(chief, LIST, url=URL)
    endpoint, now_ms = the_one(chief), office.clock.now_ms()
    assert not note_failure(office.engine.registry, chief.tenant, endpoint, now_ms, gone=False)
    assert "has taken nothing since" in chief.client.get(LIST).text
    assert note_failure(office.engine.registry, chief.tenant, endpoint, now_ms + 3 * 86_400_000, gone=False)
    page = chief.client.get(LIST).text
    assert "It has taken nothing for three days." in page
    assert "Send a test" not in page
    assert press(chief, f"{LIST}/{endpoint}/resume").status_code == 303
    assert "Send a test" in chief.client.get(LIST).text


def test_whoever_is_no_subscription_administrator_sees_nothing_of_it(chief: Browser, ben: Browser) -> None:
    press(chief, LIST, url=URL)
    one = f"{LIST}/{the_one(chief)}"
    for path in (LIST, one):
        assert ben.client.get(path).status_code == 403
    for path in (LIST, *(f"{one}/{act}" for act in ("test", "resume", "secrets", "end-older-secret", "remove"))):
        assert press(ben, path, url=URL).status_code == 403
        assert chief.client.post(path, data={"url": URL}).status_code == 403  # a form of another site
    assert LIST not in ben.client.get("/profile").text
