"""How each person wants to be told: read, changed, and switched off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from flask import request

from services.portal.deps import Deps
from services.portal.my_day.deciding.zones import zone_from
from services.portal.my_day.parameters import ZONE_COOKIE
from services.portal.notifications.deciding.ladder_form import LadderAnswer, change_ladder, ladder_shape
from shared.contracts.rows import NotificationRow
from shared.registry import tables


class LadderPreferences:
    """Every method raises StoreUnavailableError when the registry is away."""

    def __init__(self, deps: Deps) -> None:
        self._rows = tables.notifications(deps.engine.registry)
        self._users = tables.users(deps.engine.registry)
        self._clock = deps.clock
        settings = deps.settings
        offered = {
            "mail": bool(settings.smtp_url or settings.mail_from),
            "calendar": settings.writes_reminders,
            "browser": settings.shows_in_browsers,
        }
        self.channels = tuple(name for name, is_offered in offered.items() if is_offered)
        """The switches of what this deployment tells people by."""

    def shown(self, tenant: str, user: str) -> LadderAnswer:
        """A person's ladder, as the JSON API says it."""
        return ladder_shape(self._rows.get(tenant, user) or NotificationRow(), channels=self.channels)

    def change(self, tenant: str, user: str, sent: Mapping[str, Any]) -> LadderAnswer:
        """Change what was sent. Raises ProblemError (422)."""
        now_ms = self._clock.now_ms()
        row = self._rows.change(tenant, user, lambda row: change_ladder(row or NotificationRow(), sent, now_ms))
        return ladder_shape(row or NotificationRow(), channels=self.channels)

    def stop_mails(self, tenant: str, user: str) -> None:
        """No more mails, for good; of whoever is gone nothing is written down any more. Idempotent."""
        self._stop(tenant, user, mail=False)

    def stop_browsers(self, tenant: str, user: str) -> None:
        """No more notices in any of the person's browsers, for good. As `stop_mails`."""
        self._stop(tenant, user, browser=False)

    def _stop(self, tenant: str, user: str, **changed: bool) -> None:
        if self._users.get(tenant, user) is not None:
            self._rows.change(tenant, user, lambda row: msgspec.structs.replace(row or NotificationRow(), **changed))

    def allow_browsers(self, tenant: str, user: str) -> None:
        """Notices in browsers again, for whoever had switched them off. Idempotent."""
        self._rows.change(tenant, user, lambda row: msgspec.structs.replace(row, browser=True) if row else None)

    def remember_zone(self, tenant: str, user: str) -> None:
        """Keep the zone that the browser of this request names, for the hours in mails; nothing if it names none."""
        zone = zone_from(request.cookies.get(ZONE_COOKIE, ""))
        if zone is not None:
            self._rows.change(
                tenant, user, lambda row: msgspec.structs.replace(row or NotificationRow(), zone=zone.key)
            )
