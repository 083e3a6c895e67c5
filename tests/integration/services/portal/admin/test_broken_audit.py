"""What an administrator reads when somebody wrote to the record of administrators' acts beside us, and to other rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.portal.admin.audit.routes import NEXT
from shared.contracts.rows import RoomRow
from shared.domain.roles import Role
from shared.engines.bound_registry import BoundRegistry
from shared.organisations.audit_chain import HEAD, name_row
from shared.organisations.enrolment import enter_rooms
from shared.ports.registry import Registry
from shared.registry import tables
from tests.integration.services.portal.admin.administration import Building, Chief, a_building
from tests.integration.services.portal.office import Simulator

pytestmark = pytest.mark.proves("E10")
ACTS = 5


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory, simulator_url: str) -> Iterator[Building]:
    with a_building(tmp_path_factory.mktemp("audit"), Simulator(simulator_url)) as found:
        yield found


def a_chief(building: Building, domain: str) -> Chief:
    """A subscription administrator who has done five things."""
    directory = building.simulator.post("tenants", provider="microsoft", name="Contoso", domain=domain)["id"]
    user = building.simulator.post("users", tenant=directory, name="Ada", address=f"ada@{domain}")
    building.simulator.post(f"users/{user['id']}/consents", granted=True)
    building.tenant("microsoft", directory, f"ada@{domain}", Role.SUBSCRIPTION_ADMIN)
    chief = building.signed_in(f"ada@{domain}", "microsoft")
    for number in range(ACTS):
        chief.post("/admin/people", address=f"p{number}@{domain}", role="building-admin")
    return chief


@pytest.fixture
def chief(building: Building, request: pytest.FixtureRequest) -> Chief:
    return a_chief(building, f"a{abs(hash(request.node.name)):x}.test")


def beneath(building: Building) -> Registry:
    assert isinstance(building.engine.registry, BoundRegistry)
    return building.engine.registry._registry


def test_a_whole_record_says_nothing_and_numbers_its_entries(chief: Chief) -> None:
    answer = chief.client.get("/v1/admin/audit").json

    assert [act["entry"] for act in answer["acts"]] == [5, 4, 3, 2, 1]
    assert (answer["broken"], answer["next"]) == ([], "")
    assert "not whole" not in chief.client.get("/admin/audit").text


def test_a_broken_record_says_where_and_what_to_do_and_shows_what_there_is(building: Building, chief: Chief) -> None:
    store = beneath(building)
    row = store.get("audit", chief.tenant, name_row(4))
    assert row is not None
    store.delete("audit", chief.tenant, name_row(2))
    store.put("audit", chief.tenant, name_row(4), row.value.replace(b"role.offered", b"role.refused"))

    answer = chief.client.get("/v1/admin/audit").json
    page = chief.client.get("/admin/audit").text

    said = ["Entry 2 is missing.", "Entry 4 was altered, or put there by somebody else, and is not shown."]
    assert (answer["broken"], answer["next"]) == (said, NEXT)
    assert [act["entry"] for act in answer["acts"]] == [5, 3, 1]
    assert "<code>roomsync doctor</code>" in page
    for sentence in said:
        assert sentence in page
    assert page.count("named an address for a role") == 3


def test_an_end_that_was_cut_off_is_said_even_when_all_is_gone(building: Building, chief: Chief) -> None:
    for number in range(1, ACTS + 1):
        beneath(building).delete("audit", chief.tenant, name_row(number))

    assert chief.client.get("/v1/admin/audit").json["broken"] == ["Entries 1 to 5 are missing."]
    assert "Entries 1 to 5 are missing." in chief.client.get("/admin/audit").text


def test_another_organisations_record_stays_whole(building: Building, chief: Chief) -> None:
    other = a_chief(building, "other-audit.test")
    beneath(building).delete("audit", chief.tenant, name_row(1))

    assert other.client.get("/v1/admin/audit").json["broken"] == []


def test_a_refused_row_is_a_problem_with_a_code_and_says_what_to_do(
    building: Building, chief: Chief, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = building.engine
    enter_rooms(
        engine.registry, engine.keyring, chief.tenant, [RoomRow(address="aare@x.test", name="Aare", capacity=8)]
    )
    [room] = [row_id for row_id, _ in tables.rooms(engine.registry).scan(chief.tenant)]
    row = beneath(building).get("rooms", chief.tenant, room)
    assert row is not None
    beneath(building).put("rooms", chief.tenant, room, row.value.replace(b"Aare", b"Birs"))
    capsys.readouterr()

    answer, page = chief.client.get("/v1/admin/rooms"), chief.client.get("/admin/rooms")

    assert (answer.status_code, answer.json["code"], answer.content_type) == (
        500,
        "row-refused",
        "application/problem+json",
    )
    assert "roomsync doctor" in answer.json["next"]
    assert page.status_code == 500
    assert "roomsync doctor" in page.text
    assert "Birs" not in page.text + answer.text


def test_acts_are_refused_when_they_cannot_be_recorded_after_the_head(building: Building, chief: Chief) -> None:
    store = beneath(building)
    head = store.get("audit-heads", chief.tenant, HEAD)
    assert head is not None
    store.put("audit-heads", chief.tenant, HEAD, head.value.replace(b'"number":5', b'"number":3'))

    answer = chief.call("DELETE", "/v1/admin/people/nobody/roles/building-admin")
    offered = chief.client.post(
        "/admin/people", data={"csrf": chief.csrf, "address": "x@x.test", "role": "building-admin"}
    )

    assert answer.status_code == 404
    assert offered.status_code == 500
    assert "The note of which entry is the newest" in chief.client.get("/v1/admin/audit").json["broken"][0]
