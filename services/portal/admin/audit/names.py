"""Who and what the ids in the audit stand for, as far as it can be read now: the audit itself keeps no names."""

from __future__ import annotations

from collections.abc import Iterable

from services.portal.deps import Deps
from shared.contracts.rows import AuditRow
from shared.errors import KeyDestroyedError, MalformedRecordError, RowRefusedError
from shared.grants.vault import ConsentVault
from shared.organisations.appointments import list_appointed
from shared.registry import tables


class ActNames:
    """Looks names up for one page, each id once."""

    def __init__(self, deps: Deps, tenant: str) -> None:
        self._deps = deps
        self._tenant = tenant
        self._found: dict[str, str] = {}
        self._appointed: dict[str, str] | None = None

    def name(self, subject: str) -> str:
        """The address or name behind an id; "" where it stands for nothing that can be read any more."""
        if subject not in self._found:
            self._found[subject] = self._look_up(subject)
        return self._found[subject]

    def list_people(self, acts: Iterable[AuditRow]) -> list[tuple[str, str]]:
        """Id and address, or the id once more, of everybody who did one of the acts, by address."""
        users = {row.user for row in acts}
        return sorted(((user, self.name(user) or user) for user in users), key=lambda each: each[1])

    def _look_up(self, subject: str) -> str:
        kind = subject.partition("-")[0]
        try:
            if kind == "u":
                return self._address_of(subject)
            if kind == "r":
                row = tables.rooms(self._deps.engine.registry).get(self._tenant, subject)
                return row.name if row else ""
            if kind == "a":
                return self._list_appointed().get(subject, "")
        except (KeyDestroyedError, MalformedRecordError, RowRefusedError):
            pass  # sealed by a key that is gone, or damaged: the id stands for itself
        return ""

    def _address_of(self, user: str) -> str:
        engine = self._deps.engine
        row = tables.users(engine.registry).get(self._tenant, user)
        return ConsentVault(engine.keyring).address_of(self._tenant, user, row) if row else ""

    def _list_appointed(self) -> dict[str, str]:
        if self._appointed is None:
            engine = self._deps.engine
            listed = list_appointed(engine.registry, engine.keyring, self._tenant)
            self._appointed = {row_id: address for row_id, _, address in listed}
        return self._appointed
