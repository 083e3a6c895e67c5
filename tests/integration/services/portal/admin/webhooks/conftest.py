"""A portal that sends webhooks, with an administrator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from shared.domain.roles import Role
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office, Simulator, an_office


@pytest.fixture
def office(tmp_path: Path, simulator: Simulator) -> Iterator[Office]:
    """Webhooks are on."""
    with an_office(
        tmp_path / "home", simulator, webhooks="on", webhook_allowed_hosts="hooks.corp.test,10.0.0.7"
    ) as found:
        yield found


@pytest.fixture
def chief(office: Office, ada: Browser) -> Browser:
    """Ada, who is a subscription administrator."""
    tables.users(office.engine.registry).change(
        ada.tenant,
        ada.user,
        lambda row: msgspec.structs.replace(row, roles=(Role.SUBSCRIPTION_ADMIN.value,)) if row else None,
    )
    return ada
