from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared.contracts.rows import DismissalRow
from shared.errors import ConflictError, MalformedRecordError
from shared.registry.tables import dismissals

ROW = DismissalRow(user="u", at_ms=1)


def test_a_row_comes_back_as_it_was_written(house: Any) -> None:
    table = dismissals(house.registry)
    table.put("t", "x", ROW)
    assert table.get("t", "x") == ROW
    assert list(table.scan("t")) == [("x", ROW)]
    assert list(table.scan("other")) == []
    table.delete("t", "x")
    assert table.get("t", "x") is None


def test_adding_writes_only_where_nothing_stands(house: Any) -> None:
    table = dismissals(house.registry)
    assert table.add("t", "x", ROW)
    assert not table.add("t", "x", DismissalRow(user="other", at_ms=2))
    assert table.get("t", "x") == ROW


def test_a_change_is_decided_again_when_somebody_wrote_in_between(house: Any) -> None:
    table = dismissals(house.registry)
    table.put("t", "x", ROW)
    house.registry.before_put = lambda: table.put("t", "x", DismissalRow(user="u", at_ms=10))
    after = table.change("t", "x", lambda row: row and msgspec.structs.replace(row, at_ms=row.at_ms + 1))
    assert after == DismissalRow(user="u", at_ms=11)
    assert table.get("t", "x") == after


def test_deciding_nothing_writes_nothing(house: Any) -> None:
    table = dismissals(house.registry)
    assert table.change("t", "x", lambda _: None) is None
    table.put("t", "x", ROW)
    version = house.registry.get("dismissals", "t", "x").version
    assert table.change("t", "x", lambda row: row) == ROW
    assert house.registry.get("dismissals", "t", "x").version == version


def test_an_endless_race_ends_as_a_conflict(house: Any) -> None:
    table = dismissals(house.registry)
    table.put("t", "x", ROW)

    def decide(row: DismissalRow | None) -> DismissalRow:
        table.put("t", "x", ROW)
        return DismissalRow(user="mine", at_ms=0)

    with pytest.raises(ConflictError):
        table.change("t", "x", decide)


def test_a_row_of_another_shape_is_malformed(house: Any) -> None:
    house.registry.put("dismissals", "t", "x", b'{"user": 7}')
    with pytest.raises(MalformedRecordError):
        dismissals(house.registry).get("t", "x")
