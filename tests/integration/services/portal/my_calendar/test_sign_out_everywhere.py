"""Signing out everywhere: every browser of the person is out, at once and for good, and nobody else's is."""

from __future__ import annotations

import threading

import msgspec
import pytest

from services.portal.my_rooms import stream
from shared.domain.roles import Role
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office
from tests.support.patience import PATIENCE_S

BUTTON = "Sign out everywhere"
PATH = "/profile/sign-out-everywhere"


def status(browser: Browser) -> int:
    return browser.client.get("/v1/me").status_code


def signed_out(browser: Browser) -> tuple[int, str]:
    answer = browser.client.post(PATH, data={"csrf": browser.csrf})
    return answer.status_code, answer.headers.get("Location", "")


def test_the_button_ends_the_sessions_of_all_browsers_of_the_person_alone(
    office: Office, domain: str, ada: Browser, ben: Browser
) -> None:
    elsewhere = office.signed_in(f"ada@{domain}")
    stolen = elsewhere.client.get_cookie("roomsync_session")
    assert stolen is not None
    page = ada.client.get("/profile").text
    assert BUTTON in page
    assert f'<form method="post" action="{PATH}">' in page
    assert [status(each) for each in (ada, elsewhere, ben)] == [200, 200, 200]

    assert signed_out(ada) == (303, "/auth/login")

    assert ada.client.get_cookie("roomsync_session") is None
    assert [status(each) for each in (ada, elsewhere, ben)] == [401, 401, 200]
    assert elsewhere.post("/profile/disconnect").status_code == 401
    again = office.signed_in(f"ada@{domain}")
    thief = office.browser()
    thief.client.set_cookie("roomsync_session", stolen.value)
    assert [status(each) for each in (again, thief, elsewhere)] == [200, 401, 401], "signing in revives no session"


def test_it_takes_a_post_with_the_token_of_ones_own_page(office: Office, ada: Browser, ben: Browser) -> None:
    assert ada.client.get(PATH).status_code == 405
    for token in ("", ben.csrf):
        assert ada.client.post(PATH, data={"csrf": token}).status_code == 403
    assert office.browser().client.post(PATH).status_code == 401
    assert status(ada) == 200


def test_live_pages_in_other_browsers_end(
    office: Office, domain: str, ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.2)
    elsewhere, ended = office.signed_in(f"ada@{domain}"), threading.Event()

    def listen() -> None:
        with elsewhere.client.get("/v1/me/stream") as answer:
            for _ in answer.response:
                opened.set()
        ended.set()

    opened = threading.Event()
    thread = threading.Thread(target=listen)
    thread.start()
    assert opened.wait(PATIENCE_S)
    signed_out(ada)
    assert ended.wait(PATIENCE_S)
    thread.join()


def test_a_right_that_is_withdrawn_is_gone_with_the_next_request_in_every_browser(
    office: Office, domain: str, ada: Browser
) -> None:
    def give(*roles: str) -> None:
        tables.users(office.engine.registry).change(
            ada.tenant, ada.user, lambda row: msgspec.structs.replace(row, roles=roles) if row else None
        )

    elsewhere = office.signed_in(f"ada@{domain}")
    give(Role.SUBSCRIPTION_ADMIN.value)
    assert [each.client.get("/v1/admin/people").status_code for each in (ada, elsewhere)] == [200, 200]
    give()
    assert [each.client.get("/v1/admin/people").status_code for each in (ada, elsewhere)] == [403, 403]
    assert [status(ada), status(elsewhere)] == [200, 200], "they are employees still"


def test_what_a_person_has_used_up_is_not_forgotten_when_they_sign_in_again(
    office: Office, domain: str, ada: Browser
) -> None:
    users = tables.users(office.engine.registry)
    users.change(ada.tenant, ada.user, lambda row: msgspec.structs.replace(row, row_counts={"x": 7}) if row else None)
    office.signed_in(f"ada@{domain}")
    row = users.get(ada.tenant, ada.user)
    assert row is not None
    assert row.row_counts == {"x": 7}
