"""The demo says that it needs to write, rather than write where somebody has said not to."""

from __future__ import annotations

import click
import pytest

from tests.support.commands import run_roomsync, set_alone


@pytest.mark.proves("B19")
def test_the_demo_is_not_played_where_nothing_may_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    set_alone(monkeypatch, {"ROOMSYNC_WRITES": "off"})
    with pytest.raises(click.UsageError, match="ROOMSYNC_WRITES=on"):
        run_roomsync("demo", "--once", "--json")
