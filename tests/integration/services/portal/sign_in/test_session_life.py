"""How long a session lasts: it slides while it is used, costs few writes, and ends for good after a week."""

from __future__ import annotations

import pytest

from services.portal.frame.sessions import LIFE_MS, MAX_LIFE_MS, PROLONGED_EVERY_MS
from shared.domain.instants import HOUR_MS, SECOND_MS
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office


def status(browser: Browser) -> int:
    return int(browser.client.get("/v1/me").status_code)


def version(office: Office, browser: Browser) -> int:
    """Of the row of the person's only session: another one after each write."""
    [(name, _)] = tables.sessions(office.engine.registry).scan(browser.tenant)
    found = office.engine.registry.get("sessions", browser.tenant, name)
    assert found is not None
    return found.version


@pytest.mark.proves("P1")
def test_session_that_is_used_slides_and_its_cookie_with_it(office: Office, ada: Browser) -> None:
    office.clock.advance(LIFE_MS - HOUR_MS)
    answer = ada.client.get("/v1/me")
    assert answer.status_code == 200
    assert f"Max-Age={LIFE_MS // SECOND_MS}" in answer.headers["Set-Cookie"]
    office.clock.advance(LIFE_MS - HOUR_MS)
    assert status(ada) == 200
    office.clock.advance(LIFE_MS)
    assert status(ada) == 401


def test_session_is_written_once_in_ten_minutes_however_many_requests_come(office: Office, ada: Browser) -> None:
    written = version(office, ada)
    office.clock.advance(PROLONGED_EVERY_MS - SECOND_MS)
    assert [status(ada) for _ in range(20)] == [200] * 20
    assert version(office, ada) == written
    office.clock.advance(SECOND_MS)
    assert "Set-Cookie" in ada.client.get("/v1/me").headers
    prolonged = version(office, ada)
    assert prolonged > written
    assert ["Set-Cookie" in ada.client.get("/v1/me").headers for _ in range(20)] == [False] * 20
    assert version(office, ada) == prolonged


def test_session_ends_a_week_after_signing_in_however_much_it_is_used(office: Office, ada: Browser) -> None:
    [(_, row)] = tables.sessions(office.engine.registry).scan(ada.tenant)
    for _ in range(MAX_LIFE_MS // (6 * HOUR_MS) - 1):
        office.clock.advance(6 * HOUR_MS)
        assert status(ada) == 200
    office.clock.advance(row.opened_at_ms + MAX_LIFE_MS - SECOND_MS - office.clock.now_ms())
    last = ada.client.get("/v1/me")
    assert last.status_code == 200
    assert "Max-Age=1;" in last.headers["Set-Cookie"]
    office.clock.advance(SECOND_MS)
    assert status(ada) == 401


def test_signing_out_is_not_undone_by_the_request_that_would_prolong(office: Office, ada: Browser) -> None:
    office.clock.advance(HOUR_MS)
    assert ada.post("/auth/logout").status_code in {200, 303}
    assert list(tables.sessions(office.engine.registry).scan(ada.tenant)) == []
    assert status(ada) == 401


def test_a_static_file_carries_no_cookie_and_prolongs_nothing(office: Office, ada: Browser) -> None:
    written = version(office, ada)
    office.clock.advance(HOUR_MS)
    with ada.client.get("/static/portal.css") as answer:
        assert "Set-Cookie" not in answer.headers
    assert version(office, ada) == written
