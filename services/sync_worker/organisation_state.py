"""An organisation as the settling of looks needs it, read at one instant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from services.sync_worker.deciding.listed_rooms import ListedRooms
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, RowRefusedError
from shared.grants.broker import ConsentBroker
from shared.ports.keyring import Keyring
from shared.runtime.refused_rows import log_refused_row


@dataclass(frozen=True, slots=True)
class OrganisationState:
    """What counts for everything that one commit settles of an organisation."""

    enabled: bool
    keys: TenantKeys | None
    """None: destroyed."""
    rooms: ListedRooms = field(default_factory=ListedRooms)
    refused: bool = False
    """Whether a row of the organisation is not as it was written: its looks are for later."""


class OrganisationReader:
    """Reads the state of organisations."""

    def __init__(self, broker: ConsentBroker, keyring: Keyring, rooms_of: Callable[[str], ListedRooms]) -> None:
        """`rooms_of` gives an organisation's list of rooms."""
        self._broker = broker
        self._keyring = keyring
        self._rooms_of = rooms_of

    def read(self, tenant: str) -> OrganisationState:
        """
        Read whether it is enabled before its keys, so that keys which came with enabling anew are never taken for the old ones.

        Raises:
            StoreUnavailableError: the registry or the keyring is away.
        """
        enabled, rooms, refused = self._read_rows(tenant)
        try:
            return OrganisationState(enabled, self._keyring.keys(tenant), rooms, refused)
        except KeyDestroyedError:
            return OrganisationState(enabled, None)

    def _read_rows(self, tenant: str) -> tuple[bool, ListedRooms, bool]:
        try:
            return self._broker.is_enabled(tenant), self._rooms_of(tenant), False
        except RowRefusedError as error:
            log_refused_row(error)
            return False, ListedRooms(), True
