"""The applications that are registered at the providers: whose they are, where they lead, and who may use them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.identity.model import Provider, SimulatedAccount
from simulator.world.errors import InvalidError, NotThereError
from simulator.world.ids import URL_SAFE, Ids

BUILT_IN = "roomsync"
"""The application that is there from the beginning, at both providers, without a rule of its own."""
BUILT_IN_SECRET = "simulated-secret"  # noqa: S105 (documented)
_CHANGEABLE = {"redirectUris", "onlyHome", "assignmentRequired", "assigned", "trusted", "apis", "permissions"}


@dataclass(slots=True)
class Application:
    """
    One registered application, as its administrators have set it up.

    `home` is the directory in which it is registered; `only_home` a single-tenant one at Entra, an internal one at Google.
    `redirect_uris` None: any loopback address. `assigned` are the accounts that count while `assignment_required` (Entra).
    `apis` are the APIs that its project has enabled, None for all; `trusted` whether the organisation's administrator trusts it
    (Google). `permissions` is what its registration lists, as it was given.
    """

    client_id: str
    provider: Provider
    home: str = ""
    secrets: set[str] = field(default_factory=set)
    redirect_uris: frozenset[str] | None = None
    only_home: bool = False
    assignment_required: bool = False
    assigned: frozenset[str] = frozenset()
    trusted: bool = False
    apis: frozenset[str] | None = None
    permissions: tuple[str, ...] = ()

    def admits(self, account: SimulatedAccount) -> bool:
        """Whether the account is assigned to it, where that is asked for."""
        assigned = {each.lower() for each in self.assigned}
        return not self.assignment_required or bool({account.address.lower(), account.user_id.lower()} & assigned)

    def as_dict(self) -> dict[str, Any]:
        """For the control API. Secrets are shown once, when they are made."""
        return {
            "clientId": self.client_id,
            "provider": self.provider,
            "tenant": self.home,
            "redirectUris": None if self.redirect_uris is None else sorted(self.redirect_uris),
            "onlyHome": self.only_home,
            "assignmentRequired": self.assignment_required,
            "assigned": sorted(self.assigned),
            "trusted": self.trusted,
            "apis": None if self.apis is None else sorted(self.apis),
            "permissions": list(self.permissions),
        }


class Applications:
    """Callers hold the world's lock."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._known: dict[tuple[Provider, str], Application] = {}
        for provider in ("microsoft", "google"):
            self._add(Application(BUILT_IN, provider, secrets={BUILT_IN_SECRET}))

    def register(self, provider: Provider, tenant: str, sent: Mapping[str, Any]) -> Application:
        """
        Register an application without any secret; its client id is made up.

        Args:
            provider: where.
            tenant: the directory that it belongs to.
            sent: what is set from the beginning, as for `change`.

        Raises:
            InvalidError: an unknown field.
        """
        number = self._ids.count("application")
        made = self._ids.guid("application", tenant, number)
        found = Application(
            made if provider == "microsoft" else f"{made}.apps.googleusercontent.com", provider, home=tenant
        )
        found.redirect_uris, found.apis = frozenset(), None if provider == "microsoft" else frozenset()
        self._add(change(found, sent))
        return found

    def find(self, provider: Provider, client_id: str) -> Application | None:
        """The application of this client id, or None."""
        return self._known.get((provider, client_id))

    def get(self, client_id: str, provider: Provider | None = None) -> Application:
        """A registered application, at one provider or at whichever knows it. Raises NotThereError."""
        every = (one for one in self._known.values() if one.client_id == client_id)
        found = next((one for one in every if provider in {None, one.provider}), None)
        if found is None:
            message = f"no application {client_id}"
            raise NotThereError(message)
        return found

    def add_secret(self, client_id: str) -> str:
        """A new secret beside the others. Raises NotThereError."""
        secret = self._ids.token(40, URL_SAFE, "secret", client_id, self._ids.count("secret"))
        self.get(client_id).secrets.add(secret)
        return secret

    def remove(self, client_id: str) -> Application:
        """Take a registration away. Raises NotThereError."""
        found = self.get(client_id)
        del self._known[found.provider, client_id]
        return found

    def all(self) -> Collection[Application]:
        """Every application, those from the beginning among them."""
        return self._known.values()

    def _add(self, application: Application) -> None:
        self._known[application.provider, application.client_id] = application


def change(application: Application, sent: Mapping[str, Any]) -> Application:
    """
    Set what is sent, and leave the rest.

    Raises:
        InvalidError: a field that is not known.
    """
    unknown = sorted(set(sent) - _CHANGEABLE)
    if unknown:
        message = f"unknown field {', '.join(unknown)}: known are {', '.join(sorted(_CHANGEABLE))}"
        raise InvalidError(message)
    if "redirectUris" in sent:
        application.redirect_uris = frozenset(sent["redirectUris"])
    if "apis" in sent:
        application.apis = frozenset(sent["apis"])
    if "assigned" in sent:
        application.assigned = frozenset(sent["assigned"])
    application.only_home = bool(sent.get("onlyHome", application.only_home))
    application.assignment_required = bool(sent.get("assignmentRequired", application.assignment_required))
    application.trusted = bool(sent.get("trusted", application.trusted))
    application.permissions = tuple(sent.get("permissions", application.permissions))
    return application
