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
        self._available = bool(deps.settings.smtp_url or deps.settings.mail_from)

    def shown(self, tenant: str, user: str) -> LadderAnswer:
        """A person's ladder, as the JSON API says it."""
        return ladder_shape(self._rows.get(tenant, user) or NotificationRow(), available=self._available)

    def change(self, tenant: str, user: str, sent: Mapping[str, Any]) -> LadderAnswer:
        """Change what was sent. Raises ProblemError (422)."""
        row = self._rows.change(tenant, user, lambda row: change_ladder(row or NotificationRow(), sent))
        return ladder_shape(row or NotificationRow(), available=self._available)

    def stop(self, tenant: str, user: str) -> None:
        """No more mails, for good. Idempotent."""
        self._rows.change(tenant, user, lambda row: msgspec.structs.replace(row or NotificationRow(), mail=False))

    def remember_zone(self, tenant: str, user: str) -> None:
        """Keep the zone that the browser of this request names, for the hours in mails; nothing if it names none."""
        zone = zone_from(request.cookies.get(ZONE_COOKIE, ""))
        if zone is not None:
            self._rows.change(
                tenant, user, lambda row: msgspec.structs.replace(row or NotificationRow(), zone=zone.key)
            )
