"""A grant that ends by itself, as all do while Google's consent screen is in Testing: said before it happens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from cli.doctor.checks.check_result import CheckState
from cli.doctor.checks.grants import check_grants
from shared.domain.instants import DAY_MS, SECOND_MS
from shared.domain.roles import Role
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office

pytestmark = pytest.mark.proves("B14")
WEEK_MS = 7 * DAY_MS


def connected(office: Office, domain: str, *, testing: bool) -> Browser:
    office.simulator.faults(oauth={"testingMode": testing})
    ada = office.signed_in(f"ada@g.{domain}", "google")
    row = tables.users(office.engine.registry).get(ada.tenant, ada.user)
    assert row is not None
    chief = msgspec.structs.replace(row, roles=(Role.SUBSCRIPTION_ADMIN.value,))
    tables.users(office.engine.registry).put(ada.tenant, ada.user, chief)
    return ada


def grant(office: Office, browser: Browser) -> Any:
    row = tables.consents(office.engine.registry).get(browser.tenant, browser.mailbox)
    assert row is not None
    return row


def test_end_that_google_names_is_shown_to_person_administrator_and_operator(office: Office, domain: str) -> None:
    ada = connected(office, domain, testing=True)
    ends_ms = grant(office, ada).ends_at_ms
    assert abs(ends_ms - office.clock.now_ms() - WEEK_MS) < 60 * SECOND_MS
    day = f"{datetime.fromtimestamp(ends_ms / 1000, UTC):%Y-%m-%d}"

    assert ada.client.get("/v1/me/calendar").json["endsAt"].startswith(day)
    assert "ends by itself on" in ada.client.get("/profile").text
    shown = ada.client.get("/v1/admin/integration").json["ending"]
    assert (shown["people"], shown["first"][:10]) == (1, day)
    assert "Testing" in ada.client.get("/admin/integration").text
    [found] = check_grants(office.engine.registry, office.clock.now_ms())
    assert (found.state, day in found.text) == (CheckState.WRONG, True)
    assert "In production" in found.next


def test_connecting_again_begins_a_new_time(office: Office, domain: str) -> None:
    ada = connected(office, domain, testing=True)
    before = grant(office, ada).ends_at_ms
    row = msgspec.structs.replace(grant(office, ada), ends_at_ms=before - 3 * DAY_MS)
    tables.consents(office.engine.registry).put(ada.tenant, ada.mailbox, row)
    assert ada.come_back(office.simulator.follow(ada.connecting())).status_code == 303
    assert grant(office, ada).ends_at_ms >= before


def test_grant_without_an_end_is_not_warned_of(office: Office, domain: str) -> None:
    ada = connected(office, domain, testing=False)
    assert grant(office, ada).ends_at_ms == 0
    assert ada.client.get("/v1/me/calendar").json["endsAt"] is None
    assert "ends by itself" not in ada.client.get("/profile").text
    assert ada.client.get("/v1/admin/integration").json["ending"] is None
    assert list(check_grants(office.engine.registry, office.clock.now_ms())) == []
