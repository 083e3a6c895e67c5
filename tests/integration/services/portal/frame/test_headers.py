"""What every answer tells a browser about itself."""

from __future__ import annotations

import dataclasses

import pytest

from services.portal.frame.limits import WRITES, limit_of
from tests.integration.services.portal.office import Office

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


def test_a_static_file_is_kept_for_good_under_the_address_of_its_content_alone(office: Office) -> None:
    client = office.app.test_client()
    kept = {}
    for path in ("/static/mark.svg?v=0123456789ab", "/static/my_rooms/stream.js", "/static/no-such.js?v=0123456789ab"):
        with client.get(path) as answer:
            kept[path.partition("?")[0]] = answer.headers["Cache-Control"]

    assert kept == {
        "/static/mark.svg": "public, max-age=86400, immutable",
        "/static/my_rooms/stream.js": "no-cache",
        "/static/no-such.js": "no-store",
    }
