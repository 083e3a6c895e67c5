"""An organisation at Google has several domains: whose a second one is, and how it becomes the organisation's."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.portal.sign_in import admission
from shared.contracts.rows import IntegrationState
from shared.domain.identity import Provider
from shared.domain.roles import Role
from shared.organisations import given_up_directory
from shared.organisations.appointments import appoint_account
from shared.organisations.enrolment import begin_leaving, enrol, introduce, join, tenant_of
from shared.registry import tables
from tests.integration.services.portal.admin.administration import (
    Building,
    Chief,
    a_building,
    account_of,
    asked_scopes,
    led_to,
    way_back,
)
from tests.integration.services.portal.office import Simulator

pytestmark = pytest.mark.proves("B26")
SCOPES = [
    "openid",
    "email",
    "https://www.googleapis.com/auth/admin.directory.user.readonly",
    "https://www.googleapis.com/auth/admin.directory.domain.readonly",
]


@dataclass
class Group:
    """A Google Workspace of two domains, and a foreign one of two."""

    building: Building
    tenant: str
    chief: Chief
    first: str
    second: str
    claimed: str
    """Entered by its administrators and not verified."""
    foreign: str
    foreign_second: str

    def owner(self, domain: str) -> str | None:
        return tenant_of(self.building.engine.registry, "google", domain)

    def prove(self, address: str, *supers: str) -> Any:
        """Press the button, allow it as `address` while these are super administrators, and come back."""
        self.building.simulator.faults(superAdmins=list(supers))
        asked = self.chief.post("/admin/integration/domains", provider="google")
        answer = self.chief.client.get(way_back(self.building.simulator, led_to(asked.text), address))
        self.building.simulator.faults(superAdmins=[])
        return answer


@pytest.fixture
def group(tmp_path: Path, simulator: Simulator, domain: str) -> Iterator[Group]:
    first, second, claimed = f"one.{domain}", f"two.{domain}", f"three.{domain}"
    foreign, foreign_second = f"foreign.{domain}", f"foreign-two.{domain}"
    ours = {"secondaryDomains": [second], "unverifiedDomains": [claimed, foreign]}
    tenant = simulator.post("tenants", provider="google", name="Group", domain=first, **ours)
    theirs = {"secondaryDomains": [foreign_second]}
    other = simulator.post("tenants", provider="google", name="Foreign", domain=foreign, **theirs)
    for where, addresses in (
        (tenant, (f"chief@{first}", f"dora@{second}")),
        (other, (f"mole@{foreign}", f"mole@{foreign_second}")),
    ):
        for address in addresses:
            user = simulator.post("users", tenant=where["id"], name=address.partition("@")[0], address=address)
            simulator.post(f"users/{user['id']}/consents", granted=True)
    with a_building(tmp_path / "home", simulator) as building:
        ours_here = building.tenant("google", first, f"chief@{first}", Role.SUBSCRIPTION_ADMIN)
        enrol(building.engine.registry, building.engine.keyring, provider="google", directory=first, name="Group")
        chief = building.signed_in(f"chief@{first}", "google")
        yield Group(building, ours_here, chief, first, second, claimed, foreign, foreign_second)


def test_people_of_a_second_domain_are_let_in_once_a_super_administrator_had_it_listed(group: Group) -> None:
    dora = group.building.browser()
    assert dora.sign_in(f"dora@{group.second}", "google").status_code == 403

    answer = group.prove(f"chief@{group.first}", f"chief@{group.first}")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/integration")
    assert (group.owner(group.first), group.owner(group.second)) == (group.tenant, group.tenant)
    assert dora.sign_in(f"dora@{group.second}", "google").status_code == 303
    assert dora.tenant == group.tenant
    assert dora.connect().status_code == 303
    [google] = [each for each in group.chief.integration["providers"] if each["provider"] == "google"]
    assert google["directories"] == sorted([group.first, group.second])
    assert group.second in group.chief.client.get("/admin/integration").text
    acts = [row for _, row in tables.audit(group.building.engine.registry).scan(group.tenant)]
    assert [row.outcome for row in acts if row.act == "integration.domains-joined"] == [
        "1 joined, 0 of another organisation"
    ]


def test_it_asks_for_nothing_but_who_they_are_and_which_domains_there_are(group: Group) -> None:
    asked = group.chief.call("POST", "/v1/admin/integration/domains", provider="google").json["location"]
    assert asked_scopes(asked) == SCOPES
    assert "offline" not in asked
    page = group.chief.client.get("/admin/integration").text
    assert all(scope in page for scope in SCOPES[2:])


def test_domain_that_is_entered_and_not_verified_is_not_joined(group: Group) -> None:
    group.prove(f"chief@{group.first}", f"chief@{group.first}")
    assert (group.owner(group.claimed), group.owner(group.foreign)) == (None, None)


@pytest.mark.parametrize("supers", [[], ["dora"]], ids=["nobody is", "a colleague is"])
def test_who_does_not_administer_the_whole_organisation_adds_none(group: Group, supers: list[str]) -> None:
    answer = group.prove(f"chief@{group.first}", *(f"{name}@{group.second}" for name in supers))
    assert (answer.status_code, "directory-unproven" in answer.text) == (403, True)
    assert group.owner(group.second) is None


def test_member_of_a_foreign_second_domain_does_not_make_it_ours(group: Group) -> None:
    """An administrator here who is an ordinary employee there, as in the attack of ADR 17, at the second domain."""
    answer = group.prove(f"mole@{group.foreign_second}", f"mole@{group.foreign}")
    assert (answer.status_code, "directory-unproven" in answer.text) == (403, True)
    assert (group.owner(group.foreign_second), group.owner(group.foreign)) == (None, None)


def test_super_administrator_of_another_workspace_does_not_add_that_one(group: Group) -> None:
    answer = group.prove(f"mole@{group.foreign_second}", f"mole@{group.foreign_second}")
    assert (answer.status_code, "other-directory" in answer.text) == (403, True)
    assert (group.owner(group.foreign_second), group.owner(group.foreign)) == (None, None)


def test_signing_in_from_a_second_domain_never_joins_it(group: Group) -> None:
    for _ in range(2):
        assert group.building.browser().sign_in(f"dora@{group.second}", "google").status_code == 403
    assert group.owner(group.second) is None


def test_domain_that_is_another_organisations_here_stays_theirs(group: Group) -> None:
    engine = group.building.engine
    other = introduce(engine.registry, engine.keyring, provider="google", directory=group.second, name="Other")
    assert group.prove(f"chief@{group.first}", f"chief@{group.first}").status_code == 303
    assert group.owner(group.second) == other
    acts = [row for _, row in tables.audit(engine.registry).scan(group.tenant)]
    assert [row.outcome for row in acts if row.act == "integration.domains-joined"] == [
        "0 joined, 1 of another organisation"
    ]


def test_integration_is_tested_with_an_account_of_a_joined_second_domain(group: Group) -> None:
    building = group.building
    registry, keyring = building.engine.registry, building.engine.keyring
    group.prove(f"chief@{group.first}", f"chief@{group.first}")
    account = account_of(building.simulator, f"dora@{group.second}")
    row = building.row(group.tenant)
    appoint_account(registry, keyring, group.tenant, row, Provider.GOOGLE, account, Role.SUBSCRIPTION_ADMIN)
    tables.tenants(registry).put(group.tenant, "tenant", msgspec.structs.replace(row, integration=IntegrationState.OFF))
    room = building.simulator.post("rooms", tenant=group.first, name="Aare", address=f"aare@{group.first}")
    building.enter_room(group.tenant, room["address"])
    dora = building.signed_in(f"dora@{group.second}", "google")

    found = dora.test("google", f"dora@{group.second}")

    assert (found["test"]["troubles"], building.state(group.tenant)) == ([], IntegrationState.ENABLED)


def give_up(chief: Chief, domain: str, **more: str) -> Any:
    return chief.call("POST", "/v1/admin/integration/domains/leave", provider="google", directory=domain, **more)


@pytest.fixture
def joined(group: Group) -> Group:
    """Both domains are the organisation's, and whoever is `dora` has connected her calendar and administers buildings."""
    registry, keyring = group.building.engine.registry, group.building.engine.keyring
    assert join(registry, group.tenant, provider="google", directory=group.second)
    account = account_of(group.building.simulator, f"dora@{group.second}")
    row = group.building.row(group.tenant)
    appoint_account(registry, keyring, group.tenant, row, Provider.GOOGLE, account, Role.BUILDING_ADMIN)
    return group


def test_people_of_a_domain_that_is_given_up_are_signed_out_and_disconnected_and_cannot_come_back(
    joined: Group,
) -> None:
    building, chief = joined.building, joined.chief
    dora = building.signed_in(f"dora@{joined.second}", "google")
    assert dora.connect().status_code == 303
    ask = chief.client.get(f"/admin/integration/domains/leave?provider=google&directory={joined.second}")
    assert (ask.status_code, "<strong>1</strong> calendar is disconnected" in ask.text) == (200, True)
    [refused] = [chief.post("/admin/integration/domains/leave", provider="google", directory=joined.second)]
    assert (refused.status_code, joined.owner(joined.second)) == (409, joined.tenant)
    word = html.unescape(re.findall(r'name="confirmation" value="([^"]+)"', ask.text)[0])

    done = chief.post("/admin/integration/domains/leave", provider="google", directory=joined.second, confirmation=word)

    assert (done.status_code, done.headers["Location"]) == (303, "/admin/integration")
    assert (joined.owner(joined.first), joined.owner(joined.second)) == (joined.tenant, None)
    assert dora.client.get("/v1/me").status_code == 401, "her session has ended"
    assert building.browser().sign_in(f"dora@{joined.second}", "google").status_code == 403
    row = tables.users(building.engine.registry).get(joined.tenant, dora.user)
    assert row is not None
    assert row.roles == ()
    grant = tables.consents(building.engine.registry).get(joined.tenant, row.mailbox)
    assert grant is not None
    assert grant.leaving_at_ms, "it is used for ending the subscription alone"
    assert chief.integration["state"] == "enabled", "people of the other domain notice nothing"
    [google] = [each for each in chief.integration["providers"] if each["provider"] == "google"]
    assert google["directories"] == [joined.first]
    acts = [row for _, row in tables.audit(building.engine.registry).scan(joined.tenant)]
    assert [act.outcome for act in acts if act.act == "integration.directory-left"] == ["1 people, 1 disconnected"]


def test_program_gives_a_domain_up_with_the_word_that_the_counts_came_with(joined: Group) -> None:
    joined.building.signed_in(f"dora@{joined.second}", "google")
    asked = give_up(joined.chief, joined.second)
    assert (asked.status_code, asked.json["code"], joined.owner(joined.second)) == (409, "not-confirmed", joined.tenant)
    assert asked.json["concerned"] == {"people": 1, "connected": 0, "administrators": 1, "unknown": 0}

    done = give_up(joined.chief, joined.second, confirmation=asked.json["confirmation"])

    assert (done.status_code, joined.owner(joined.second)) == (200, None)
    other = give_up(joined.chief, joined.second)
    assert (other.status_code, other.json["code"]) == (404, "no-such-directory")
    last = give_up(joined.chief, joined.first)
    assert (last.status_code, last.json["code"]) == (409, "directory-in-use")


def test_nobody_gives_up_the_domain_that_they_sign_in_from(joined: Group) -> None:
    answer = give_up(joined.chief, joined.first)
    assert (answer.status_code, answer.json["code"]) == (409, "own-directory")
    assert joined.owner(joined.first) == joined.tenant


def test_a_domain_that_is_being_given_up_takes_the_place_of_no_other(joined: Group) -> None:
    """An organisation whose only domain lets nobody in would be found by nobody any more."""
    dora = joined.building.signed_in(f"dora@{joined.second}", "google")
    registry, roles = joined.building.engine.registry, (Role.SUBSCRIPTION_ADMIN.value,)
    tables.users(registry).change(
        joined.tenant, dora.user, lambda row: msgspec.structs.replace(row, roles=roles) if row else None
    )
    begin_leaving(registry, joined.tenant, provider="google", directory=joined.second, now_ms=1)

    answer = give_up(dora, joined.first)

    assert (answer.status_code, answer.json["code"]) == (409, "directory-in-use")
    assert joined.owner(joined.first) == joined.tenant


def test_two_who_give_up_each_others_domain_at_once_leave_the_organisation_one(
    joined: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = joined.building.engine.registry
    word = give_up(joined.chief, joined.second).json["confirmation"]

    def both_begin(*arguments: Any, **named: Any) -> bool:
        begin_leaving(registry, joined.tenant, provider="google", directory=joined.first, now_ms=1)
        return begin_leaving(*arguments, **named)

    monkeypatch.setattr(given_up_directory, "begin_leaving", both_begin)
    answer = give_up(joined.chief, joined.second, confirmation=word)

    assert (answer.status_code, answer.json["code"]) == (409, "directory-in-use")
    assert joined.building.browser().sign_in(f"dora@{joined.second}", "google").status_code == 303


@pytest.mark.parametrize("act", ["signing in", "connecting"])
def test_who_comes_back_from_the_provider_while_the_domain_is_given_up_is_not_let_in(
    joined: Group, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last people of it were looked for before their session, or grant, was written."""
    registry = joined.building.engine.registry
    dora = joined.building.browser()
    if act == "connecting":
        assert dora.sign_in(f"dora@{joined.second}", "google").status_code == 303
    entered = admission.enter

    def given_up_meanwhile(*arguments: Any, **named: Any) -> str:
        user = entered(*arguments, **named)
        begin_leaving(registry, joined.tenant, provider="google", directory=joined.second, now_ms=1)
        return user

    monkeypatch.setattr(admission, "enter", given_up_meanwhile)
    answer = dora.connect() if act == "connecting" else dora.sign_in(f"dora@{joined.second}", "google")

    assert answer.status_code == 403
    assert list(tables.consents(registry).scan(joined.tenant)) == []
    if act == "signing in":
        assert dora.client.get("/v1/me").status_code == 401
