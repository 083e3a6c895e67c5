"""`status` finds the services that `run` started, wherever their free ports are."""

from __future__ import annotations

from pathlib import Path

from cli.common.service_addresses import FILE, ServiceAddresses, read_service_addresses
from cli.status.services import choose_addresses
from shared.runtime.settings import Settings


def test_what_a_supervisor_noted_is_asked_and_forgotten_when_it_ends(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "data")
    addresses = ServiceAddresses(settings.home)
    addresses.add("portal", "http://127.0.0.1:5001")
    addresses.add("sync-worker", "http://127.0.0.1:5002")
    addresses.add("sync-worker", "http://127.0.0.1:5003")  # restarted
    assert read_service_addresses(settings.home) == {
        "portal": "http://127.0.0.1:5001",
        "sync-worker": "http://127.0.0.1:5003",
    }
    assert choose_addresses(settings, ()) == {"http://127.0.0.1:5001": True, "http://127.0.0.1:5003": True}
    assert choose_addresses(settings, ["http://127.0.0.1:9"]) == {"http://127.0.0.1:9": True}
    addresses.remove_all()
    addresses.remove_all()
    assert "http://127.0.0.1:8101" in choose_addresses(settings, ())


def test_a_note_that_cannot_be_read_is_no_note(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{half")
    assert read_service_addresses(tmp_path) == {}
    (tmp_path / FILE).write_text("[]")
    assert read_service_addresses(tmp_path) == {}


def test_note_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    addresses = ServiceAddresses(tmp_path / "file")
    addresses.add("portal", "http://127.0.0.1:1")
    addresses.remove_all()
    assert read_service_addresses(tmp_path / "file") == {}
