"""Somebody who may change rooms."""

from __future__ import annotations

import pytest

from shared.domain.roles import Role
from tests.integration.services.portal.admin.rooms.test_rooms import appoint
from tests.integration.services.portal.office import Browser, Office


@pytest.fixture
def builder(office: Office, ada: Browser) -> Browser:
    appoint(office, ada, Role.BUILDING_ADMIN)
    return ada
