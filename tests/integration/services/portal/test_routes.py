"""Every address of version 0.1.0 is still there: people have bookmarks, and programs were written against it."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from tests.integration.services.portal.office import Simulator, an_office
from tests.support.paths import SAMPLES

LISTED = SAMPLES / "routes-0.1.0.txt"
NO_SIMULATOR = "http://127.0.0.1:9"


def routes_of(app: Flask) -> set[str]:
    """`GET /v1/me`, one for each method of each rule."""
    return {f"{method} {rule.rule}" for rule in app.url_map.iter_rules() for method in rule.methods or ()}


def test_every_route_of_the_first_version_still_exists(tmp_path: Path) -> None:
    before = set(LISTED.read_text().splitlines())
    with an_office(tmp_path / "home", Simulator(NO_SIMULATOR)) as office:
        missing = before - routes_of(office.app)
    assert len(before) == 87
    assert missing == set()
