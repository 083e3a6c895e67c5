"""The switches of signing in, as one typed reading of the world's `oauth` fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.identity.model import SimulatedAccount

FAULT = "oauth"
LIFE_FAULT = "accessTokenLifeS"
DEFAULT_LIFE_S = 3600
DOC = (
    "signing in: {adminApprovalRequired, appBlocked, userNotAssigned: [addresses], secretExpired, redirectMismatch, "
    "usersMayConsent, tokenEndpoint503: n, scopeSubset: [scopes], refreshRefused: {address: code}, testingMode, "
    "redirectUris: [exact], claims: {address: {claim: value}}}; "
    "n counts down; may be given per provider; at Microsoft nobody but an administrator consents to calendars (the managed "
    "default policy: give consent with POST /sim/v1/tenants/<id>/consent, or at the adminconsent page), unless usersMayConsent"
)


@dataclass(frozen=True, slots=True)
class Policies:
    """What an administrator or a bad day imposes on signing in at one provider."""

    admin_approval_required: bool = False
    users_may_consent: bool = False
    """At Microsoft: people consent for themselves, as before the managed default policy of 2025."""
    app_blocked: bool = False
    user_not_assigned: frozenset[str] = frozenset()
    secret_expired: bool = False
    redirect_mismatch: bool = False
    scope_subset: frozenset[str] | None = None
    refresh_refused: Mapping[str, str] = field(default_factory=dict)
    testing_mode: bool = False
    redirect_uris: frozenset[str] = frozenset()
    claims: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Claims of a person's id_token, by address, in place of what it would say."""

    @staticmethod
    def of(raw: Mapping[str, Any] | None) -> Policies:
        """Read the fault as stored; absent switches are off."""
        raw = raw or {}
        subset = raw.get("scopeSubset")
        return Policies(
            admin_approval_required=bool(raw.get("adminApprovalRequired")),
            users_may_consent=bool(raw.get("usersMayConsent")),
            app_blocked=bool(raw.get("appBlocked")),
            user_not_assigned=_lowered(raw.get("userNotAssigned")),
            secret_expired=bool(raw.get("secretExpired")),
            redirect_mismatch=bool(raw.get("redirectMismatch")),
            scope_subset=frozenset(subset) if subset is not None else None,
            refresh_refused={str(who).lower(): str(why) for who, why in (raw.get("refreshRefused") or {}).items()},
            testing_mode=bool(raw.get("testingMode")),
            redirect_uris=frozenset(raw.get("redirectUris") or ()),
            claims={str(who).lower(): dict(said) for who, said in (raw.get("claims") or {}).items()},
        )

    def assigned(self, account: SimulatedAccount) -> bool:
        """Whether the application may be used by this person at all."""
        return not {account.address.lower(), account.user_id.lower()} & self.user_not_assigned

    def refusal(self, account: SimulatedAccount) -> str | None:
        """The code with which this person's refresh is to be refused, if any."""
        refused = self.refresh_refused
        return refused.get(account.address.lower()) or refused.get(account.user_id.lower())


def _lowered(values: Any) -> frozenset[str]:
    return frozenset(str(value).lower() for value in values or ())
