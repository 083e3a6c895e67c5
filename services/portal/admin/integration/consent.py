"""The first step of enabling where the provider has it: an administrator of the directory consents for everybody."""

from __future__ import annotations

from collections.abc import Collection

from flask import Blueprint, render_template

from services.portal.admin.integration.answers import ConsentsAnswer, GivenConsent, ProviderConsent, SeenConsent
from services.portal.admin.integration.testflow.completion import directory_in_use, list_directories
from services.portal.deps import Deps
from services.portal.frame.sessions import require_right
from services.portal.interface.operation import operation
from services.portal.sign_in.attempts import Purpose
from services.portal.sign_in.deciding.consent_answer import missing
from services.portal.sign_in.openid import asked_for
from services.portal.sign_in.tenant_consent import LIFE_MS, TenantConsents
from shared.domain.identity import Provider
from shared.domain.instants import DAY_MS, to_rfc3339
from shared.domain.roles import Right
from shared.providers.catalogue import profile_of, registration
from shared.registry import tables

PAGE = "/admin/integration/consent"


def blueprint(deps: Deps) -> Blueprint:
    """The page with the link, and the same for programs; `/auth/callback` reads the answer."""
    bp = Blueprint("consent", __name__)
    consents = TenantConsents(deps)

    @bp.get(PAGE)
    def page() -> str:
        person = require_right(Right.SEE_INTEGRATION)
        return render_template("tenant_consent.html", it=_shape(deps, consents, person.tenant))

    @bp.get(f"/v1{PAGE}")
    @operation(Right.SEE_INTEGRATION)
    def shown() -> ConsentsAnswer:
        """Show how an administrator of the directory consents for everybody, and what was seen of that."""
        person = require_right(Right.SEE_INTEGRATION)
        return _shape(deps, consents, person.tenant)

    return bp


def has_page(deps: Deps, provider: Provider) -> bool:
    """Whether the provider, which this deployment is registered with, lets an administrator consent for everybody on a page."""
    ours = registration(provider, deps.settings)
    return ours.consent_url is not None and bool(ours.client_id)


def read_seen(deps: Deps, tenant: str, provider: Provider, known: Collection[str]) -> SeenConsent | None:
    """
    Whether a tenant-wide consent was seen, for the page and for programs.

    Only the answer of the provider's page counts. That people could connect proves none: they may have been let consent for
    themselves; and that one was seen does not say that it still stands.

    Args:
        known: The organisation's directories at the provider, lower-cased.

    Returns:
        None where the provider has no such page. `seen` is None, or says when, for which directory, which permissions, and
        which of those that connecting and importing rooms ask for it leaves out.
    """
    if not has_page(deps, provider):
        return None
    row = tables.tenant_consents(deps.engine.registry).get(tenant, provider)
    if row is None or (known and row.directory not in known):
        return {"page": PAGE, "seen": None}
    asked = asked_for(provider, Purpose.CONNECT, writes=deps.settings.may_write)
    wanted = [scope for scope in asked if not scope.islower()]  # OpenID Connect's own are not listed in every answer
    seen: GivenConsent = {
        "at": to_rfc3339(row.at_ms),
        "directory": row.directory,
        "isOwnDirectory": bool(known),
        "scopes": list(row.scopes),
        "missing": list(missing(wanted, row.scopes)) if row.scopes else [],
        "roomImport": not missing((profile_of(provider).scopes.room_import,), row.scopes),
    }
    return {"page": PAGE, "seen": seen}


def _shape(deps: Deps, consents: TenantConsents, tenant: str) -> ConsentsAnswer:
    directories = list_directories(deps, tenant)
    listed = [provider for provider in Provider if has_page(deps, provider)]
    return {
        "days": LIFE_MS // DAY_MS,
        "observes": not deps.settings.may_write,
        "providers": [
            _provider(deps, consents, tenant, provider, directories.get(provider, frozenset())) for provider in listed
        ],
    }


def _provider(
    deps: Deps, consents: TenantConsents, tenant: str, provider: Provider, known: Collection[str]
) -> ProviderConsent:
    directory = directory_in_use(deps, tenant, provider, known)
    words = profile_of(provider).scopes.words
    room_import = profile_of(provider).scopes.room_import
    return {
        **(read_seen(deps, tenant, provider, known) or SeenConsent(page=PAGE, seen=None)),
        "provider": provider.value,
        "clientId": registration(provider, deps.settings).client_id,
        "directory": directory,
        "permissions": [
            {"scope": scope, "words": words.get(scope.rpartition("/")[2], "")} for scope in consents.scopes(provider)
        ],
        "roomImport": {"scope": room_import, "words": words.get(room_import, "")},
        "link": consents.link(provider, tenant, directory),
        "linkWithRooms": consents.link(provider, tenant, directory, room_import=True),
    }
