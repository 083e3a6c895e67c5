"""`status` finds the services that `run` started, wherever their free ports are."""

from __future__ import annotations

from pathlib import Path

from cli.common.service_addresses import FILE, Standing, noted
from cli.status.services import addresses
from shared.runtime.settings import Settings


def test_what_a_supervisor_noted_is_asked_and_forgotten_when_it_ends(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "data")
    standing = Standing(settings.home)
    standing.ready("portal", "http://127.0.0.1:5001")
    standing.ready("sync-worker", "http://127.0.0.1:5002")
    standing.ready("sync-worker", "http://127.0.0.1:5003")  # restarted
    assert noted(settings.home) == {"portal": "http://127.0.0.1:5001", "sync-worker": "http://127.0.0.1:5003"}
    assert addresses(settings, ()) == {"http://127.0.0.1:5001": True, "http://127.0.0.1:5003": True}
    assert addresses(settings, ["http://127.0.0.1:9"]) == {"http://127.0.0.1:9": True}
    standing.over()
    standing.over()
    assert "http://127.0.0.1:8101" in addresses(settings, ())


def test_a_note_that_cannot_be_read_is_no_note(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{half")
    assert noted(tmp_path) == {}
    (tmp_path / FILE).write_text("[]")
    assert noted(tmp_path) == {}


def test_note_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    standing = Standing(tmp_path / "file")
    standing.ready("portal", "http://127.0.0.1:1")
    standing.over()
    assert noted(tmp_path / "file") == {}
