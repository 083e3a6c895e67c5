"""Whom to tell of a weakness: where RFC 9116 says that people look for it, and the same as in SECURITY.md."""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime, timedelta

import pytest

from shared.errors import ConfigurationError
from shared.runtime.settings import Settings, load
from tests.integration.services.portal.office import Office
from tests.support.described_answers import described_portal
from tests.support.paths import ROOT

PATH = "/.well-known/security.txt"


def test_a_stranger_finds_contact_and_expiry_where_rfc_9116_says(office: Office) -> None:
    settings = dataclasses.replace(
        office.settings, security_contact="https://rooms.example/report", public_url="https://rooms.example"
    )
    answer = described_portal(dataclasses.replace(office.deps, settings=settings)).test_client().get(PATH)
    fields = [line.partition(": ")[::2] for line in answer.text.splitlines()]
    found = dict(fields)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert len(found) == len(fields), "each once"
    assert found["Contact"] == "https://rooms.example/report"
    assert found["Canonical"] == f"https://rooms.example{PATH}"
    ahead = datetime.fromisoformat(found["Expires"]) - datetime.fromtimestamp(
        office.clock.now_ms() / 1000, tz=datetime.fromisoformat(found["Expires"]).tzinfo
    )
    assert timedelta(days=80) < ahead < timedelta(days=365)


def test_the_contact_is_the_one_of_the_project_unless_set() -> None:
    address = Settings().security_contact.removeprefix("mailto:")
    assert re.fullmatch(r"[^@\s]+@[^@\s]+", address)
    assert address in (ROOT / "SECURITY.md").read_text()


@pytest.mark.parametrize(
    "contact", ["security@example.org", "mailto:a@b.example\nContact: mailto:evil@x", "mailto:a b", "http://x"]
)
def test_a_contact_that_is_no_address_is_refused(contact: str) -> None:
    with pytest.raises(ConfigurationError, match="SECURITY_CONTACT"):
        load({"ROOMSYNC_SECURITY_CONTACT": contact})
