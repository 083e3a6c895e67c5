"""Who may see and change what: every route of the administrators against every role, on pages and for programs."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from services.portal.admin.people.administrators import AdministratorList
from services.portal.frame import limits
from services.portal.frame.headers import CONTENT_SECURITY_POLICY
from services.portal.sign_in.admission import enter
from services.portal.sign_in.attempts import Purpose
from services.portal.sign_in.openid import Identity, asked_for
from shared.contracts.rows import IntegrationState
from shared.domain.identity import Provider
from shared.domain.roles import MATRIX, Right, Role, may
from shared.registry import tables
from tests.integration.services.portal.admin.administration import Building, Chief, a_building, asked_scopes
from tests.integration.services.portal.office import Simulator
from tests.support.patience import PATIENCE_S
from tests.support.routes import rights

R = Right
PAGES = rights("/admin")
PROGRAMS = rights("/v1/admin")
ROUTES = {**PAGES, **PROGRAMS}
NAMES = {Role.EMPLOYEE: "emil", Role.BUILDING_ADMIN: "berta", Role.SUBSCRIPTION_ADMIN: "ada"}


@dataclass
class Staff:
    """One organisation, off, with somebody of each role."""

    building: Building
    domain: str
    directory: str
    tenant: str
    people: dict[Role, Chief] = field(default_factory=dict)

    @property
    def ada(self) -> Chief:
        return self.people[Role.SUBSCRIPTION_ADMIN]

    def set_state(self, state: IntegrationState, **changes: Any) -> None:
        tables.tenants(self.building.engine.registry).change(
            self.tenant,
            "tenant",
            lambda row: msgspec.structs.replace(row, integration=state, **changes) if row else None,
        )


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory, simulator_url: str) -> Iterator[Building]:
    with a_building(tmp_path_factory.mktemp("staff"), Simulator(simulator_url)) as found:
        yield found


@pytest.fixture(scope="module")
def one_staff(building: Building) -> Staff:
    return a_staff(building)


@pytest.fixture
def staff(one_staff: Staff) -> Staff:
    one_staff.set_state(IntegrationState.OFF, contact="", sleep_until_ms=0, provider="microsoft")
    return one_staff


def a_staff(building: Building) -> Staff:
    domain = f"x{uuid.uuid4().hex[:8]}.test"
    directory = building.simulator.post("tenants", provider="microsoft", name="Contoso", domain=domain)["id"]
    tenant = ""
    for role, name in NAMES.items():
        user = building.simulator.post("users", tenant=directory, name=name.title(), address=f"{name}@{domain}")
        building.simulator.post(f"users/{user['id']}/consents", granted=True)
        if role is not Role.EMPLOYEE:
            tenant = building.tenant("microsoft", directory, f"{name}@{domain}", role)
    people = {role: building.signed_in(f"{name}@{domain}", "microsoft") for role, name in NAMES.items()}
    return Staff(building, domain, directory, tenant, people)


def test_every_route_of_the_administrators_stands_in_the_table(building: Building) -> None:
    found = {
        f"{method} {rule}"
        for rule in building.app.url_map.iter_rules()
        if str(rule).startswith(("/admin", "/v1/admin"))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert found == set(ROUTES)


@pytest.mark.proves("E10")
def test_matrix_gives_each_role_what_was_promised() -> None:
    """Written out, since everything else here asks the matrix itself."""
    rooms = {R.OWN_CALENDAR, R.SEE_ROOMS, R.CHANGE_ROOMS, R.SEE_INTEGRATION}
    promised = {
        Role.EMPLOYEE: {R.OWN_CALENDAR},
        Role.BUILDING_ADMIN: rooms,
        Role.SUBSCRIPTION_ADMIN: {*rooms, R.SWITCH_INTEGRATION, R.APPOINT, R.MANAGE_WEBHOOKS, R.SEE_AUDIT},
    }
    assert {role: {right for right in R if may({role}, right)} for role in Role} == promised


@pytest.mark.parametrize("provider", ["microsoft", "google"])
@pytest.mark.proves("E10")
def test_only_whoever_may_switch_it_sees_a_switch(staff: Staff, provider: str) -> None:
    for state in IntegrationState:
        staff.set_state(state, provider=provider)
        pages = {role: staff.people[role].client.get("/admin/integration").text for role in Role}
        assert 'role="switch"' in pages[Role.SUBSCRIPTION_ADMIN]
        assert "<form" not in pages[Role.BUILDING_ADMIN].partition("<main")[2]
        assert "cannot change it" in pages[Role.BUILDING_ADMIN]
        assert "Calendar integration" not in pages[Role.EMPLOYEE]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("route", sorted(ROUTES))
@pytest.mark.proves("E9", "E10")
def test_each_role_meets_exactly_what_the_matrix_gives_it(staff: Staff, route: str, role: Role) -> None:
    method, path = route.split(" ", 1)
    path = re.sub(r"<any\(pair, unpair(, remove)?\):act>", "pair", path)
    path = re.sub(r"<any\(confirm, refuse\):act>", "refuse", path)
    path = re.sub(r"<role>", Role.BUILDING_ADMIN.value, path)
    path = re.sub(r"<\w+>", "r-nothing", path)

    answer = (
        staff.people[role].call(method, path) if path.startswith("/v1") else browse(staff.people[role], method, path)
    )

    if role in MATRIX[ROUTES[route]]:
        assert answer.status_code not in {401, 403, 429, 500, 503}, answer.text
        return
    assert answer.status_code == 403
    assert "Ask your subscription administrator" in answer.text
    assert "not-allowed" in answer.text


def browse(chief: Chief, method: str, path: str) -> Any:
    return chief.client.get(path) if method == "GET" else chief.post(path)


@pytest.mark.parametrize("route", sorted(route for route in ROUTES if route.startswith("GET")))
def test_nobody_sees_anything_without_signing_in(building: Building, route: str) -> None:
    answer = building.app.test_client().get(re.sub(r"<\w+>", "r-nothing", route.partition(" ")[2]))
    assert answer.status_code == 401


@pytest.mark.proves("E9")
def test_contact_is_named_if_there_is_one_and_leaves_no_empty_line_if_not(staff: Staff) -> None:
    emil = staff.people[Role.EMPLOYEE].client
    without = emil.get("/admin/integration").text
    staff.ada.post("/admin/integration/contact", contact="it-desk, extension 12")
    with_it = emil.get("/admin/integration").text

    assert "Ask your subscription administrator." in without
    assert "()" not in without
    assert not re.search(r"<(dd|p)[^>]*>\s*</", without)
    assert "Ask your subscription administrator (it-desk, extension 12)." in with_it
    assert "it-desk, extension 12" in emil.get("/v1/admin/integration").json["next"]


@pytest.mark.parametrize("route", sorted(route for route in ROUTES if route.startswith("GET")))
def test_every_page_keeps_frames_strangers_and_caches_out(staff: Staff, route: str) -> None:
    answer = staff.ada.client.get(re.sub(r"<\w+>", "r-nothing", route.partition(" ")[2]))

    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", answer.text), "nothing inline"


@pytest.mark.parametrize("path", sorted(route.partition(" ")[2] for route in PAGES if route.startswith("POST")))
def test_no_form_is_taken_from_elsewhere(staff: Staff, path: str) -> None:
    answer = staff.ada.client.post(
        re.sub(r"<any\((\w+)(?:, \w+){1,9}\):act>|<\w+>", lambda found: found[1] or "some-id", path),
        data={"provider": "microsoft"},
    )
    assert answer.status_code == 403
    assert "csrf" in answer.text


@pytest.mark.parametrize("provider", ["microsoft", "google"])
@pytest.mark.proves("E14", "E18")
def test_toggle_leads_to_testing_and_through_three_screens(staff: Staff, provider: str) -> None:
    assert 'role="switch" aria-checked="false"' in staff.ada.client.get("/admin/integration").text

    toggled = staff.ada.post("/admin/integration/test", provider=provider)

    assert staff.building.state(staff.tenant) is IntegrationState.TESTING
    explained = staff.ada.client.get(toggled.headers["Location"]).text
    assert "is booked with the room" in explained
    assert 'aria-current="step">What it will do' in explained
    asked = staff.ada.client.get("/admin/integration/test/permissions").text
    assert 'aria-current="step">Permission' in asked
    assert "Who must allow it" in asked
    result = staff.ada.client.get("/admin/integration/test/result").text
    assert 'aria-current="step">Result' in result
    staff.ada.post("/admin/integration/test/give-up")
    assert staff.building.state(staff.tenant) is IntegrationState.OFF


@pytest.mark.parametrize("provider", list(Provider))
@pytest.mark.proves("E13", "S7")
def test_permissions_that_are_listed_are_those_of_the_redirect(staff: Staff, provider: Provider) -> None:
    staff.ada.post("/admin/integration/test", provider=provider.value)
    page = staff.ada.client.get("/admin/integration/test/permissions").text
    listed = re.findall(r"<li><code>(.*?)</code>", page.partition("Who must allow it")[0])
    start = staff.ada.call("POST", "/v1/admin/integration/test/depart", provider=provider.value)
    program = next(each for each in staff.ada.integration["providers"] if each["provider"] == provider.value)

    assert listed == asked_scopes(start.json["location"])
    assert [each["scope"] for each in program["permissions"]["test"]] == listed
    assert [each["scope"] for each in program["permissions"]["connect"]] == list(asked_for(provider, Purpose.CONNECT))
    assert all(each["words"] for each in program["permissions"]["test"])


@pytest.mark.parametrize("state", [each for each in IntegrationState if each is not IntegrationState.ENABLED])
@pytest.mark.proves("E15", "E25")
def test_nobody_can_connect_before_it_is_enabled(staff: Staff, state: IntegrationState) -> None:
    staff.set_state(state)
    emil = staff.people[Role.EMPLOYEE]

    answer = emil.follow(f"/auth/login?provider=microsoft&login_hint=emil@{staff.domain}")

    assert answer.status_code == 403
    assert "not-enabled" in answer.text
    assert list(tables.consents(staff.building.engine.registry).scan(staff.tenant)) == []


def test_whoever_can_switch_it_on_lands_where_they_do(staff: Staff) -> None:
    chief = staff.building.browser()
    assert chief.sign_in(f"ada@{staff.domain}", "microsoft").headers["Location"] == "/admin/integration"
    emil = staff.building.browser()
    assert emil.sign_in(f"emil@{staff.domain}", "microsoft").headers["Location"] == "/"


def test_nobody_is_sent_for_a_test_that_was_not_begun(staff: Staff) -> None:
    asked = "/admin/integration/test/depart"
    assert staff.ada.post(asked, provider="microsoft").status_code == 409
    staff.ada.post("/admin/integration/test", provider="google")
    assert staff.ada.post(asked, provider="microsoft").status_code == 409
    berta = staff.people[Role.BUILDING_ADMIN]
    assert berta.post(asked, provider="google").status_code == 403


def test_code_off_an_error_page_is_explained(staff: Staff) -> None:
    """A redirect address that is not registered is told to the person only, and they may tell us."""
    staff.ada.post("/admin/integration/test", provider="microsoft")
    assert staff.ada.post("/admin/integration/test/depart", provider="microsoft").status_code == 200
    shown = staff.ada.client.get("/admin/integration/test/permissions").text
    assert "Did they show an error page" in shown

    nothing = staff.ada.post("/admin/integration/test/reported", code="it did not work")
    staff.ada.post("/admin/integration/test/reported", code="Sorry … AADSTS50011: The redirect URI <b>x</b> …")

    assert nothing.status_code == 422
    [trouble] = staff.ada.integration["test"]["troubles"]
    assert (trouble["code"], trouble["providerCode"]) == ("redirect-wrong", "AADSTS50011")


# People


@pytest.mark.proves("E10")
def test_administrator_is_appointed_by_address_before_they_have_ever_come(building: Building) -> None:
    staff = a_staff(building)
    user = building.simulator.post("users", tenant=staff.directory, name="Zoe", address=f"zoe@{staff.domain}")
    building.simulator.post(f"users/{user['id']}/consents", granted=True)

    staff.ada.post("/admin/people", address=f"Zoe@{staff.domain}", role="building-admin")
    shown = staff.ada.client.get("/admin/people").text
    zoe = building.signed_in(f"zoe@{staff.domain}", "microsoft")
    assert zoe.client.get("/admin/rooms").status_code == 403
    confirm(staff, zoe)

    assert f"zoe@{staff.domain}" in shown
    assert "Has not signed in since" in shown
    assert zoe.integration["mayChange"] is False
    assert zoe.client.get("/admin/rooms").status_code == 200
    stored = [each.value for each in rows(building, staff.tenant, "appointments")]
    assert all(f"zoe@{staff.domain}".encode() not in value.lower() for value in stored)


@pytest.mark.proves("E10")
def test_role_is_given_to_both_accounts_of_one_address(building: Building) -> None:
    """The organisation has changed to the other calendar system, where Emil has not signed in yet."""
    staff = a_staff(building)
    staff.set_state(IntegrationState.ENABLED, provider="google")
    emil = staff.people[Role.EMPLOYEE]

    staff.ada.post("/admin/people", address=f"emil@{staff.domain}", role="building-admin")
    identity = Identity(Provider.GOOGLE, "emil-at-google", "x.test", f"emil@{staff.domain}")
    came = enter(building.deps, staff.tenant, building.row(staff.tenant), identity)
    answer_all(staff, "confirm")

    users = tables.users(building.engine.registry)
    roles = {user: row.roles for user, row in users.scan(staff.tenant)}
    assert roles[emil.user] == roles[came] == (Role.BUILDING_ADMIN.value,)
    assert emil.client.get("/admin/rooms").status_code == 200
    staff.ada.post("/admin/people", address=f"emil@{staff.domain}", role="subscription-admin")
    answer_all(staff, "confirm")
    assert Role.SUBSCRIPTION_ADMIN.value in {row.roles[-1] for user, row in users.scan(staff.tenant) if user == came}
    assert "Has not signed in since" not in staff.ada.client.get("/admin/people").text.partition("emil@")[2]


def candidates(staff: Staff) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = staff.ada.client.get("/v1/admin/people").json["candidates"]
    return found


def answer_all(staff: Staff, act: str) -> list[int]:
    """Confirm or refuse everybody who waits; the statuses."""
    return [
        staff.ada.call(
            "POST", f"/v1/admin/people/{each['appointment']}/candidates/{each['user']}/{act}", roles=each["roles"]
        ).status_code
        for each in candidates(staff)
    ]


def confirm(staff: Staff, whom: Chief) -> None:
    [each] = [each for each in candidates(staff) if each["user"] == whom.user]
    path = f"/admin/people/{each['appointment']}/candidates/{each['user']}/confirm"
    answer = staff.ada.client.post(path, data={"csrf": staff.ada.csrf, "role": each["roles"]})
    assert answer.status_code == 303, answer.text


@pytest.mark.proves("E10")
def test_who_signs_in_with_an_appointed_address_has_no_right_until_they_are_confirmed(building: Building) -> None:
    """The directory gave the address to somebody else meanwhile: another account comes with it."""
    staff = a_staff(building)
    staff.ada.post("/admin/people", address=f"zoe@{staff.domain}", role="subscription-admin")
    heir = building.simulator.post("users", tenant=staff.directory, name="Zora <b>", address=f"zora@{staff.domain}")
    building.simulator.post(f"users/{heir['id']}/consents", granted=True)
    building.simulator.faults(oauth={"claims": {f"zora@{staff.domain}": {"preferred_username": f"Zoe@{staff.domain}"}}})

    zora = building.signed_in(f"zora@{staff.domain}", "microsoft")
    page = staff.ada.client.get("/admin/people").text
    [shown] = candidates(staff)

    assert zora.client.get("/admin/people").status_code == 403
    assert (shown["name"], shown["address"]) == ("Zora <b>", f"zoe@{staff.domain}")
    assert shown["account"] == f"{heir['id'][:8]}…{heir['id'][-4:]}"
    assert shown["at"] is not None
    assert "Zora &lt;b&gt;" in page
    assert shown["account"] in page
    assert answer_all(staff, "refuse") == [200]
    building.signed_in(f"zora@{staff.domain}", "microsoft")
    assert candidates(staff) == []
    assert "Has not signed in since" in staff.ada.client.get("/admin/people").text, "zoe may still come"
    building.simulator.faults(oauth={})


@pytest.mark.proves("E10")
def test_confirmation_gives_what_was_shown_and_once(building: Building) -> None:
    staff = a_staff(building)
    emil = staff.people[Role.EMPLOYEE]
    staff.ada.post("/admin/people", address=f"emil@{staff.domain}", role="building-admin")
    [shown] = candidates(staff)
    at = f"/v1/admin/people/{shown['appointment']}/candidates/{shown['user']}"
    staff.ada.post("/admin/people", address=f"emil@{staff.domain}", role="subscription-admin")

    late = staff.ada.call("POST", f"{at}/confirm", roles=shown["roles"])
    assert (late.status_code, late.json["code"]) == (409, "no-candidate")
    assert emil.client.get("/admin/rooms").status_code == 403
    assert staff.ada.client.post(f"/admin/people{at.removeprefix('/v1/admin/people')}/confirm").status_code == 403

    assert answer_all(staff, "confirm") == [200]
    assert emil.client.get("/admin/people").status_code == 200
    assert staff.ada.call("POST", f"{at}/confirm", roles=["subscription-admin"]).status_code == 409
    assert candidates(staff) == []
    stored = [each.value for each in rows(building, staff.tenant, "appointments")]
    assert all(staff.domain.encode() not in value for value in stored)


@pytest.mark.proves("E10")
def test_nobody_confirms_candidates_of_another_organisation(building: Building) -> None:
    staff, other = a_staff(building), a_staff(building)
    staff.ada.post("/admin/people", address=f"emil@{staff.domain}", role="subscription-admin")
    [shown] = candidates(staff)
    for act in ("confirm", "refuse"):
        at = f"/v1/admin/people/{shown['appointment']}/candidates/{shown['user']}/{act}"
        assert other.ada.call("POST", at, roles=shown["roles"]).status_code == 409
    assert candidates(staff) == [shown]


def test_appointment_that_is_none_cannot_be_taken_away(building: Building) -> None:
    staff = a_staff(building)

    answer = staff.ada.call("DELETE", "/v1/admin/people/a-ada.lovelace@example.test/roles/building-admin")

    assert (answer.status_code, answer.json["code"]) == (404, "no-such-appointment")
    assert staff.ada.client.get("/v1/admin/audit").json["acts"] == []


@pytest.mark.proves("E10")
def test_role_that_is_taken_away_is_gone_with_the_next_request(building: Building) -> None:
    staff = a_staff(building)
    berta = staff.people[Role.BUILDING_ADMIN]
    assert berta.client.get("/admin/rooms").status_code == 200

    staff.ada.call("DELETE", f"/v1/admin/people/{berta.user}/roles/building-admin")

    assert berta.client.get("/admin/rooms").status_code == 403


@pytest.mark.proves("E10")
def test_last_subscription_administrator_cannot_be_dismissed(building: Building) -> None:
    staff = a_staff(building)

    answer = staff.ada.call("DELETE", f"/v1/admin/people/{staff.ada.user}/roles/subscription-admin")

    assert (answer.status_code, answer.json["code"]) == (409, "last-subscription-admin")
    assert staff.ada.integration["mayChange"] is True


@pytest.mark.proves("E10")
def test_two_who_dismiss_each_other_at_once_leave_one(building: Building, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have seen that there are two, before either has taken anything."""
    staff = a_staff(building)
    berta = staff.people[Role.BUILDING_ADMIN]
    staff.ada.post("/admin/people", address=f"berta@{staff.domain}", role="subscription-admin")
    confirm(staff, berta)
    both, seen, real = threading.Barrier(2), set[int](), AdministratorList._chiefs

    def chiefs(people: AdministratorList) -> set[str]:
        found = real(people)
        if threading.get_ident() not in seen:
            seen.add(threading.get_ident())
            both.wait(PATIENCE_S)
        return found

    monkeypatch.setattr(AdministratorList, "_chiefs", chiefs)
    answers: list[int] = []

    def dismisses(who: Chief, whom: Chief) -> None:
        answers.append(who.call("DELETE", f"/v1/admin/people/{whom.user}/roles/subscription-admin").status_code)

    pairs = [(staff.ada, berta), (berta, staff.ada)]
    threads = [threading.Thread(target=dismisses, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    left = [row for _, row in tables.users(building.engine.registry).scan(staff.tenant)]
    assert any(Role.SUBSCRIPTION_ADMIN.value in row.roles for row in left)
    assert 409 in answers


def test_what_administrators_do_is_on_record_without_names(building: Building) -> None:
    staff = a_staff(building)
    staff.ada.post("/admin/people", address=f"emil@{staff.domain}", role="building-admin")
    confirm(staff, staff.people[Role.EMPLOYEE])
    staff.ada.post("/admin/integration/test", provider="microsoft")

    acts = staff.ada.client.get("/v1/admin/audit").json["acts"]

    assert [each["act"] for each in acts] == ["integration.test-begun", "role.given", "role.offered"]
    assert {each["user"] for each in acts} == {staff.ada.user}
    assert all(staff.domain.encode() not in each.value for each in rows(building, staff.tenant, "audit"))


def rows(building: Building, tenant: str, table: str) -> list[Any]:
    return [found for _, found in building.engine.registry.scan(table, tenant)]


# Limits


def test_too_many_tries_of_one_browser_are_told_when_to_come_back(building: Building) -> None:
    staff = a_staff(building)
    answers = [staff.ada.call("POST", "/v1/admin/integration/test") for _ in range(limits.TEST.per_account + 1)]

    assert [each.status_code for each in answers] == [422] * limits.TEST.per_account + [429]
    last = answers[-1]
    assert last.json["code"] == "too-many-requests"
    assert 0 < int(last.headers["Retry-After"]) <= limits.TEST.window_ms // 1000
    assert staff.people[Role.BUILDING_ADMIN].client.get("/admin/integration").status_code == 200, (
        "nobody else is held up"
    )


def test_signing_in_over_and_over_is_limited_per_browser(building: Building) -> None:
    browser = building.browser().client
    browser.get("/auth/login?provider=microsoft")

    answers = {browser.get("/auth/login?provider=microsoft").status_code for _ in range(limits.SIGN_IN.per_account + 1)}

    assert answers == {302, 429}
    assert building.browser().client.get("/auth/login").status_code == 200
