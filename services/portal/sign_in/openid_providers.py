"""The sign-in of each provider, its libraries imported only when it is used."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from services.portal.deps import Deps
from shared.domain.identity import Provider

if TYPE_CHECKING:
    from services.portal.sign_in.openid_provider import OpenIdProvider


class OpenIdProviders:
    """Thread-safe. One is made when somebody is first sent there, and kept."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._lock = threading.Lock()
        self._made: dict[Provider, OpenIdProvider] = {}

    def __getitem__(self, provider: Provider) -> OpenIdProvider:
        from services.portal.sign_in.openid_provider import OpenIdProvider  # noqa: PLC0415 - a fifth of the portal's start

        with self._lock:
            if provider not in self._made:
                self._made[provider] = OpenIdProvider(self._deps.settings, provider, self._deps.clock)
            return self._made[provider]
