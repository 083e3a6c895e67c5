"""The table of promises stays a table of promises."""

from __future__ import annotations

from tests.capabilities import proofs, rows


def test_every_mark_names_a_row_of_the_table() -> None:
    assert proofs().keys() - rows().keys() == set()
