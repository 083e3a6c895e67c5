"""What `notification-state` holds of one partition, opened: ladders, searches for addressees, and what counts declines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from shared.contracts.decline_incident import (
    DECLINE_TYPE,
    INCIDENT_TYPE,
    DeclineIncident,
    OrganisationDecline,
    counted_key,
    incident_key,
    is_counted,
    is_incident,
)
from shared.contracts.notification import (
    LADDER_TYPE,
    SEARCH_TYPE,
    AddresseeSearch,
    PromptLadder,
    ladder_key,
    search_key,
)
from shared.crypto.records import open_record, sealed_envelope
from shared.domain.identity import Mailbox
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.log import StateChange
from shared.runtime.logging import get_logger

KeysOf = Callable[[str], TenantKeys]
_LADDER_SLASHES = 2

logger = get_logger()


class Ledger:
    """Changed only after a commit, so that it never holds what the log does not."""

    def __init__(self, state: Mapping[bytes, bytes], keys_of: KeysOf) -> None:
        """Open the state as restored; what opens under no key is listed in `unreadable`."""
        self._ladders: dict[Mailbox, dict[str, PromptLadder]] = {}
        self.searches: dict[bytes, AddresseeSearch] = {}
        self.counted: dict[str, dict[str, OrganisationDecline]] = {}
        """Organisation → its declines that may become an incident."""
        self.incidents: dict[str, DeclineIncident] = {}
        """Organisation → its incident, while there is one."""
        self.unreadable: list[bytes] = []
        for key, value in state.items():
            try:
                self._open(key, value, keys_of(key.decode().partition("/")[0]))
            except KeyDestroyedError:
                self.unreadable.append(key)
            except (MalformedRecordError, ValueError) as error:
                logger.warning("state_unreadable", error=str(error))
                self.unreadable.append(key)

    def mailboxes(self) -> Iterable[Mailbox]:
        """Those of whom a ladder is remembered."""
        return self._ladders.keys()

    def ladders_of(self, mailbox: Mailbox) -> Mapping[str, PromptLadder]:
        """Prompt → ladder."""
        return self._ladders.get(mailbox, {})

    def keep(self, mailbox: Mailbox, ladders: Iterable[PromptLadder], forgotten: Iterable[str] = ()) -> None:
        """Take over what was committed of a mailbox's ladders."""
        mine = self._ladders.setdefault(mailbox, {})
        mine.update({ladder.prompt: ladder for ladder in ladders})
        for prompt in forgotten:
            mine.pop(prompt, None)
        if not mine:
            del self._ladders[mailbox]

    def _open(self, key: bytes, value: bytes, keys: TenantKeys) -> None:
        if is_counted(key):
            decline = open_record(key, value, keys, OrganisationDecline)
            self.counted.setdefault(keys.tenant, {})[decline.prompt] = decline
        elif is_incident(key):
            self.incidents[keys.tenant] = open_record(key, value, keys, DeclineIncident)
        elif key.count(b"/") == _LADDER_SLASHES:
            ladder = open_record(key, value, keys, PromptLadder)
            mailbox = Mailbox.from_key(key.rpartition(b"/")[0])
            self._ladders.setdefault(mailbox, {})[ladder.prompt] = ladder
        else:
            self.searches[key] = open_record(key, value, keys, AddresseeSearch)


def ladder_change(mailbox: Mailbox, ladder: PromptLadder, keys: TenantKeys) -> StateChange:
    """A ladder as it is committed."""
    key = ladder_key(mailbox.key, ladder.prompt)
    return StateChange(key, sealed_envelope(keys, ladder, key=key, type=LADDER_TYPE, id=ladder.prompt))


def search_change(search: AddresseeSearch, keys: TenantKeys) -> StateChange:
    """A search as it is committed."""
    key = search_key(keys.tenant, search.prompt)
    return StateChange(key, sealed_envelope(keys, search, key=key, type=SEARCH_TYPE, id=search.prompt))


def counted_change(decline: OrganisationDecline, keys: TenantKeys) -> StateChange:
    """A counted decline as it is committed."""
    key = counted_key(keys.tenant, decline.prompt)
    return StateChange(key, sealed_envelope(keys, decline, key=key, type=DECLINE_TYPE, id=decline.prompt))


def incident_change(incident: DeclineIncident, keys: TenantKeys) -> StateChange:
    """An incident as it is committed."""
    key = incident_key(keys.tenant)
    return StateChange(key, sealed_envelope(keys, incident, key=key, type=INCIDENT_TYPE, id=incident.id))
