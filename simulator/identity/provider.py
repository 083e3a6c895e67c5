"""Who is signed in and what they allow: grants, codes and tokens of both providers, on the world's clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from simulator.identity import scopes as scope_names
from simulator.identity.applications import BUILT_IN, Application, Applications
from simulator.identity.authorization import AuthorizationStep, Decision, decide, refusal_of
from simulator.identity.keys import SigningKey, challenge_of
from simulator.identity.model import (
    AuthorizationCode,
    AuthorizeRequest,
    ClientGrant,
    Issued,
    Provider,
    SimulatedAccount,
    Token,
    TokenPrincipal,
    refuse,
)
from simulator.identity.policies import DEFAULT_LIFE_S, DOC, FAULT, LIFE_FAULT, Policies
from simulator.identity.tokens import REFRESH_LIFE_MS, Tokens
from simulator.world import User, World


class IdentityProvider:
    """The OpenID provider behind both sides. Thread-safe."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = world.lock
        self._tokens = Tokens(world.ids)
        self.applications = Applications(world.ids)
        self._grants: dict[tuple[str, str], ClientGrant] = {}
        self._tenant_grants: dict[tuple[str, str], frozenset[str] | None] = {}
        self.key = SigningKey()
        world.faults.declare(FAULT, {}, DOC)
        world.faults.declare(LIFE_FAULT, DEFAULT_LIFE_S, "seconds an access token lives")

    @property
    def now_ms(self) -> int:
        """The world's time."""
        return self._world.clock.now_ms()

    def policies(self, provider: Provider) -> Policies:
        """The switches in force at one provider."""
        return Policies.of(self._world.faults.get(FAULT, provider))

    def is_unavailable(self, provider: Provider) -> bool:
        """Whether this call of the token endpoint is one of the n that fail; counts down."""
        with self._lock:
            raw = self._world.faults.get(FAULT, provider)
            left = int((raw or {}).get("tokenEndpoint503") or 0)
            if left > 0:
                raw["tokenEndpoint503"] = left - 1
            return left > 0

    # People

    def accounts(self, provider: Provider, tenant: str = "") -> list[SimulatedAccount]:
        """Those who can sign in at this provider, of one tenant if it is named by id or domain."""
        with self._lock:
            users = list(self._world.directory.users.values())
            found = [self._account(user) for user in users if user.provider == provider]
        return [one for one in found if not tenant or tenant.lower() in {one.tenant_id.lower(), one.domain.lower()}]

    def account(self, provider: Provider, key: str, tenant: str = "") -> SimulatedAccount | None:
        """One person by address or id, or None."""
        with self._lock:
            user = self._world.directory.find(key)
            if not isinstance(user, User) or user.provider != provider:
                return None
            found = self._account(user)
        return found if not tenant or tenant.lower() in {found.tenant_id.lower(), found.domain.lower()} else None

    def contradicted_claims(self, account: SimulatedAccount) -> dict[str, str]:
        """What Google's userinfo says differently while beliefs about it are contradicted."""
        contradicts = self._world.faults.contradicts
        sub = {"sub": account.user_id[::-1]} if contradicts("google.person-id") else {}
        return sub | ({"hd": f"first.{account.domain}"} if contradicts("google.hosted-domain") else {})

    # Grants

    def set_consent(
        self,
        user_id: str,
        granted: bool,
        scopes: Iterable[str] | None = None,
        client_id: str | None = None,
    ) -> dict[str, Any]:
        """
        Say beforehand that a person approves, or take their grant back.

        Args:
            user_id: id or address.
            granted: true: every consent page is approved for them; false: grant and all their tokens are gone.
            scopes: what they approve; None is whatever is asked.
            client_id: the application, by default the only one.

        Returns:
            The consent as JSON.

        Raises:
            NotThereError: no such person.
        """
        client = client_id or BUILT_IN
        with self._lock:
            user = self._world.directory.user(user_id)
            if not granted:
                self._grants.pop((user.id, client), None)
                self._tokens.kill(user.id, "no-consent", client)
                return {"user": user.id, "client": client, "granted": False}
            grant = self._grants.setdefault((user.id, client), ClientGrant(user.id, client))
            grant.automatic = True
            grant.scopes = None if scopes is None else scope_names.canonical(user.provider, scopes)
            return {"granted": True, **_shown(grant)}

    def grant_tenant(
        self, tenant_id: str, scopes: Iterable[str] | None = None, *, granted: bool = True, client_id: str = BUILT_IN
    ) -> dict[str, Any]:
        """
        An administrator consents for everybody in the tenant, or takes that back.

        Args:
            tenant_id: the directory.
            scopes: what they approve, beside what they approved before; None is whatever is asked.
            granted: false: nothing is approved for everybody any more; people's own grants stay.
            client_id: the application.

        Returns:
            The consent as JSON.

        Raises:
            NotThereError: no such tenant.
        """
        with self._lock:
            tenant, key = self._world.directory.tenant(tenant_id), (tenant_id, client_id)
            if not granted:
                self._tenant_grants.pop(key, None)
                return {"tenant": tenant.id, "client": client_id, "granted": False}
            given = None if scopes is None else scope_names.canonical(tenant.provider, scopes)
            before = self._tenant_grants.get(key, frozenset())
            self._tenant_grants[key] = None if given is None or before is None else before | given
            return {
                "tenant": tenant.id,
                "client": client_id,
                "granted": True,
                "scopes": _listed(self._tenant_grants[key]),
            }

    def consents(self, user_id: str) -> list[dict[str, Any]]:
        """
        Every grant of a person's that exists at the provider, as JSON.

        Raises:
            NotThereError: no such person.
        """
        with self._lock:
            user = self._world.directory.user(user_id)
            return [_shown(grant) for grant in self._grants.values() if grant.user_id == user.id]

    def decide(self, request: AuthorizeRequest, account: SimulatedAccount) -> Decision:
        """What comes next for this person: see `authorization.decide`."""
        with self._lock:
            policies = self.policies(request.provider)
            application = self.applications.get(request.client_id, request.provider)
            if self._is_granted_to_all(request, account):
                refused = refusal_of(account, policies, application)
                return Decision(None, refused) if refused else Decision(AuthorizationStep.APPROVED)
            grant = self._grants.get((account.user_id, request.client_id))
            return decide(request, account, grant, policies, application)

    def _is_granted_to_all(self, request: AuthorizeRequest, account: SimulatedAccount) -> bool:
        key = (account.tenant_id, request.client_id)
        if key not in self._tenant_grants:
            return False
        given = self._tenant_grants[key]
        return given is None or not scope_names.consequential(request.provider, request.scopes) - given

    def approve(
        self, request: AuthorizeRequest, account: SimulatedAccount, chosen: frozenset[str] | None = None
    ) -> AuthorizationCode:
        """
        Record the consent and make a code.

        Args:
            request: what was asked.
            account: who approves.
            chosen: what of it they ticked on the page; None when nobody had to be asked.
        """
        with self._lock:
            key = (account.user_id, request.client_id)
            grant = self._grants.setdefault(key, ClientGrant(*key))
            subset = self.policies(request.provider).scope_subset
            given = scope_names.narrowed(request.provider, request.scopes if chosen is None else chosen, subset)
            asked_again = chosen is not None or "consent" in request.prompt
            with_refresh = request.offline and (
                request.provider == "microsoft" or asked_again or not grant.offline_given
            )
            if grant.scopes is not None:
                grant.scopes |= given
            grant.used |= given
            grant.offline_given = grant.offline_given or with_refresh
            return self._tokens.code(account, request, given, self.now_ms, with_refresh=with_refresh)

    def find_application(self, provider: Provider, client_id: str) -> Application | None:
        """The application of this client id, or None."""
        with self._lock:
            return self.applications.find(provider, client_id)

    def remove_application(self, client_id: str) -> None:
        """Take a registration away, and with it what anybody had granted it. Raises NotThereError."""
        with self._lock:
            self.applications.remove(client_id)
            for user_id, client in [key for key in self._grants if key[1] == client_id]:
                del self._grants[user_id, client]
                self._tokens.kill(user_id, "revoked", client)
            for key in [key for key in self._tenant_grants if key[1] == client_id]:
                del self._tenant_grants[key]

    def has_enabled(self, client_id: str, api: str) -> bool:
        """Whether the Google project of this application has enabled this API."""
        with self._lock:
            application = self.applications.find("google", client_id)
            return application is not None and (application.apis is None or api in application.apis)

    # Tokens

    def check_client(self, provider: Provider, client_id: str, secret: str) -> None:
        """Raises TokenProblem for an unknown application, a missing, wrong or expired secret."""
        with self._lock:
            application = self.applications.find(provider, client_id)
            if application is None:
                refuse("unknown-client")
            if not secret:
                refuse("no-secret")
            if secret not in application.secrets:
                refuse("wrong-secret")
            if self.policies(provider).secret_expired:
                refuse("secret-expired")

    def redeem(self, provider: Provider, value: str, redirect_uri: str, verifier: str) -> Issued:
        """Turn a code into tokens, once and within its minute. Raises TokenProblem."""
        with self._lock:
            code = self._tokens.find_code(value)
            if code is None or code.account.provider != provider:
                refuse("bad-code")
            self._check(code, redirect_uri, verifier)
            code.spent = True
            return self._issue(
                code.account,
                code.scopes,
                code.request.client_id,
                with_refresh=code.with_refresh,
                nonce=code.request.nonce,
            )

    def refresh(self, provider: Provider, value: str, wanted: frozenset[str] = frozenset()) -> Issued:
        """
        Turn a refresh token into a new access token, and at Microsoft into a new refresh token too.

        The old one stays valid in both cases. Raises TokenProblem.
        """
        with self._lock:
            token = self._tokens.find(value)
            if token is None or token.kind != "refresh" or token.provider != provider:
                refuse("bad-refresh")
            account = self._usable(token)
            if wanted - token.scopes - {scope_names.OFFLINE}:
                refuse("scope")
            scopes = (wanted or token.scopes) if provider == "google" else token.scopes
            if provider == "google" and not self.policies(provider).testing_mode:
                token.expires_ms = self.now_ms + REFRESH_LIFE_MS["google"]
            return self._issue(account, scopes, token.client_id, with_refresh=provider == "microsoft")

    def revoke(self, value: str) -> bool:
        """Google's revoke endpoint: all scopes and tokens of that person for the project; false if unknown or dead."""
        with self._lock:
            token = self._tokens.find(value)
            if token is None or token.dead:
                return False
            self._grants.pop((token.user_id, token.client_id), None)
            self._tokens.kill(token.user_id, "revoked", token.client_id)
            return True

    def bearer(self, headers: Mapping[str, str]) -> TokenPrincipal | None:
        """Whose access token the request carries; None when there is none, or it is unknown, late or dead."""
        scheme, _, value = (headers.get("Authorization") or "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        with self._lock:
            token = self._tokens.find(value.strip())
            if token is None or token.kind != "access" or token.dead or token.expires_ms <= self.now_ms:
                return None
            account = self.account(token.provider, token.user_id)
            off = self._world.faults.get("revokedTokens", token.provider) or ()
            if account is None or account.user_id in off or account.address in off:
                return None
            return TokenPrincipal(token.user_id, token.scopes, token.client_id, token.tenant_id, token.provider)

    def _check(self, code: AuthorizationCode, redirect_uri: str, verifier: str) -> None:
        if code.spent:
            refuse("spent-code")
        if self._tokens.is_late(code, self.now_ms):
            refuse("late-code")
        if redirect_uri != code.request.redirect_uri:
            refuse("redirect-mismatch")
        if code.request.challenge and not verifier:
            refuse("no-verifier")
        if code.request.challenge and challenge_of(verifier) != code.request.challenge:
            refuse("wrong-verifier")

    def _usable(self, token: Token) -> SimulatedAccount:
        if token.dead:
            refuse(token.dead)
        if token.expires_ms <= self.now_ms:
            refuse("refresh-expired")
        account = self.account(token.provider, token.user_id)
        if account is None:
            refuse("bad-refresh")
        policies = self.policies(token.provider)
        refusal = policies.refusal(account)
        if refusal:
            refuse("as-told", refusal)
        application = self.applications.find(token.provider, token.client_id)
        if application is None:
            refuse("unknown-client")
        if reason := refusal_of(account, policies, application):
            refuse(reason)
        if token.provider == "google" and policies.admin_approval_required and not application.trusted:
            refuse("admin-approval")
        return account

    def _issue(
        self,
        account: SimulatedAccount,
        scopes: frozenset[str],
        client_id: str,
        *,
        with_refresh: bool,
        nonce: str | None = None,
    ) -> Issued:
        now_ms = self.now_ms
        life_s = int(self._world.faults.get(LIFE_FAULT, account.provider))
        testing = account.provider == "google" and self.policies(account.provider).testing_mode
        access = self._tokens.access(account, client_id, scopes, now_ms, life_s)
        refresh = self._tokens.refresh(account, client_id, scopes, now_ms, testing=testing) if with_refresh else None
        issued = Issued(access, refresh, account, scopes, life_s=life_s)
        return replace(issued, nonce=nonce)

    def _account(self, user: User) -> SimulatedAccount:
        tenant = self._world.directory.tenants[user.tenant_id]
        return SimulatedAccount(
            user.id, user.tenant_id, user.provider, user.name, user.login, tenant.domain, user.address
        )


def _listed(scopes: frozenset[str] | None) -> list[str] | None:
    return None if scopes is None else sorted(scopes)


def _shown(grant: ClientGrant) -> dict[str, Any]:
    return {
        "user": grant.user_id,
        "client": grant.client_id,
        "scopes": _listed(grant.scopes),
        "used": sorted(grant.used),
        "automatic": grant.automatic,
    }
