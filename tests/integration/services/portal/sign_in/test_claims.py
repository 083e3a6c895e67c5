"""What a provider says of a person, and what of it gives rights: nothing that the person may have written themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from services.portal.sign_in.openid import PERSONAL_ACCOUNTS, identity_of
from services.portal.sign_in.refusals import RefusedSignInError
from shared.domain.identity import Provider
from shared.domain.roles import Role
from shared.organisations.appointments import appoint, list_appointed
from shared.organisations.candidates import candidates
from shared.organisations.enrolment import enrol
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office, Simulator, an_office

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
ENTRA = {"iss": "https://entra/d/v2.0", "oid": "o-1", "tid": "d-1", "preferred_username": "ada@corp.example"}


def roles(office: Office, browser: Browser) -> tuple[str, ...]:
    row = tables.users(office.engine.registry).get(browser.tenant, browser.user)
    assert row is not None
    return row.roles


@pytest.mark.proves("E12")
def test_email_claim_that_entra_does_not_verify_gives_nobody_anothers_role(
    office: Office, ada: Browser, domain: str
) -> None:
    registry, keyring = office.engine.registry, office.engine.keyring
    row = tables.tenants(registry).get(ada.tenant, "tenant")
    assert row is not None
    appoint(registry, keyring, ada.tenant, row, f"boss@{domain}", Role.SUBSCRIPTION_ADMIN)
    office.simulator.faults(oauth={"claims": {f"ben@{domain}": {"email": f"boss@{domain}"}}})

    ben = office.signed_in(f"ben@{domain}")

    assert roles(office, ben) == ()
    assert [address for _, _, address in list_appointed(registry, keyring, ada.tenant)] == [f"boss@{domain}"]


@pytest.mark.proves("E12")
@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_no_providers_address_gives_a_role_by_itself(office: Office, domain: str, provider: str) -> None:
    where = domain if provider == "microsoft" else f"g.{domain}"
    ada = office.signed_in(f"ada@{where}", provider)
    registry, keyring = office.engine.registry, office.engine.keyring
    row = tables.tenants(registry).get(ada.tenant, "tenant")
    assert row is not None
    appoint(registry, keyring, ada.tenant, row, f"ada@{where}", Role.SUBSCRIPTION_ADMIN)

    again = office.signed_in(f"ada@{where}", provider)

    assert roles(office, again) == ()
    [found] = candidates(registry, keyring, ada.tenant)
    assert (found.user, found.roles) == (ada.user, (Role.SUBSCRIPTION_ADMIN.value,))
    assert found.account is not None
    assert (found.account.provider, found.account.address) == (provider, f"ada@{where}")


@pytest.mark.parametrize("more", ["\r\nBcc: eve@evil.test", ", eve@evil.test", "\x00", "\u202e", f".{'a' * 250}.test"])
def test_address_that_is_more_than_one_address_signs_nobody_in(office: Office, domain: str, more: str) -> None:
    address = f"ada@g.{domain}"
    office.simulator.faults(oauth={"claims": {address: {"email": f"{address}{more}"}}})

    answer = office.browser().enter(address, "google")

    assert (answer.status_code, "no-address" in answer.text) == (403, True)


@pytest.mark.proves("E12")
@pytest.mark.parametrize("claims", [{"acct": 1}, {"acct": "1"}, {"idp": "https://sts.windows.net/other/"}])
def test_guest_of_the_directory_is_no_employee(office: Office, domain: str, claims: dict[str, Any]) -> None:
    office.simulator.faults(oauth={"claims": {f"ben@{domain}": claims}})

    answer = office.browser().enter(f"ben@{domain}")

    assert (answer.status_code, "guest-account" in answer.text) == (403, True)
    assert list(office.engine.registry.scan("directories", "-")) == []


@pytest.mark.parametrize("verified", ["false", "true", 1, None, []])
def test_claim_of_another_type_says_nothing(office: Office, domain: str, verified: object) -> None:
    address = f"ada@g.{domain}"
    office.simulator.faults(oauth={"claims": {address: {"email_verified": verified}}})

    answer = office.browser().enter(address, "google")

    assert (answer.status_code, "no-address" in answer.text) == (403, True)


@pytest.mark.parametrize(
    "claims", [{"tid": PERSONAL_ACCOUNTS}, {"tid": ["d-1"]}, {"oid": 7}, {"preferred_username": {"a": "b@c"}}]
)
def test_personal_accounts_and_odd_claims_are_nobodys_employee(claims: dict[str, Any]) -> None:
    assert identity_of(Provider.MICROSOFT, ENTRA).subject == "o-1"
    with pytest.raises(RefusedSignInError):
        identity_of(Provider.MICROSOFT, {**ENTRA, **claims})


@pytest.mark.proves("E11", "E12")
@pytest.mark.parametrize("enrolment", ["open", "closed"])
@pytest.mark.parametrize("tid", [PERSONAL_ACCOUNTS, PERSONAL_ACCOUNTS.upper()])
def test_personal_account_gets_into_nobodys_organisation(
    tmp_path: Path, simulator: Simulator, domain: str, enrolment: str, tid: str
) -> None:
    """Not even as an administrator of that directory, with a colleague's address, and where somebody has enrolled it."""
    with an_office(tmp_path / "home", simulator, enrolment=enrolment) as office:
        registry, keyring = office.engine.registry, office.engine.keyring
        enrol(registry, keyring, provider="microsoft", directory=domain_id(office, domain), name="Contoso")
        ada = office.signed_in(f"ada@{domain}")
        login = f"{office.settings.microsoft_login_url}/{tid}/v2.0"
        stranger = {"tid": tid, "iss": login, "preferred_username": f"ada@{domain}", "wids": [GLOBAL_ADMINISTRATOR]}
        office.simulator.faults(oauth={"claims": {f"ben@{domain}": stranger}})
        for _ in range(2):
            rows = office.engine.registry.everything()
            browser = office.browser()
            answer = browser.enter(f"ben@{domain}")
            assert (answer.status_code, "personal-account" in answer.text) == (403, True)
            assert browser.client.get("/v1/me").status_code == 401
            kept = {row for row in office.engine.registry.everything() if row.table != "sign-ins"}
            assert kept == {row for row in rows if row.table != "sign-ins"}, "nothing is written of them"
            enrol(registry, keyring, provider="microsoft", directory=tid.lower(), name="Nobody")
        assert [user for user, _ in tables.users(registry).scan(ada.tenant)] == [ada.user]


def domain_id(office: Office, domain: str) -> str:
    """The directory that the simulator gives the domain."""
    answer = httpx.get(f"{office.simulator.url}/sim/v1/tenants").raise_for_status().json()
    found: str = next(each["id"] for each in answer["tenants"] if each["domain"] == domain)
    return found


@pytest.mark.parametrize(
    ("wids", "given"),
    [
        ([GLOBAL_ADMINISTRATOR], (Role.SUBSCRIPTION_ADMIN,)),
        ([], ()),
        ("x" + GLOBAL_ADMINISTRATOR, ()),
        (GLOBAL_ADMINISTRATOR, ()),
    ],
)
def test_who_brings_an_organisation_along_administers_it_if_the_directory_says_so(
    office: Office, domain: str, wids: object, given: tuple[str, ...]
) -> None:
    office.simulator.faults(oauth={"claims": {f"ada@{domain}": {"wids": wids}}})

    assert roles(office, office.signed_in(f"ada@{domain}")) == given
