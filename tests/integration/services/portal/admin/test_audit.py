"""The audit answers who: addresses while they can be read, filtered, page by page, as CSV and as lines that go on."""

from __future__ import annotations

import csv
import io
import json

import pytest

from services.portal.admin.audit.deciding.selection import PAGE_ACTS, Selection, read_selection, select_acts
from services.portal.my_day.deciding.zones import UTC_ZONE, zone_from
from shared.contracts.rows import AuditRow
from shared.domain.instants import from_rfc3339
from tests.integration.services.portal.admin.rooms.test_rooms import ROOM
from tests.integration.services.portal.admin.test_report import appointed
from tests.integration.services.portal.office import Browser, Office


@pytest.fixture
def chief(office: Office, ada: Browser) -> Browser:
    return appointed(office, ada, "subscription-admin", "building-admin")


@pytest.mark.proves("P7")
def test_the_audit_names_who_did_what_with_what_while_that_can_be_read(
    office: Office, chief: Browser, ben: Browser, domain: str
) -> None:
    appointed(office, ben, "building-admin")
    room = ben.post("/v1/admin/rooms", ROOM).json["id"]
    chief.client.post("/admin/people", data={"csrf": chief.csrf, "address": f"new@{domain}", "role": "building-admin"})
    [offered, entered] = chief.client.get("/v1/admin/audit").json["acts"]
    assert (entered["who"], entered["aboutName"], entered["act"]) == (f"ben@{domain}", ROOM["name"], "room.entered")
    assert (offered["who"], offered["aboutName"]) == (f"ada@{domain}", f"new@{domain}")
    page = chief.client.get("/admin/audit?zone=Pacific/Auckland").text
    assert f"<bdi>ben@{domain}</bdi>" in page

    only = chief.client.get(f"/v1/admin/audit?user={ben.user}").json["acts"]
    assert [act["act"] for act in only] == ["room.entered"]
    assert [act["act"] for act in chief.client.get("/v1/admin/audit?act=role").json["acts"]] == ["role.offered"]
    ben.client.delete(f"/v1/admin/rooms/{room}", headers={"X-CSRF-Token": ben.csrf})
    office.engine.keyring.destroy_consent(chief.tenant)
    acts = chief.client.get("/v1/admin/audit").json["acts"]
    assert {(act["who"], act["aboutName"]) for act in acts} == {("", "")}
    assert ben.user in chief.client.get("/admin/audit").text
    assert ben.client.get("/admin/audit.csv").status_code == 403


@pytest.mark.proves("P7")
def test_the_audit_is_turned_over_and_its_lines_go_on_where_they_ended(chief: Browser) -> None:
    for number in range(PAGE_ACTS + 2):
        chief.post("/v1/admin/rooms", {**ROOM, "address": f"r{number}@rooms.example", "name": f"=R{number}"})
    page = chief.client.get("/admin/audit").text
    assert 'href="?before=3" rel="next"' in page
    assert 'rel="next"' not in chief.client.get("/admin/audit?before=3").text
    first = chief.client.get("/v1/admin/audit?limit=2").json
    later = chief.client.get(f"/v1/admin/audit?limit=2&before={first['cursor']}").json
    assert [act["entry"] for act in (*first["acts"], *later["acts"])] == [52, 51, 50, 49]

    rows = list(csv.DictReader(io.StringIO(chief.client.get("/admin/audit.csv").text, newline="")))
    assert len(rows) == PAGE_ACTS + 2
    assert rows[0]["aboutName"] == f"'=R{PAGE_ACTS + 1}"
    lines = chief.client.get("/admin/audit.ndjson")
    assert [json.loads(line)["entry"] for line in lines.text.splitlines()] == list(range(1, PAGE_ACTS + 3))
    chief.post("/v1/admin/rooms", {**ROOM, "address": "last@rooms.example"})
    rest = chief.client.get(f"/admin/audit.ndjson?after={lines.headers['Roomsync-Cursor']}")
    assert [json.loads(line)["entry"] for line in rest.text.splitlines()] == [PAGE_ACTS + 3]
    assert chief.client.get(f"/admin/audit.ndjson?after={rest.headers['Roomsync-Cursor']}").text == ""


@pytest.mark.proves("P7")
def test_days_of_the_audit_are_those_of_whoever_looks() -> None:
    auckland = zone_from("Pacific/Auckland")
    assert auckland is not None
    acts = [
        (2, AuditRow(at_ms=from_rfc3339("2026-11-23T11:00:00Z"), user="u-1", act="room.entered")),
        (1, AuditRow(at_ms=from_rfc3339("2026-11-23T10:59:59Z"), user="u-1", act="role.given")),
    ]
    asked = read_selection({"from": "2026-11-24", "to": "2026-11-24", "before": "x", "limit": "9999999999999"}, 50)
    assert [number for number, _ in select_acts(acts, asked, auckland).acts] == [2]
    assert read_selection({"from": "9999-12-31", "to": "0001-01-01"}, 50) == Selection()


@pytest.mark.proves("P7")
@pytest.mark.parametrize("chained", range(1, 4))
def test_acts_of_before_the_chain_stand_on_the_page_behind_it(chained: int) -> None:
    acts = [(number, AuditRow(at_ms=number, user="u-1", act="role.given")) for number in range(chained, 0, -1)]
    acts += [(0, AuditRow(at_ms=0, user="u-1", act="role.offered"))]
    seen, before = 0, 0
    while True:
        page = select_acts(acts, Selection(before=before, limit=1), UTC_ZONE)
        seen += len(page.acts)
        if page.cursor is None:
            break
        before = page.cursor
    assert seen == chained + 1
