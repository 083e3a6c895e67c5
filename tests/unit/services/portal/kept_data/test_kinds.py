"""Every table and topic is among the kinds of records that name a person, or among those that name nobody."""

from __future__ import annotations

import pytest

from services.portal.kept_data.deciding.kinds import KINDS, NAMES_NOBODY, Finder, Place
from services.portal.kept_data.deciding.readable import SEALED, WITHHELD, show_row
from shared.contracts.rows import ConsentRow, ConsentState, SessionRow
from shared.contracts.topics import TOPICS
from shared.registry.tables import TABLES


@pytest.mark.proves("M8")
@pytest.mark.parametrize(
    ("place", "names"),
    [(Place.REGISTRY, [table.name for table in TABLES]), (Place.LOG, [topic.name for topic in TOPICS])],
)
def test_no_table_and_no_topic_is_forgotten(place: Place, names: list[str]) -> None:
    shown = [kind.source for kind in KINDS if kind.place is place]
    assert sorted([*shown, *NAMES_NOBODY[place]]) == sorted(names)


def test_everything_that_follows_from_the_permission_is_counted() -> None:
    assert not [kind.source for kind in KINDS if kind.from_calendar and kind.finder is Finder.NONE]


def test_rows_are_shown_without_what_is_sealed_or_secret() -> None:
    consent = ConsentRow(
        user="u-1",
        provider="microsoft",
        subject="oid",
        state=ConsentState.ACTIVE,
        refresh_sealed=b"r",
        connected_at_ms=1_000,
    )
    shown = show_row("m-1", consent)
    assert (shown["id"], shown["refreshSealed"], shown["connectedAt"]) == ("m-1", SEALED, "1970-01-01T00:00:01.000Z")
    assert show_row("s", SessionRow(user="u-1", csrf="secret"))["csrf"] == WITHHELD
