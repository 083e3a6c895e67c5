"""
Whose notices the browser of a request shows: a cookie of ours names the person's browser, and signing out ends its notices.

A session does not know it: it ends by itself after hours, and the browser goes on showing notices, as its person asked. So the
cookie outlives sessions. It also tells when somebody else signs in.
"""

from __future__ import annotations

import hmac
from contextlib import suppress
from dataclasses import dataclass

from flask import request
from werkzeug.wrappers import Response

from services.portal.deps import Deps
from services.portal.frame.sessions import cookie_name, drop_cookie, keep_cookie
from shared.domain.instants import DAY_MS
from shared.domain.keys import pseudonym
from shared.errors import RowRefusedError
from shared.organisations import notice_browsers

COOKIE = "roomsync_notices"
LIFE_MS = 400 * DAY_MS
"""From signing in on; browsers keep no cookie for longer (draft-ietf-httpbis-rfc6265bis)."""
FORGET = '"storage"'
"""
Has the browser unregister our worker (Clear-Site-Data, W3C): its subscription ends, and with it what waits at the push service.
What else our pages store there is which outcomes were seen.
"""
_PARTS = 4


@dataclass(frozen=True, slots=True)
class _ShownIn:
    tenant: str
    user: str
    browser: str


class CurrentBrowser:
    """Every method raises StoreUnavailableError when the registry is away."""

    def __init__(self, deps: Deps) -> None:
        self._registry = deps.engine.registry
        self._key = deps.session_key

    def remember(self, response: Response, tenant: str, user: str, browser: str) -> None:
        """Have the browser that gets `response` say from now on that it shows a person's notices."""
        keep_cookie(response, COOKIE, ".".join((tenant, user, browser, self._proof(tenant, user, browser))), LIFE_MS)

    def end_notices(self, response: Response) -> None:
        """End the notices that this browser shows, whosever they are: its row goes, and the browser is told to forget."""
        shown = self._read()
        if shown is None:
            return
        with suppress(RowRefusedError):  # nobody is told by a row that was put there beside us
            notice_browsers.remove_browser(self._registry, shown.tenant, shown.user, shown.browser)
        response.headers["Clear-Site-Data"] = FORGET
        drop_cookie(response, COOKIE)

    def welcome(self, response: Response, tenant: str, user: str) -> None:
        """A person signs in: notices of another one end in this browser, and their own stay."""
        shown = self._read()
        if shown is None:
            return
        if (shown.tenant, shown.user) == (tenant, user):
            self.remember(response, tenant, user, shown.browser)
        else:
            self.end_notices(response)

    def end_everywhere(self, response: Response, tenant: str, user: str) -> None:
        """End a person's notices in all of their browsers, and those of this one."""
        notice_browsers.remove_every_browser(self._registry, tenant, user)
        self.end_notices(response)

    def _read(self) -> _ShownIn | None:
        """What the browser says, if we had it say that."""
        parts = request.cookies.get(cookie_name(COOKIE), "").split(".")
        if len(parts) != _PARTS:
            return None
        tenant, user, browser, proof = parts
        proven = hmac.compare_digest(proof.encode(), self._proof(tenant, user, browser).encode())
        return _ShownIn(tenant, user, browser) if proven else None

    def _proof(self, tenant: str, user: str, browser: str) -> str:
        return pseudonym(self._key, "notices", tenant, user, browser)
