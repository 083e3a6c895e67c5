"""What `notification-state` holds of one partition, opened: how far every ladder has come, and the searches for addressees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

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
        if key.count(b"/") == _LADDER_SLASHES:
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
