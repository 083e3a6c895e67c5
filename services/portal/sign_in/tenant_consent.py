"""
The consent of an administrator for everybody in a directory: the link to where it is given, and the answer that comes back.

Whoever administers the directory need not be anybody here: the link can be sent to them, and their answer comes back without a
session. So it is bound by its own signed `state`, and read as what it is: the word of whoever holds the link. It is kept as
*seen*, for one page to show; no right and no directory follows from it (ADR 30).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from flask import make_response, render_template
from werkzeug.wrappers import Response as AnyResponse

from services.portal.deps import Deps
from services.portal.frame.sessions import Person, anybody
from services.portal.sign_in.attempts import Purpose
from services.portal.sign_in.deciding.consent_answer import ConsentAnswer, read_answer
from services.portal.sign_in.departure import callback_address
from services.portal.sign_in.openid import asked_for
from services.portal.sign_in.refusals import explain_refusal, provider_code
from shared.contracts.rows import TenantConsentRow
from shared.domain.identity import Provider
from shared.domain.instants import DAY_MS
from shared.domain.keys import pseudonym
from shared.grants.oauth import identity_scopes
from shared.organisations.enrolment import NOBODY
from shared.providers.catalogue import profile_of, registration
from shared.registry import tables
from shared.runtime.logging import get_logger

LIFE_MS = 30 * DAY_MS
"""How long a link's answer is kept as seen: it may lie in somebody's mail for a while."""
_PREFIX = "consent"
_ANY = "any"
_log = get_logger()


@dataclass(frozen=True, slots=True)
class AwaitedConsent:
    """Whom an answer is about, as we signed it."""

    tenant: str
    directory: str
    """The only directory that may answer; "" while none is known to be the organisation's."""
    expires_at_ms: int


def is_consent_state(state: str) -> bool:
    """Whether the `state` of an answer is of a tenant-wide consent, whoever signed it."""
    return state.startswith(f"{_PREFIX}.")


class TenantConsents:
    """Links to the page, and their answers. Every method raises StoreUnavailableError when the registry is away."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def link(self, provider: Provider, tenant: str, directory: str, *, room_import: bool = False) -> str:
        """
        Where an administrator of a directory consents for everybody; good for `LIFE_MS`.

        Args:
            provider: Whose page.
            tenant: The organisation that the answer is kept for; `NOBODY` keeps none.
            directory: The organisation's own; "" lets whoever consents choose.
            room_import: Whether the rooms of the directory are to be imported.

        Returns:
            The address; "" where the provider has no such page, or the deployment is not registered there.

        Raises:
            ProblemError: 400, this service does not know its own address.
        """
        ours = registration(provider, self._deps.settings)
        if ours.consent_url is None or not ours.client_id:
            return ""
        query = {
            "client_id": ours.client_id,
            "scope": " ".join(self.scopes(provider, room_import=room_import)),
            "redirect_uri": callback_address(self._deps),
            "state": self._signed(AwaitedConsent(tenant, directory, self._deps.clock.now_ms() + LIFE_MS)),
        }
        return f"{ours.consent_url(directory)}?{urlencode(query)}"

    def link_for(self, person: Person | None, provider: str) -> str:
        """The same for somebody who was refused: for their organisation, or for nobody's while they are not signed in."""
        if not provider:
            return ""
        if person is None:
            return self.link(Provider(provider), NOBODY, "")
        row = tables.tenants(self._deps.engine.registry).get(person.tenant, "tenant")
        directory = row.directory if row is not None and row.provider == provider else ""
        return self.link(Provider(provider), person.tenant, directory)

    def scopes(self, provider: Provider, *, room_import: bool = False) -> tuple[str, ...]:
        """What is asked for, with the full names that the page wants: signing in, connecting, and perhaps importing rooms."""
        writes = self._deps.settings.may_write
        purpose = Purpose.ROOMS if room_import else Purpose.CONNECT
        asked = dict.fromkeys((*identity_scopes(provider), *asked_for(provider, purpose, writes=writes)))
        resource = profile_of(provider).scopes.resource
        # OpenID Connect's own names are in lower case, and belong to no resource.
        return tuple(scope if scope.islower() else f"{resource}{scope}" for scope in asked)

    def come_back(self, answer: Mapping[str, str]) -> AnyResponse:
        """Answer whoever comes back from the page, who may be nobody of ours."""
        said, state = read_answer(answer), self._read(answer.get("state", ""))
        kind = self._kind(said, state)
        if state is not None and kind == "seen":
            self._keep(state.tenant, said)
        _log.info("tenant_consent_answered", tenant=state.tenant if state else "", kind=kind)
        page = render_template(
            "consent_answer.html",
            kind=kind,
            scopes=said.scopes,
            reason=explain_refusal(said.error, said.description, said.subcode),
            provider_code=provider_code(said.error, said.description),
            person=anybody(),
        )
        return make_response(page, HTTPStatus.OK if kind in {"seen", "thanks"} else HTTPStatus.FORBIDDEN)

    def _kind(self, said: ConsentAnswer, state: AwaitedConsent | None) -> str:
        if state is None or self._deps.clock.now_ms() >= state.expires_at_ms:
            return "unknown"
        if not said.granted:
            return "refused" if said.error else "unknown"
        if state.tenant == NOBODY:
            return "thanks"
        return "seen" if state.directory.lower() in {"", said.directory} else "other-directory"

    def _keep(self, tenant: str, said: ConsentAnswer) -> None:
        row = TenantConsentRow(directory=said.directory, at_ms=self._deps.clock.now_ms(), scopes=said.scopes)
        tables.tenant_consents(self._deps.engine.registry).put(tenant, Provider.MICROSOFT, row)

    def _signed(self, state: AwaitedConsent) -> str:
        parts = (state.tenant, state.directory or _ANY, str(state.expires_at_ms))
        return ".".join((_PREFIX, *parts, self._mark(*parts)))

    def _read(self, text: str) -> AwaitedConsent | None:
        match text.split(".") if text.isascii() else []:
            case [_, tenant, directory, expires, mark] if hmac.compare_digest(
                mark, self._mark(tenant, directory, expires)
            ):
                return AwaitedConsent(tenant, "" if directory == _ANY else directory, int(expires))
        return None

    def _mark(self, *parts: str) -> str:
        return pseudonym(self._deps.session_key, "tenant-consent", *parts)
