"""What the owner of a partition keeps of mailboxes that left: one small record each, until the last of its meetings has ended."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from functools import cache

from services.sync_worker.deciding.left_meetings import Ends, KeptMeetings, forget_at_ms, leave_out_ended
from services.sync_worker.memory import is_left_key, left_change, left_key, mailbox_of
from shared.contracts.calendar_state import LeftMailbox
from shared.crypto.records import open_record
from shared.domain.identity import Mailbox
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.keyring import Keyring
from shared.ports.log import StateChange
from shared.runtime.logging import get_logger

logger = get_logger()


class LeftMailboxes:
    """Of one partition; used by its owner's thread. A mailbox costs nothing until something of it has ended."""

    def __init__(self, state: Mapping[bytes, bytes], keyring: Keyring) -> None:
        """
        Read a claim's restored state. What a destroyed key sealed is left out.

        Raises:
            StoreUnavailableError: the keyring is away.
        """
        self._left: dict[Mailbox, KeptMeetings] = {}
        self._heap: list[tuple[int, Mailbox]] = []
        keys_of = cache(keyring.keys)  # asked once an organisation, not once a mailbox
        for key, value in state.items():
            if is_left_key(key):
                self._restore(key, value, keys_of)

    def ends_of(self, mailbox: Mailbox, era: str) -> Ends:
        """What is kept of a mailbox; nothing where a key named it that has been destroyed since."""
        left = self._left.get(mailbox)
        return left.ends if left is not None and left.era == era else {}

    def note(self, mailbox: Mailbox, left: KeptMeetings) -> None:
        """Take over what was committed of a mailbox; no meetings: nothing is kept of it any more."""
        if not left.ends:
            self._left.pop(mailbox, None)
            return
        self._left[mailbox] = left
        heapq.heappush(self._heap, (forget_at_ms(left.ends), mailbox))

    def ended(self, now_ms: int, keyring: Keyring, limit: int) -> tuple[dict[Mailbox, KeptMeetings], list[StateChange]]:
        """
        What is left of at most `limit` mailboxes some of whose meetings have ended, to be committed and then noted.

        Raises:
            StoreUnavailableError: the keyring is away.
        """
        kept: dict[Mailbox, KeptMeetings] = {}
        while self._heap and self._heap[0][0] <= now_ms and len(kept) < limit:
            at_ms, mailbox = heapq.heappop(self._heap)
            left = self._left.get(mailbox)
            if left is not None and forget_at_ms(left.ends) == at_ms:
                kept[mailbox] = KeptMeetings(leave_out_ended(left.ends, now_ms), left.era)
        return kept, [_change(mailbox, left, keyring) for mailbox, left in kept.items()]

    def _restore(self, key: bytes, value: bytes, keys_of: Callable[[str], TenantKeys]) -> None:
        try:
            mailbox = mailbox_of(key)
            keys = keys_of(mailbox.tenant)
            found = open_record(key, value, keys, LeftMailbox)
        except KeyDestroyedError:
            return
        except MalformedRecordError as error:
            logger.warning("state_unreadable", error=str(error))
            return
        self.note(mailbox, KeptMeetings(found.meetings, keys.era))


def _change(mailbox: Mailbox, left: KeptMeetings, keyring: Keyring) -> StateChange:
    """The record of what is left; one that nobody can read any more is deleted."""
    try:
        keys = keyring.keys(mailbox.tenant)
    except KeyDestroyedError:
        return StateChange(left_key(mailbox), None)
    return left_change(mailbox, left.ends if left.era == keys.era else {}, keys)
