"""An address that somebody is invited by, and that their provider marks as theirs, is kept as a keyed hash."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from shared.domain.attendees import Answer, AttendeeKind, SeenAttendee
from shared.organisations.addresses import MOST_ALIASES
from shared.registry.tables import users
from tests.support.office import AARE, Office

ALIAS, GUEST = "ada.maiden@contoso.test", "ben@contoso.test"
pytestmark = pytest.mark.proves("B26")


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.connect()
    return office


def invite(office: Office, *addresses: str, own: str, event: str = "e1") -> None:
    """A meeting of these people, of whom `own` is marked as the calendar's person; then a look."""
    office.calendar.book(event, **{AARE: "accepted"})
    people = tuple(
        SeenAttendee(each, AttendeeKind.PERSON, Answer.NONE, is_self=each == own) for each in (*addresses, own)
    )
    seen = office.calendar.events[event]
    office.calendar.events[event] = dataclasses.replace(seen, attendees=(*(seen.attendees or ()), *people))
    office.hint()
    office.settle()


def aliases(office: Office) -> tuple[str, ...]:
    row = users(office.engine.registry).get(office.tenant, "u-ada")
    assert row is not None
    return row.aliases


def test_alias_is_learnt_from_an_invitation_and_nobody_elses_is(office: Office) -> None:
    invite(office, GUEST, own=ALIAS)
    assert aliases(office) == (office.keys.person(ALIAS),)


def test_address_of_the_sign_in_is_no_alias(office: Office) -> None:
    invite(office, GUEST, own="ada@contoso.test")
    assert aliases(office) == ()


def test_as_many_are_kept_as_one_person_may_have(office: Office) -> None:
    for number in range(MOST_ALIASES + 3):
        invite(office, own=f"ada+{number}@contoso.test", event=f"e{number}")
    kept = aliases(office)
    assert len(kept) == MOST_ALIASES
    assert office.keys.person(f"ada+{MOST_ALIASES + 2}@contoso.test") in kept


def test_look_that_shows_nothing_new_writes_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    invite(office, own=ALIAS)
    written: list[str] = []
    put = office.engine.registry.put

    def counted(table: str, *args: Any, **kwargs: Any) -> int:
        written.append(table)
        return put(table, *args, **kwargs)

    monkeypatch.setattr(office.engine.registry, "put", counted)
    invite(office, own=ALIAS, event="e2")
    assert "users" not in written
