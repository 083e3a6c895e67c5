"""Pages and mails in each language: a marked language finds every sentence that nobody has translated."""

from __future__ import annotations

import dataclasses
import json
import re
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from services.portal.frame.language import ENGLISH_ONLY
from services.portal.sign_in.tenant_consent import TenantConsents
from shared.contracts.meeting_state import RoomState
from shared.domain.identity import Provider
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.roles import Role
from shared.domain.sighting import AgendaItem, Availability, LiveAttendee
from shared.language.deciding.negotiation import PSEUDO
from shared.organisations.enrolment import NOBODY
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office
from tests.support.marked_words import untranslated
from tests.support.routes import table

NO_PAGES = {
    "/.well-known/security.txt", "/auth/callback", "/livez", "/metrics", "/readyz", "/version", "/static/<path:filename>",
    "/static/v/<version>/<path:filename>",
    "/profile/notices/worker.js",  # no page
    "/profile/connect",  # leads back to the profile
    "/p/<signed>",  # its pages are looked at below
}  # fmt: skip
DIRECTORY = "00000000-0000-0000-0000-000000000000"
LEADING = (301, 302, 303)


@pytest.fixture
def reader(office: Office, ada: Browser) -> Browser:
    """Somebody with something on every page: a room that declined, one free instead, meetings today and tomorrow."""
    first, _ = office.enter_rooms(ada.tenant, "one", "two")
    room = office.room(ada, first, RoomState.DECLINED)
    accepted = office.room(ada, first, RoomState.ACCEPTED, occurrence="o-later")
    office.show(office.meeting(ada, room), ada.tenant)
    office.show(office.meeting(ada, accepted, meeting="m-weekly"), ada.tenant)
    office.calendar.said = {"two@rooms.test": Availability.FREE}
    start_ms = office.clock.now_ms() // HOUR_MS * HOUR_MS + DAY_MS
    office.calendar.planned = [
        AgendaItem(
            event_id="e-1", uid="uid-1", slot="", title="Zebra council", start_ms=start_ms, end_ms=start_ms + DAY_MS,
            all_day=False, private=True, declined=False, is_organizer=False,
            attendees=(LiveAttendee("Jane Example", "jane@example.test", is_room=False, answer="tentative"),),
        )
    ]  # fmt: skip
    tables.tenants(office.engine.registry).change(
        ada.tenant, "tenant", lambda row: msgspec.structs.replace(row, name="Contoso") if row else None
    )
    ada.client.set_cookie("roomsync_zone", "Europe/Zurich")
    return dataclasses.replace(ada, mailbox=room.decline_id)


def pages(prompt: str) -> list[str]:
    """Every address of a page that somebody can open, out of the table of routes."""
    rules = [
        route.rule
        for route in table()["portal"]
        if route.method == "GET" and not route.rule.startswith("/v1/") and route.rule not in NO_PAGES
    ]
    return [re.sub(r"<[^>]+>", prompt if rule.startswith("/prompts/") else "x", rule) for rule in rules]


@pytest.mark.proves("P3")
def test_no_page_has_a_sentence_that_is_not_translated(office: Office, reader: Browser) -> None:
    found: dict[str, list[str]] = {}
    for browser in (reader, office.browser()):
        for path in (
            *pages(reader.mailbox),
            "/p/none",
            "/profile?done=language",
            "/day?done=marked",
            "/?done=asked",
            "/none",
        ):
            answer = browser.client.get(path, headers={"Accept-Language": PSEUDO})
            if answer.mimetype == "text/html" and answer.status_code not in LEADING:
                left = untranslated(answer.text, english=path.startswith(ENGLISH_ONLY))
                assert "⟦" in answer.text, path
                if left:
                    found[path] = left
    assert found == {}, json.dumps(found, ensure_ascii=False, indent=1)


def test_a_sentence_that_is_not_marked_is_found() -> None:
    assert untranslated("<p>⟦Yõur⟧ rooms</p>") == ["⟦Yõur⟧ rooms"]
    assert untranslated('<button aria-label="Close">⟦Clõsé⟧</button>') == ["Close"]
    assert untranslated('<main lang="en"><p>Audit</p></main><p>⟦Yõu ⟦âré⟧⟧</p><code>csrf</code>') == []


@pytest.mark.proves("P3")
def test_pages_that_are_in_english_alone_say_so(office: Office, reader: Browser) -> None:
    refused = reader.client.get("/admin", headers={"Accept-Language": "de"})
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert '<main id="main" tabindex="-1">' in refused.text, "a refusal is translated, wherever it is"
    tables.users(office.engine.registry).change(
        reader.tenant, reader.user, lambda row: msgspec.structs.replace(row, roles=tuple(Role)) if row else None
    )
    for path in ("/api",):
        page = reader.client.get(path, headers={"Accept-Language": "de"}).text
        assert '<html lang="de"' in page
        assert '<main id="main" tabindex="-1" lang="en"' in page, path
    for path in ("/", "/admin/rooms", "/admin/none"):
        assert '<main id="main" tabindex="-1">' in reader.client.get(path, headers={"Accept-Language": "de"}).text, path


@pytest.mark.proves("P3")
def test_the_answer_to_a_consent_for_everybody_is_translated_whatever_it_is(office: Office, reader: Browser) -> None:
    with office.app.test_request_context():
        consents = TenantConsents(office.deps)
        links = [consents.link(Provider.MICROSOFT, *whose) for whose in ((NOBODY, ""), (reader.tenant, DIRECTORY))]
    nobodys, ours = (parse_qs(urlsplit(link).query)["state"][0] for link in links)
    given = {"admin_consent": "True", "tenant": DIRECTORY}
    answers = {
        "given for nobody of ours": {"state": nobodys, **given},
        "given": {"state": ours, **given, "scope": "User.Read"},
        "refused": {"state": ours, "error": "access_denied"},
        "another directory": {"state": ours, **given, "tenant": DIRECTORY.replace("0", "1")},
        "no link of ours": {"state": "consent.x"},
    }
    found, headings = {}, set()
    for name, answer in answers.items():
        page = reader.client.get("/auth/callback", query_string=answer, headers={"Accept-Language": PSEUDO}).text
        found[name] = untranslated(page.replace("User.Read", "{scopes}"))
        headings.add(re.findall(r"<h1>(.*?)</h1>", page)[0])
    assert found == {name: [] for name in answers}
    assert len(headings) == len(answers) - 1, headings  # both that were given are thanked for
