"""What every answer tells a browser about itself."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import urljoin

import pytest

from services.portal.frame.assets import static_version
from services.portal.frame.limits import WRITES, limit_of
from tests.integration.services.portal.office import Browser, Office

SITES = [("https://rooms.example.test", True), ("http://127.0.0.1:8102", False), ("", False)]


@pytest.mark.parametrize(
    "path", ["/auth/login", "/v1/me", "/no-such-page", "/static/mark.svg", "/livez", "/prompts/%0A"]
)
@pytest.mark.parametrize(("public_url", "strict"), SITES)
def test_every_answer_carries_the_headers_and_strict_transport_over_tls_alone(
    office: Office, path: str, public_url: str, strict: bool
) -> None:
    settings = dataclasses.replace(office.settings, public_url=public_url)
    office.app.extensions["roomsync"] = dataclasses.replace(office.deps, settings=settings)

    answer = office.app.test_client().get(path)
    headers = answer.headers
    answer.close()

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert ("Strict-Transport-Security" in headers) is strict


def test_signing_out_is_never_limited() -> None:
    assert limit_of("POST", "/auth/logout") is None
    assert limit_of("POST", "/profile/disconnect") is WRITES


def kept_for(office: Office, path: str) -> str:
    with office.app.test_client().get(path) as answer:
        return f"{answer.status_code} {answer.headers['Cache-Control']}"


def test_a_static_file_is_kept_for_good_under_the_address_of_its_content_alone(office: Office) -> None:
    ours, others = f"/static/v/{static_version()}", "/static/v/0123456789ab"
    assert {path: kept_for(office, path) for path in (
        f"{ours}/mark.svg", f"{ours}/my_rooms/stream.js", f"{others}/my_rooms/stream.js", "/static/my_rooms/stream.js",
        f"{ours}/no-such.js",
    )} == {
        f"{ours}/mark.svg": "200 public, max-age=86400, immutable",
        f"{ours}/my_rooms/stream.js": "200 public, max-age=86400, immutable",
        f"{others}/my_rooms/stream.js": "200 no-cache",  # a page of the release before, or after
        "/static/my_rooms/stream.js": "200 no-cache",
        f"{ours}/no-such.js": "404 no-store",
    }  # fmt: skip


def test_all_that_a_page_loads_or_a_script_imports_is_kept_for_good(office: Office, ada: Browser) -> None:
    pages = [ada.client.get(path).text for path in ("/", "/day", "/profile")]
    waiting = {path for page in pages for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', page)}
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        assert kept_for(office, path) == "200 public, max-age=86400, immutable", path
        if path.endswith(".js"):
            with office.app.test_client().get(path) as answer:
                imported = re.findall(r'(?:from|import) "([^"]+)"', answer.text)
            waiting |= {urljoin(path, name) for name in imported} - seen
    assert {name.rpartition("/")[2] for name in seen} >= {
        "page.js",
        "stream.js",
        "page_state.js",
        "zone.js",
        "portal.css",
    }
