"""Pages and mails in each language: a marked language finds every sentence that nobody has translated."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from services.portal.frame.language import ENGLISH_ONLY
from services.portal.sign_in.tenant_consent import TenantConsents
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import IntegrationState
from shared.domain.identity import Provider
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.domain.roles import Role
from shared.domain.sighting import AgendaItem, Availability, DirectoryRoom, LiveAttendee
from shared.language.deciding.negotiation import PSEUDO
from shared.organisations.enrolment import NOBODY
from shared.registry import tables
from tests.integration.services.portal.admin.rooms.test_rooms import begin_import, switch
from tests.integration.services.portal.office import Browser, Office
from tests.support.routes import table

NO_PAGES = {
    "/.well-known/security.txt", "/auth/callback", "/livez", "/metrics", "/readyz", "/version", "/static/<path:filename>",
    "/static/v/<version>/<path:filename>",
    "/profile/notices/worker.js",  # no page
    "/profile/connect",  # leads back to the profile
    "/p/<signed>",  # its pages are looked at below
}  # fmt: skip
VOID = {"meta", "link", "input", "img", "br"}
DIRECTORY = "00000000-0000-0000-0000-000000000000"
LEADING = (301, 302, 303)
UNREAD = {"script", "style", "code"}
INLINE = {"a", "abbr", "b", "bdi", "code", "em", "q", "span", "strong", "time"}
SHOWN = ("aria-label", "title", "placeholder", "alt", "data-granted", "data-denied", "data-failed")
NAMES = re.compile(
    r"roomsync|Microsoft 365|Microsoft|Google Workspace|Google|Outlook|Contoso|Europe/Zurich|UTC|Jane Example|Ada|Room (one|two)"
    r"|North"
    r"|Zebra council|Budget of the Zebra project|security\.txt|English|Deutsch|Français|Nederlands|JSON"
    r"|\S+@\S+|[a-z0-9]+\.test|\bpm\b"
)
"""What has the same name in every language."""


class Words(HTMLParser):
    """Collects what a person reads of a page, block by block, and in attributes; code is not read."""

    def __init__(self, *, english: bool = False) -> None:
        super().__init__()
        self._english = english
        self._open: list[tuple[str, bool, str]] = []
        self._block = ""
        self.pieces: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        english = bool(self._open and self._open[-1][1]) or (known.get("lang") == "en" and tag != "html")
        if tag not in INLINE:
            self.end_block()
        if not english:
            self.pieces += [known[name] or "" for name in SHOWN if name in known]
            self.pieces += [str(text) for text in json.loads(known.get("data-texts") or "{}").values()]
        if tag not in VOID:
            self._open.append((tag, english, str(known.get("id") or "")))

    def handle_endtag(self, tag: str) -> None:
        if tag not in INLINE:
            self.end_block()
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tag, english, name = self._open[-1] if self._open else ("", False, "")
        if name == "words":
            self.pieces += strings_in(json.loads(data))
        elif tag not in UNREAD and not english and not (self._english and tag == "title"):
            self._block += data

    def end_block(self) -> None:
        self.pieces.append(self._block)
        self._block = ""


def strings_in(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from strings_in(each)
    elif isinstance(value, str):
        yield value


def unmarked(text: str) -> str:
    """What is left of a text once marked sentences, and what has the same name everywhere, are taken out."""
    before = ""
    while before != text:
        before, text = text, re.sub(r"⟦[^⟦⟧]*⟧", "", text)
    return NAMES.sub("", re.sub(r"\{[a-zA-Z]+\}", "", text))


def untranslated(page: str, *, english: bool = False) -> list[str]:
    words = Words(english=english)
    words.feed(page)
    words.end_block()
    return [piece.strip() for piece in words.pieces if re.search(r"[^\W\d_]{2,}", unmarked(piece))]


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


@pytest.mark.proves("P3")
def test_no_page_of_an_administrator_has_a_sentence_that_is_not_translated(office: Office, reader: Browser) -> None:
    """Rooms that decline, are new, gone and confirmed by nobody; somebody who waits to be confirmed; and what is refused."""
    tables.users(office.engine.registry).change(
        reader.tenant, reader.user, lambda row: msgspec.structs.replace(row, roles=tuple(Role)) if row else None
    )
    switch(office, reader.tenant, IntegrationState.ENABLED)
    room_id = next(room for room, _ in tables.rooms(office.engine.registry).scan(reader.tenant))
    office.calendar.rooms = [DirectoryRoom("one@rooms.test", "Room one", 8, "North", "4", directory_id="id-1")]
    found: dict[str, list[str]] = {}
    preview = begin_import(office, reader).headers["Location"]
    reader.post("/v1/admin/people", {"address": "zoe@example.test", "role": "building-admin"})
    places = (
        "/admin", "/admin/people", "/admin/rooms", "/admin/rooms?q=none", "/admin/rooms?done=several-paired", preview,
        f"/admin/rooms/{room_id}", "/admin/rooms/day", "/admin/rooms/none", "/admin/rooms/import/none",
    )  # fmt: skip
    marked = {"headers": {"Accept-Language": PSEUDO}}
    for path in places:
        found[path] = untranslated(reader.client.get(path, **marked).text)
    sheet = "address,name,capacity\none@rooms.test,Room one,9\nnew@rooms.test,Room two,2\nbad,Room two,x\n"
    csrf = {"csrf": reader.csrf}
    acts: dict[str, dict[str, str]] = {
        "/admin/rooms/sheet": {"sheet": sheet},
        "/admin/rooms/selected/remove": {"room": room_id},
        "/admin/rooms": {"address": "no address"},
        "/admin/people": {"address": "no address", "role": "building-admin"},
    }
    for path, sent in acts.items():
        found[f"POST {path}"] = untranslated(reader.client.post(path, data={**csrf, **sent}, **marked).text)
    assert {path: left for path, left in found.items() if left} == {}


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
    for path in ("/admin/audit", "/api"):
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
