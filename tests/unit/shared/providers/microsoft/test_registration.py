"""Where people sign in at Entra: at the address for every organisation, or at that of one tenant."""

from __future__ import annotations

import pytest

from shared.providers.microsoft.profile import registration
from shared.runtime.settings import Settings, load

pytestmark = pytest.mark.proves("B18")
TENANT = "0b0d1c7e-4b52-4f6e-9c55-2f1f0a3f7d11"
ROOT = "https://login.microsoftonline.com"


def test_any_organisation_signs_in_where_nothing_else_is_set() -> None:
    ours = registration(Settings())
    assert ours.authorize_url == f"{ROOT}/organizations/oauth2/v2.0/authorize"
    assert ours.token_url("") == f"{ROOT}/organizations/oauth2/v2.0/token"


def test_single_tenant_is_asked_at_its_own_address() -> None:
    ours = registration(load({"ROOMSYNC_MICROSOFT_DIRECTORY": TENANT}))
    assert ours.authorize_url == f"{ROOT}/{TENANT}/oauth2/v2.0/authorize"
    assert ours.discovery_url == f"{ROOT}/{TENANT}/v2.0/.well-known/openid-configuration"
    assert ours.token_url("") == f"{ROOT}/{TENANT}/oauth2/v2.0/token"
    assert ours.consent_url is not None
    assert ours.consent_url("") == f"{ROOT}/{TENANT}/v2.0/adminconsent"
    assert ours.token_url("another") == f"{ROOT}/another/oauth2/v2.0/token"
