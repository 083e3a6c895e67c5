"""What a page asks the registry: as often with forty rooms, meetings and colleagues as with two; each question is a round trip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import UserRow
from shared.domain.instants import HOUR_MS
from shared.domain.roles import Role
from shared.domain.sighting import AgendaItem, LiveAttendee
from shared.registry import tables
from shared.registry.rows import ReadRows
from tests.integration.services.portal.office import Browser, Office

MANY = 40
ENOUGH = {"/profile/kept-data": 26, "/v1/me/kept-data": 26}
"""Where a page may ask more than twenty times: what is kept of a person stands in many tables."""
PAGES = (
    "/", "/day", "/month", "/book", "/profile", "/profile/kept-data", "/admin", "/admin/rooms", "/admin/people", "/admin/audit",
    "/admin/report", "/admin/integration", "/admin/webhooks", "/admin/chat", "/admin/incident", "/v1/me", "/v1/me/agenda",
    "/v1/me/month", "/v1/me/rooms", "/v1/me/prompts", "/v1/me/calendar", "/v1/me/notifications", "/v1/me/kept-data",
    "/v1/admin/overview", "/v1/admin/rooms", "/v1/admin/people",
)  # fmt: skip


@pytest.fixture
def asked(office: Office, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Table → how often it was asked, by every method that reads."""
    found: Counter[str] = Counter()
    registry = type(office.engine.registry)

    def counted(read: Callable[..., Any]) -> Callable[..., Any]:
        def counting(self: Any, table: str, *args: Any) -> Any:
            found[table] += 1
            return read(self, table, *args)

        return counting

    for name in ("get", "get_many", "scan", "scan_named"):
        monkeypatch.setattr(registry, name, counted(getattr(registry, name)))
    return found


def test_pages_ask_the_registry_as_often_however_large_the_organisation_is(
    office: Office, ada: Browser, asked: Counter[str]
) -> None:
    tables.users(office.engine.registry).change(ada.tenant, ada.user, _administering)
    _grow(office, ada, 0, 2)
    for path in PAGES:
        _asked_by(ada, path, asked)  # what is read once and remembered a while is remembered from here on
    small = {path: _asked_by(ada, path, asked) for path in PAGES}
    _grow(office, ada, 2, MANY)
    large = {path: _asked_by(ada, path, asked) for path in PAGES}
    assert {path: more for path in PAGES if (more := large[path] - small[path])} == {}
    assert {path: each.total() for path, each in large.items() if each.total() > ENOUGH.get(path, 20)} == {}


def test_no_page_reads_the_rows_of_people_whom_it_does_not_show(
    office: Office, ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    users, read = tables.users(office.engine.registry), Counter[str]()
    users.change(ada.tenant, ada.user, _administering)
    users.complete(ada.tenant, office.clock.now_ms())
    _grow(office, ada, 0, 2)
    decode = ReadRows.read

    def reading(self: ReadRows[Any], tenant: str, row_id: str, raw: bytes) -> Any:
        read[self.name] += 1
        return decode(self, tenant, row_id, raw)

    monkeypatch.setattr(ReadRows, "read", reading)

    def people_read(path: str) -> int:
        read.clear()
        assert ada.client.get(path).status_code == 200, path
        return read["users"]

    few = {path: people_read(path) for path in PAGES}
    for number in range(MANY):
        users.put(ada.tenant, f"u-stranger-{number}", _stranger(number))
    many = {path: people_read(path) for path in PAGES}
    assert {path: more for path in PAGES if (more := many[path] - few[path]) > 0} == {}


def _stranger(number: int) -> UserRow:
    return UserRow(
        provider="microsoft", subject=f"x-{number}", address_sealed=b"", person=f"p-stranger-{number}", mailbox=f"m-x-{number}"
    )  # fmt: skip


def _administering(row: UserRow | None) -> UserRow | None:
    return msgspec.structs.replace(row, roles=(Role.SUBSCRIPTION_ADMIN,)) if row else None


def _grow(office: Office, ada: Browser, first: int, end: int) -> None:
    """So many rooms, each with a meeting of Ada's that asked for it, and as many colleagues."""
    for number in range(first, end):
        (room,) = office.enter_rooms(ada.tenant, str(number))
        state = RoomState.DECLINED if number % 2 == 0 else RoomState.ACCEPTED
        name = f"m-{number}"
        asked_for = office.room(ada, room, state, meeting=name, occurrence=f"o-{number}")
        office.show(office.meeting(ada, asked_for, meeting=name), ada.tenant)
        person = office.keys(ada.tenant).person(_address(number))
        row = UserRow(
            provider="microsoft", subject=f"s-{number}", address_sealed=b"", person=person, mailbox=f"m-{number}"
        )
        tables.users(office.engine.registry).put(ada.tenant, f"u-{number}", row)
        office.calendar.planned.append(_item(office, number))


def _item(office: Office, number: int) -> AgendaItem:
    """A meeting of today with one of the colleagues."""
    now_ms = office.clock.now_ms()
    colleague = LiveAttendee(f"Colleague {number}", _address(number), is_room=False, answer="accepted")
    return AgendaItem(
        event_id=f"e-{number}", uid=f"uid-{number}", slot="", title="Budget", start_ms=now_ms, end_ms=now_ms + HOUR_MS,
        all_day=False, private=False, declined=False, is_organizer=True, attendees=(colleague,),
    )  # fmt: skip


def _address(number: int) -> str:
    return f"colleague-{number}@contoso.test"


def _asked_by(ada: Browser, path: str, asked: Counter[str]) -> Counter[str]:
    asked.clear()
    answer = ada.client.get(path)
    assert answer.status_code == 200, (path, answer.text)
    return Counter(asked)
