"""The portal ends what is unfinished at the receiver's deadlines, and has its limits on sizes: one server is in front of both."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from shared.runtime.serving import serve_in_background
from tests.integration.services.portal.office import Office
from tests.support.edges import Address, assert_deadlines, assert_sizes


@pytest.fixture
def address(office: Office) -> Iterator[Address]:
    """Of the portal, on a port of its own."""
    server = serve_in_background(office.app, "portal", threads=4, ready=False)
    parts = urlsplit(server.url)
    yield parts.hostname or "", parts.port or 0
    server.close()


def test_unfinished_requests_end_at_their_deadlines_and_not_before(address: Address) -> None:
    assert_deadlines(address, b"/v1/me/bookings")


def test_each_size_is_taken_to_its_last_byte_and_not_beyond(address: Address) -> None:
    assert_sizes(address, b"/v1/me/bookings")
