"""Links in messages: scanners open them and nothing changes, their person comes to the card, a closed prompt says so."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import DismissalRow, NotificationRow
from shared.crypto.links import Link, LinkPurpose, LinkSigner, link_path
from shared.domain.sighting import Availability
from shared.language.deciding.negotiation import PSEUDO
from shared.meetings.prompts import dismissal_id
from shared.organisations.removal import count_rows, remove_organisation
from shared.registry import tables
from tests.integration.services.portal.frame.test_every_page_in_each_language import untranslated
from tests.integration.services.portal.office import Browser, Office

pytestmark = pytest.mark.proves("B16")


def prompted(office: Office, browser: Browser) -> str:
    """A room has declined, another one is free; the path of the link that was mailed."""
    one, _ = office.enter_rooms(browser.tenant, "one", "two")
    room = office.room(browser, one, RoomState.DECLINED)
    office.show(office.meeting(browser, room), browser.tenant)
    return signed(office, browser, LinkPurpose.PROMPT, room.decline_id)


def signed(office: Office, browser: Browser, purpose: LinkPurpose, prompt: str = "") -> str:
    return link_path(LinkSigner(office.deps.link_keys).sign(Link(purpose, browser.tenant, browser.user, prompt)))


def prompt_of(office: Office, path: str) -> str:
    link = LinkSigner(office.deps.link_keys).read(path.removeprefix("/p/"))
    assert link is not None
    return link.prompt


def kept(office: Office, browser: Browser) -> dict[str, Any]:
    """Everything that the registry holds, and the commands."""
    rows = {
        f"{table.name}/{row_id}": row
        for table in tables.TABLES
        for tenant in (browser.tenant, "-")
        for row_id, row in table(office.engine.registry).scan_readable(tenant)
    }
    return {**rows, "commands": office.commands()}


@pytest.mark.parametrize("purpose", list(LinkPurpose))
@pytest.mark.parametrize("who", ["a scanner", "the person"])
def test_whoever_only_opens_a_link_changes_nothing(
    office: Office, ada: Browser, purpose: LinkPurpose, who: str
) -> None:
    prompt = prompted(office, ada)
    path = prompt if purpose is LinkPurpose.PROMPT else signed(office, ada, purpose)
    client = ada.client if who == "the person" else office.app.test_client()
    before = kept(office, ada)
    for method in ("GET", "HEAD") * 3:
        answer = client.open(path, method=method, follow_redirects=True)
        assert answer.status_code == 200, answer.text
    assert kept(office, ada) == before


def test_from_the_link_it_is_one_more_click_to_the_room(office: Office, ada: Browser) -> None:
    path = prompted(office, ada)
    office.calendar.said["two@rooms.test"] = Availability.FREE
    page = ada.client.get(path, follow_redirects=True)
    assert page.request.path == f"/prompts/{prompt_of(office, path)}"
    assert "Room two" in page.text
    assert f'action="/prompts/{prompt_of(office, path)}/take"' in page.text


def test_whoever_is_not_signed_in_comes_back_to_it_after_signing_in(office: Office, ada: Browser) -> None:
    path = prompted(office, ada)
    answer = office.app.test_client().get(path)
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/auth/login?next={path}"
    assert f"next={path}" in office.app.test_client().get(answer.headers["Location"]).text


def test_a_link_of_a_closed_prompt_is_dead_and_says_why(office: Office, ada: Browser) -> None:
    path = prompted(office, ada)
    row = DismissalRow(user=ada.user, at_ms=office.clock.now_ms())
    tables.dismissals(office.engine.registry).put(ada.tenant, dismissal_id(prompt_of(office, path), ada.user), row)
    for client in (ada.client, office.app.test_client()):
        answer = client.get(path)
        assert answer.status_code == 410
        assert "you put it away" in answer.text


def test_a_link_is_for_its_person_alone(office: Office, ada: Browser, ben: Browser) -> None:
    answer = ben.client.get(prompted(office, ada), headers={"Accept": "text/html"})
    assert answer.status_code == 403
    assert "Room one" not in answer.text


@pytest.mark.parametrize("spoilt", ["x", "{0}x", "{1}", ""])
def test_a_link_that_was_not_signed_here_is_none(office: Office, ada: Browser, spoilt: str) -> None:
    path = signed(office, ada, LinkPurpose.STOP)
    other = LinkSigner([b"another key" * 3]).sign(Link(LinkPurpose.STOP, ada.tenant, ada.user))
    for method in ("GET", "POST"):
        answer = office.app.test_client().open(f"/p/{spoilt.format(path[3:], other)}", method=method)
        assert answer.status_code == (404 if spoilt or method == "GET" else 401)
    assert tables.notifications(office.engine.registry).get(ada.tenant, ada.user) is None


def test_one_click_stops_mails_without_a_session(office: Office, ada: Browser) -> None:
    path = signed(office, ada, LinkPurpose.STOP)
    answer = office.app.test_client().post(path, data={"List-Unsubscribe": "One-Click"})  # RFC 8058 §3.2
    assert answer.status_code == 200
    row = tables.notifications(office.engine.registry).get(ada.tenant, ada.user)
    assert row == NotificationRow(mail=False)
    assert 'action="/p/' in office.app.test_client().get(path).text


@pytest.mark.proves("B29")
def test_one_post_stops_notices_in_browsers_and_nothing_else(office: Office, ada: Browser) -> None:
    path, client = signed(office, ada, LinkPurpose.STOP_BROWSERS), office.app.test_client()
    page = client.get(path).text
    assert f'action="{path}"' in page
    assert "None of your browsers will show you any more" in page
    assert client.head(path).status_code == 200
    assert tables.notifications(office.engine.registry).get(ada.tenant, ada.user) is None
    for _ in range(2):
        answer = client.post(path)  # as the service worker sends it: without a session
        assert answer.status_code == 200
        assert "Your browsers show you no more notices" in answer.text
        row = tables.notifications(office.engine.registry).get(ada.tenant, ada.user)
        assert row == NotificationRow(browser=False)
    assert client.post(signed(office, ada, LinkPurpose.STOP)).status_code == 200
    row = tables.notifications(office.engine.registry).get(ada.tenant, ada.user)
    assert row == NotificationRow(browser=False, mail=False)


@pytest.mark.proves("B29", "P3")
def test_the_pages_of_the_link_that_stops_notices_are_translated(office: Office, ada: Browser) -> None:
    path, asked = signed(office, ada, LinkPurpose.STOP_BROWSERS), {"Accept-Language": PSEUDO}
    for answer in (ada.client.get(path, headers=asked), ada.client.post(path, headers=asked)):
        assert untranslated(answer.text) == []


@pytest.mark.parametrize("purpose", [LinkPurpose.STOP, LinkPurpose.STOP_BROWSERS])
def test_a_link_in_an_old_mail_writes_nothing_down_of_whoever_is_gone(
    office: Office, ada: Browser, purpose: LinkPurpose
) -> None:
    path, registry = signed(office, ada, purpose), office.engine.registry
    remove_organisation(registry, ada.tenant, erase=lambda: None)
    assert count_rows(registry, ada.tenant) == {}
    assert office.app.test_client().post(path).status_code == 200
    assert count_rows(registry, ada.tenant) == {}


def test_the_link_of_a_prompt_stops_nothing(office: Office, ada: Browser) -> None:
    assert office.app.test_client().post(prompted(office, ada)).status_code == 405
    assert tables.notifications(office.engine.registry).get(ada.tenant, ada.user) is None
