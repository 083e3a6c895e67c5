"""What no form of ours sends is refused with what is wrong: it is never called our own fault, and no store chokes on it."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest

from shared.contracts.topics import ROOM_REJECTIONS
from shared.registry import tables
from tests.integration.services.portal.office import SERVICE_TOKEN, Browser, Office

HALF = "\ud800"  # half a character: JSON can carry it, UTF-8 cannot
BOOKING = {"title": "T", "date": "2099-01-05", "from": "10:00", "to": "11:00", "guests": ["ben@x.example"]}
BOOK, ROOMS, OFF = "/v1/me/bookings?zone=Pacific/Auckland", "/v1/admin/rooms", "/v1/admin/integration/off"
LIMA = "/v1/me/bookings?zone=America/Lima"


@pytest.mark.parametrize(
    ("path", "sent", "status"),
    [
        (BOOK, {**BOOKING, "date": "0001-01-01"}, 422),
        (LIMA, {**BOOKING, "date": "9999-12-31", "from": "22:00", "to": "23:00"}, 422),
        (BOOK, {**BOOKING, "from": "09:0٣"}, 422),
        (BOOK, {**BOOKING, "people": []}, 422),
        (BOOK, {**BOOKING, "people": {}}, 422),
        (BOOK, {**BOOKING, "room": HALF}, 422),
        (BOOK, {**BOOKING, "guests": [f"{HALF}@x.example"]}, 422),
        (ROOMS, {"address": "aare@x.example", "capacity": []}, 422),
        (ROOMS, {"address": "aare@x.example", "capacity": {}}, 422),
        ("/v1/me/prompts/x/take", {"roomId": HALF}, 400),
        (OFF, {"confirmation": HALF}, 409),
        (OFF, {"confirmation": "é"}, 409),
    ],
)
def test_odd_wish_is_refused_as_that(
    office: Office, ada: Browser, path: str, sent: dict[str, Any], status: int
) -> None:
    office.enter_rooms(ada.tenant, "one")
    tables.users(office.engine.registry).change(
        ada.tenant,
        ada.user,
        lambda row: msgspec.structs.replace(row, roles=("subscription-admin",)) if row else None,
    )
    headers = {"X-CSRF-Token": ada.csrf, "Idempotency-Key": "k", "Content-Type": "application/json"}
    answer = ada.client.post(path, data=json.dumps(sent), headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json is not None
    assert answer.json["next"]
    assert office.calendar.booked == {}


@pytest.mark.parametrize("query", ["limit=" + "9" * 5_000, "limit=٣", "after={beyond}"])
def test_odd_place_in_the_feed_is_refused_as_that(office: Office, query: str) -> None:
    topic = office.engine.log.topic_id(ROOM_REJECTIONS.name)
    beyond = base64.urlsafe_b64encode(json.dumps({"topic": topic, "next": {"0": 2**70}}).encode()).decode()
    answer = office.app.test_client().get(
        f"/v1/room-rejections?{query.format(beyond=beyond)}", headers={"Authorization": f"Bearer {SERVICE_TOKEN}"}
    )
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "name", ["Salle 12\u00a0bis", "会議室\u3000\uff12", "חדר\u200f 4", "Hack \U0001f469\u200d\U0001f4bb"]
)
def test_rooms_with_apostrophes_and_names_of_every_script_are_entered_and_saved_again(
    office: Office, ada: Browser, name: str
) -> None:
    tables.users(office.engine.registry).change(
        ada.tenant, ada.user, lambda row: msgspec.structs.replace(row, roles=("building-admin",)) if row else None
    )
    form = {"csrf": ada.csrf, "address": "o'connell@rooms.corp.example", "name": name, "building": name}
    entered = ada.client.post("/admin/rooms", data=form)
    assert entered.status_code == 303, entered.text
    [room] = ada.client.get("/v1/admin/rooms").json["rooms"]
    again = ada.client.post(
        f"/admin/rooms/{room['id']}", data={"csrf": ada.csrf, **{k: room[k] or "" for k in form if k != "csrf"}}
    )
    assert again.status_code == 303, again.text
    tables.rooms(office.engine.registry).change(
        ada.tenant, room["id"], lambda row: msgspec.structs.replace(row, resource="directory") if row else None
    )
    booking = {**BOOKING, "title": name, "room": room["id"], "guests": "mary.o'brien@corp.example"}
    booked = ada.post(BOOK, booking, Idempotency_Key="k")
    assert booked.status_code == 201, booked.text
    [meeting] = office.calendar.booked.values()
    assert meeting.attendees == ("mary.o'brien@corp.example",)
