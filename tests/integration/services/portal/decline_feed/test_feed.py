"""The decline feed of back-end services without Kafka."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest

from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import IntegrationState
from shared.engines.bound_registry import BoundRegistry
from shared.errors import RefusedError
from shared.organisations.enrolment import enrol
from shared.organisations.service_tokens import make_token, withdraw_token
from shared.registry import tables
from tests.integration.services.portal.office import SERVICE_TOKEN, Browser, Office, Simulator, an_office
from tests.support.described_answers import described_portal

TOKEN = {"Authorization": f"Bearer {SERVICE_TOKEN}"}


def get(office: Office, path: str = "", headers: dict[str, str] = TOKEN, **query: Any) -> Any:
    return office.app.test_client().get(f"/v1/room-rejections{path}", headers=headers, query_string=query)


def announce(office: Office, ada: Browser, count: int) -> list[str]:
    rooms = office.enter_rooms(ada.tenant, *(f"room{n}" for n in range(count)))
    return [
        office.announce(ada, office.room(ada, room, RoomState.DECLINED), partition=n % 2)
        for n, room in enumerate(rooms)
    ]


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {SERVICE_TOKEN}"}, {"Cookie": "x=y"}]
)
def test_feed_is_for_services_with_the_token(headers: dict[str, str], office: Office) -> None:
    for path in ("", "/d-one"):
        answer = get(office, path, headers)
        assert (answer.status_code, answer.json["code"]) == (401, "service-token")


def test_signed_in_person_is_no_service(ada: Browser) -> None:
    assert ada.client.get("/v1/room-rejections").status_code == 401


def test_no_token_set_refuses_everybody(tmp_path: Any, simulator: Simulator) -> None:
    with an_office(tmp_path / "untold", simulator, service_token="") as office:
        assert get(office, headers={"Authorization": "Bearer "}).status_code == 401
        assert get(office, headers={}).status_code == 401


def test_pages_hold_every_event_once_and_in_order_and_end_where_new_ones_begin(office: Office, ada: Browser) -> None:
    told = announce(office, ada, 5)

    read, cursor, pages, more = [], "", 0, True
    while more and pages < 10:
        page = get(office, after=cursor, limit=2).json
        read += [event["id"] for event in page["items"]]
        cursor, pages, more = page["next"], pages + 1, page["more"]
    [later] = announce(office, ada, 6)[5:]
    assert sorted(read) == sorted(told)
    assert pages == 3
    fresh = [event["id"] for event in get(office, after=cursor).json["items"]]
    assert fresh[-1] == later
    assert get(office).json["items"][0]["type"] == "roomsync.room.declined.v1"


@pytest.mark.parametrize(
    "query", [{"after": "no-cursor"}, {"limit": 0}, {"limit": 501}, {"limit": "x"}, {"limit": "-1"}]
)
def test_request_that_makes_no_sense_is_a_problem(query: dict[str, Any], office: Office) -> None:
    answer = get(office, **query)

    assert answer.status_code == 400
    assert answer.json["next"]


def test_event_is_resolved_to_room_time_and_organiser_while_the_integration_is_enabled(
    office: Office, ada: Browser
) -> None:
    [room] = office.enter_rooms(ada.tenant, "one")
    memory = office.room(ada, room, RoomState.DECLINED)
    office.show(office.meeting(ada, memory), ada.tenant)
    name = office.announce(ada, memory)

    found = get(office, f"/{name}").json

    assert found["id"] == found["event"]["id"] == name
    assert found["room"] == {"id": room, "name": "Room one", "address": "one@rooms.test"}
    assert (found["organizerUserId"], found["state"], found["sameAsk"]) == (ada.user, "declined", True)
    assert found["start"].endswith("Z")
    assert found["start"] < found["end"]


def test_event_leads_nowhere_once_the_integration_is_off(office: Office, ada: Browser) -> None:
    [name] = announce(office, ada, 1)
    table = tables.tenants(office.engine.registry)
    row = table.get(ada.tenant, "tenant")
    assert row is not None
    table.put(ada.tenant, "tenant", msgspec.structs.replace(row, integration=IntegrationState.DISABLED))

    answer = get(office, f"/{name}")

    assert (answer.status_code, answer.json["code"]) == (409, "not-enabled")
    assert "again" not in answer.json["next"], "its keys are destroyed: enabling once more makes others"


def test_event_appended_after_the_first_question_is_found_too(office: Office, ada: Browser) -> None:
    assert get(office, "/d-unknown").status_code == 404

    [name] = announce(office, ada, 1)

    assert get(office, f"/{name}").json["room"]["name"] == "Room room0"
    assert get(office, "/d-unknown").json["code"] == "no-such-decline"


@pytest.mark.proves("E11")
def test_organisations_token_reads_its_own_declines_and_no_others(office: Office, ada: Browser, domain: str) -> None:
    gil = office.signed_in(f"ada@g.{domain}", "google")
    ours, theirs = announce(office, ada, 3), announce(office, gil, 30)
    later = announce(office, ada, 5)
    _, token = make_token(office.engine.registry, ada.tenant, 0)
    bearer = {"Authorization": f"Bearer {token}"}

    read, cursor, more = [], "", True
    while more:
        page = get(office, headers=bearer, after=cursor, limit=2).json
        assert len(page["items"]) <= 2
        read += page["items"]
        cursor, more = page["next"], page["more"]

    assert {event["data"]["tenantId"] for event in read} == {ada.tenant}
    assert sorted(event["id"] for event in read) == sorted([*ours, *later])
    assert get(office, f"/{ours[0]}", bearer).status_code == 200
    foreign, absent = get(office, f"/{theirs[0]}", bearer), get(office, "/d-absent", bearer)
    assert (
        (foreign.status_code, foreign.json["code"])
        == (absent.status_code, absent.json["code"])
        == (404, "no-such-decline")
    )


@pytest.mark.proves("E11")
def test_two_tokens_live_and_a_withdrawn_one_is_refused_at_once(office: Office, ada: Browser, ben: Browser) -> None:
    registry = office.engine.registry
    (first, old), (_, new) = make_token(registry, ada.tenant, 0), make_token(registry, ada.tenant, 0)
    with pytest.raises(RefusedError, match="withdraw"):
        make_token(registry, ada.tenant, 0)
    for token in (old, new):
        assert get(office, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    at_rest = [row.value for row in registry.everything()]
    assert not any(token.partition(".")[2].encode() in value for token in (old, new) for value in at_rest)

    assert withdraw_token(registry, ada.tenant, first)
    for token in (old, f"{new}x", f"t-other.{new.partition('.')[2]}", f"{ada.tenant}.", "." + new, f"{new}" * 9):
        answer = get(office, headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json["code"]) == (401, "service-token")
    assert get(office, headers={"Authorization": f"Bearer {new}"}).status_code == 200
    assert not withdraw_token(registry, ada.tenant, first)
    make_token(registry, ada.tenant, 0)


@pytest.mark.proves("E11")
def test_operators_token_reads_one_organisation_alone_off_this_machine(tmp_path: Any, simulator: Simulator) -> None:
    with an_office(tmp_path / "public", simulator, public_url="https://rooms.corp.example") as office:
        registry, keyring = office.engine.registry, office.engine.keyring
        enrol(registry, keyring, provider="microsoft", directory="d-1", name="One")
        assert get(office).status_code == 200
        enrol(registry, keyring, provider="google", directory="two.example", name="Two")
        for path in ("", "/d-one"):
            answer = get(office, path)
            assert (answer.status_code, answer.json["code"]) == (403, "one-organisation")
            assert "roomsync tokens make" in answer.json["next"]


@pytest.mark.proves("E11")
def test_operators_token_reads_what_is_certainly_one_organisations_beside_a_directory_that_was_tampered_with(
    tmp_path: Any, simulator: Simulator, domain: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with an_office(tmp_path / "public", simulator, enrolment="open") as office:
        ada, gil = office.signed_in(f"ada@{domain}"), office.signed_in(f"ada@g.{domain}", "google")
        ours, theirs = announce(office, ada, 2), announce(office, gil, 2)
        public = dataclasses.replace(office.settings, public_url="https://rooms.corp.example")
        office.app = described_portal(dataclasses.replace(office.deps, settings=public))
        assert get(office).json["code"] == "one-organisation"
        tamper(office, "google")

        answer = get(office)
        assert (answer.status_code, sorted(each["id"] for each in answer.json["items"])) == (200, sorted(ours))
        assert get(office, f"/{theirs[0]}").status_code == 404
        said = capsys.readouterr()
        assert f"directories/-/google:g.{domain}" in said.out + said.err

        tamper(office, "microsoft")
        assert (get(office).status_code, get(office).json["code"]) == (500, "row-refused")


def tamper(office: Office, provider: str) -> None:
    """Alter the row of the provider's directory beside us."""
    assert isinstance(office.engine.registry, BoundRegistry)
    store = office.engine.registry._registry
    [place] = [
        (row.table, row.tenant, row.row)
        for row in store.everything()
        if row.table == "directories" and row.row.startswith(provider)
    ]
    found = store.get(*place)
    assert found is not None
    store.put(*place, found.value.replace(b"t-", b"u-", 1))
