"""The test of an integration, done for real: the real simulator, the real receiver, the real clients."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from services.portal.admin.integration.testflow import flow
from services.portal.admin.integration.testflow.deciding.presentation import WORDS
from services.portal.admin.integration.testflow.deciding.room_choice import TITLE
from services.portal.frame import limits
from shared.contracts.rows import IntegrationState, RoomRow
from shared.organisations.enrolment import enter_rooms
from shared.registry import tables
from shared.runtime.redaction import mask_text
from tests.integration.services.portal.admin.administration import PROVIDERS, Building, Chief, a_building, truth
from tests.integration.services.portal.office import Simulator

BUSY = {"share": 1.0, "count": 1_000, "status": 429, "retryAfter": "1"}


@dataclass
class Site:
    """One organisation at one provider, with its administrator signed in and a room entered."""

    building: Building
    provider: str
    domain: str
    directory: str
    tenant: str
    chief: Chief
    room: str
    people: frozenset[str]
    """Their ids at the provider."""

    @property
    def simulator(self) -> Simulator:
        return self.building.simulator

    @property
    def address(self) -> str:
        return f"ada@{self.domain}"

    def test(self) -> dict[str, Any]:
        # The file makes more tests in ten minutes than one person may.
        self.building.app.extensions[limits.EXTENSION].reset()
        return self.chief.test(self.provider, self.address)

    @property
    def state(self) -> IntegrationState:
        return self.building.state(self.tenant)

    def use_room(self, address: str) -> None:
        """The only one that is entered."""
        engine = self.building.engine
        for room, _ in list(tables.rooms(engine.registry).scan(self.tenant)):
            tables.rooms(engine.registry).delete(self.tenant, room)
        if address:
            enter_rooms(
                engine.registry, engine.keyring, self.tenant, [RoomRow(address=address, name="R", paired=False)]
            )

    def back_to(self, state: IntegrationState) -> None:
        tables.tenants(self.building.engine.registry).change(
            self.tenant, "tenant", lambda row: msgspec.structs.replace(row, integration=state) if row else None
        )

    def left(self) -> list[Any]:
        """Subscriptions that live, events of the test that stand, grants that are kept."""
        subscriptions = [each for each in truth(self.simulator, "subscriptions") if each["user"] in self.people]
        events = [
            each
            for each in truth(self.simulator, "meetings")
            if each["title"] == TITLE and each["organizer"] == self.address and not each["cancelled"]
        ]
        return [*subscriptions, *events, *tables.consents(self.building.engine.registry).scan(self.tenant)]


def a_site(building: Building, provider: str, *, people: int = 1) -> Site:
    domain = f"x{uuid.uuid4().hex[:8]}.test"
    directory = building.simulator.post("tenants", provider=provider, name="Contoso", domain=domain)["id"]
    ids = set()
    for number in range(people):
        name = "Ada" if number == 0 else f"Person{number}"
        user = building.simulator.post("users", tenant=directory, name=name, address=f"{name.lower()}@{domain}")
        building.simulator.post(f"users/{user['id']}/consents", granted=True)
        ids.add(user["id"])
    for name, rules in (("room", {"mode": "auto"}), ("manual", {"mode": "manual"})):
        building.simulator.post(
            "rooms", tenant=directory, name=name, address=f"{name}@{domain}", capacity=4, rules=rules
        )
    tenant = building.tenant(provider, directory, f"ada@{domain}")
    chief = building.signed_in(f"ada@{domain}", provider)
    site = Site(building, provider, domain, directory, tenant, chief, f"room@{domain}", frozenset(ids))
    site.use_room(site.room)
    return site


@pytest.fixture(scope="module")
def simulator(simulator_url: str) -> Iterator[Simulator]:
    found = Simulator(simulator_url)
    found.faults(roomDelayMs=[20, 60])
    yield found
    found.faults(reset=True)


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory, simulator: Simulator) -> Iterator[Building]:
    with a_building(tmp_path_factory.mktemp("building"), simulator, test_flow_s=4.0) as found:
        yield found


@pytest.fixture(scope="module", params=PROVIDERS)
def one_site(request: pytest.FixtureRequest, building: Building) -> Site:
    return a_site(building, request.param)


@pytest.fixture
def site(one_site: Site) -> Iterator[Site]:
    """The organisation of the module, at its beginning; what a test seeds is gone after it."""
    one_site.back_to(IntegrationState.OFF)
    one_site.use_room(one_site.room)
    for granted in (False, True):  # what was really used before needs no approval at Microsoft
        one_site.simulator.post(f"users/{one_site.address}/consents", granted=granted)
    yield one_site
    one_site.simulator.faults(reset=True)
    one_site.simulator.faults(roomDelayMs=[20, 60])


@pytest.mark.proves("E16", "E18", "E20")
def test_real_thing_is_done_once_and_nothing_of_it_is_left(site: Site) -> None:
    before = len(truth(site.simulator, "meetings"))

    found = site.test()

    assert found["test"]["troubles"] == []
    assert [each["state"] for each in found["test"]["steps"]] == ["passed"] * len(WORDS)
    assert found["state"] == "enabled"
    assert len(truth(site.simulator, "meetings")) == before + 1, "an event was really booked"
    assert site.left() == []
    assert all(row.paired for _, row in tables.rooms(site.building.engine.registry).scan(site.tenant))
    page = site.chief.client.get("/admin/integration/test/result").text
    assert "Users may now connect their calendars" in page


@pytest.mark.proves("E20")
def test_rooms_that_were_entered_while_it_was_off_cost_no_call_and_are_paired_in_one_run(site: Site) -> None:
    site.use_room("")
    before = len(calls(site))
    names = [f"{name}@{site.domain}" for name in ("room", "nobody")]
    for name in names:
        assert site.chief.call("POST", "/v1/admin/rooms", address=name, name=name).status_code == 201
    site.chief.client.get("/admin/rooms")
    listed = site.chief.client.get("/v1/admin/rooms").json["rooms"]
    for room in listed:
        site.chief.client.get(f"/admin/rooms/{room['id']}")
        assert site.chief.call("POST", f"/v1/admin/rooms/{room['id']}/pair").status_code == 409
    site.chief.client.get("/admin/integration")

    assert sorted(room["address"] for room in listed) == sorted(names)
    assert not any(room["paired"] for room in listed)
    assert len(calls(site)) == before
    assert site.test()["state"] == "enabled"
    rooms = site.chief.client.get("/v1/admin/rooms").json["rooms"]
    assert [room["paired"] for room in rooms] == [True, True]


def calls(site: Site) -> list[dict[str, Any]]:
    """What the provider was asked, but for signing in."""
    return [each for each in truth(site.simulator, "requests") if not each["path"].startswith("/sim/")]


APPROVAL = "admin-approval-required"
SEEDS: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("approval", {"oauth": {"adminApprovalRequired": True}}, {"microsoft": APPROVAL, "google": "policy-blocks-app"}),
    ("blocked", {"oauth": {"appBlocked": True}}, {"*": "policy-blocks-app"}),
    ("redirect", {"oauth": {"redirectMismatch": True}}, {"*": "redirect-wrong"}),
    ("secret", {"oauth": {"secretExpired": True}}, {"*": "secret-expired"}),
    ("scope", {"oauth": {"scopeSubset": ["openid"]}}, {"*": "scope-missing"}),
    ("busy", {"throttle": BUSY}, {"*": "provider-busy"}),
    ("token endpoint away", {"oauth": {"tokenEndpoint503": 9}}, {"*": "provider-busy"}),
]  # fmt: skip


@pytest.mark.parametrize(("faults", "codes"), [each[1:] for each in SEEDS], ids=[each[0] for each in SEEDS])
@pytest.mark.proves("E13", "E21", "E15")
def test_each_failure_is_one_line_with_code_meaning_who_and_what_next(
    site: Site, faults: dict[str, Any], codes: dict[str, str]
) -> None:
    site.simulator.faults(**faults)

    found = site.test()
    site.simulator.faults(reset=True)

    says(site, found, codes.get(site.provider) or codes["*"])


@pytest.mark.proves("E23")
def test_what_was_mended_passes_at_the_next_try_without_a_restart(site: Site) -> None:
    site.simulator.faults(oauth={"adminApprovalRequired": True})
    assert site.test()["state"] == "failed"

    site.simulator.faults(oauth={})
    again = site.chief.post("/admin/integration/test", provider=site.provider, again="yes")
    assert again.headers["Location"] == "/admin/integration/test/permissions"
    assert site.state is IntegrationState.TESTING
    site.chief.depart(site.provider, site.address)

    assert site.chief.result()["state"] == "enabled"


@pytest.mark.proves("E21")
def test_more_tests_than_may_run_at_once_wait_and_pass_when_there_is_room(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site.chief.call("POST", "/v1/admin/integration/test", provider=site.provider).status_code == 202
    with monkeypatch.context() as full:
        full.setattr(flow, "MAX_RUNS", 0)
        refused = site.chief.depart(site.provider, site.address)
    assert (refused.status_code, "Too many organisations" in refused.text) == (503, True)
    assert refused.headers["Retry-After"] == "60"
    assert site.left() == []
    assert site.state is IntegrationState.TESTING

    assert site.chief.depart(site.provider, site.address).status_code == 303
    assert site.chief.result()["state"] == "enabled"


@pytest.mark.proves("E21")
def test_person_who_is_not_assigned_is_told(site: Site) -> None:
    site.simulator.faults(oauth={"userNotAssigned": [site.address]})

    found = site.test()

    says(site, found, "user-not-assigned" if site.provider == "microsoft" else "access-denied")


@pytest.mark.parametrize(("room", "code"), [("nobody", "room-invisible"), ("manual", "room-silent")])
@pytest.mark.proves("E21")
def test_room_that_cannot_be_seen_or_does_not_answer_fails_the_test(site: Site, room: str, code: str) -> None:
    site.use_room(f"{room}@{site.domain}")

    says(site, site.test(), code)


@pytest.mark.proves("E21")
def test_room_that_was_tested_with_is_named_to_whoever_is_to_mend_it(site: Site) -> None:
    """Of several it is the first that is free, so that nobody could guess which."""
    engine = site.building.engine
    site.use_room(f"manual@{site.domain}")
    enter_rooms(
        engine.registry, engine.keyring, site.tenant, [RoomRow(address=f"nobody@{site.domain}", name="S", paired=False)]
    )

    found = site.test()

    says(site, found, "room-silent")
    assert found["test"]["room"] == "R"
    assert '<span class="hint">R</span>' in site.chief.client.get("/admin/integration/test/result").text


@pytest.mark.proves("E24")
def test_diagnosis_names_codes_and_times_and_nobody(site: Site) -> None:
    site.use_room(f"manual@{site.domain}")
    seen = [site.test()]
    site.simulator.faults(oauth={"userNotAssigned": [site.address]})
    seen.append(site.test())

    [session] = tables.sessions(site.building.engine.registry).scan(site.tenant)
    settings = site.building.deps.settings
    secrets = (
        settings.microsoft_client_secret,
        site.chief.csrf,
        site.chief.client.get_cookie("roomsync_session").value,
    )
    for diagnosis in (each["test"]["diagnosis"] for each in seen):
        assert mask_text(diagnosis) == diagnosis, "nothing in it looks like a token, a secret or an address"
        for word in (
            site.address,
            site.domain,
            site.directory,
            "Ada",
            "Room",
            "Contoso",
            site.tenant,
            site.chief.user,
            session[0],
            *secrets,
        ):
            assert word not in diagnosis
        assert {"version:", "trouble:", "now:"} <= set(diagnosis.split())


@pytest.mark.proves("E21")
def test_room_of_the_directory_is_used_when_none_is_entered(site: Site) -> None:
    site.use_room("")

    found = site.test()

    room = next(each for each in found["test"]["steps"] if each["step"] == "room")
    assert room["state"] == "passed"
    assert "2 of 2" in room["note"]


def says(site: Site, found: dict[str, Any], code: str) -> None:
    """The failure, once, with everything that it needs, on the page and for programs; and nothing is left of the test."""
    [trouble] = found["test"]["troubles"]
    assert trouble["code"] == code
    assert all(trouble[part] for part in ("meaning", "who", "next"))
    assert found["state"] == "failed"
    assert site.state is IntegrationState.FAILED
    assert site.left() == []
    page = site.chief.client.get("/admin/integration/test/result").text
    assert re.findall(r"<dt>(.*?)</dt>", page) == ["Who can fix it", "What to do", "At the step", "Provider's code"]
    assert f"<h3><code>{code}</code></h3>" in page
    assert "Try again" in page
    assert f"trouble: {code} at step {trouble['step']}" in page, "the diagnosis can be copied off the page"


@pytest.mark.proves("E21")
def test_a_push_that_comes_late_is_told_from_one_that_never_comes(site: Site) -> None:
    site.simulator.faults(pushDelayMs=[1_500, 1_600])
    late = site.test()
    site.simulator.faults(reset=True)
    site.back_to(IntegrationState.OFF)
    site.simulator.faults(roomDelayMs=[20, 60], pushOff=True)
    never = site.test()

    assert (late["state"], late["test"]["troubles"]) == ("enabled", [])
    notes = {each["step"]: each["note"] for each in late["test"]["steps"]}
    assert re.fullmatch(r"it came late, after [1-3] seconds: .*", notes["push"])
    says(site, never, "webhook-unreachable")
