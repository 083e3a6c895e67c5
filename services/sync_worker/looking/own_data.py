"""
What is kept of a person beside their calendar follows what each look shows.

What somebody said of a date of a meeting goes when that date goes: not when it moves, nor when it is merely out of sight. An
address that they are invited by, and that was not known to be theirs, is kept as a keyed hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from services.sync_worker.deciding.job import Outcome
from services.sync_worker.deciding.references import References, meeting_of
from shared.contracts.rows import UserRow, attendance_ids
from shared.domain.identity import Mailbox, Provider
from shared.domain.keys import TenantKeys
from shared.domain.sighting import EventKind, Look, SeenEvent
from shared.errors import ConsentRevokedError, EventGoneError, KeyDestroyedError, RefusedError, RetryableError
from shared.grants.broker import ConsentBroker
from shared.organisations.addresses import add_aliases
from shared.ports.calendar import CalendarProvider
from shared.ports.keyring import Keyring
from shared.ports.registry import Registry
from shared.registry import tables
from shared.runtime.logging import get_logger

logger = get_logger()


@dataclass(frozen=True, slots=True)
class Missing:
    """A date that a look no longer showed."""

    event_id: str
    meeting: str
    occurrence: str
    end_ms: int
    said: bool
    """The look itself said "cancelled"; otherwise it may only have left the window."""


class OwnData:
    """
    Deletes attendances of dates that are gone, and learns addresses.

    Called before the look commits: a worker that dies in between repeats the look, and with it this, which is idempotent.
    """

    def __init__(
        self,
        registry: Registry,
        keyring: Keyring,
        broker: ConsentBroker,
        providers: Mapping[Provider, CalendarProvider],
    ) -> None:
        """Attendances are rows of the registry, under the event's reference."""
        self._registry = registry
        self._attendances = tables.attendances(registry)
        self._consents = tables.consents(registry)
        self._users = tables.users(registry)
        self._keyring = keyring
        self._broker = broker
        self._providers = providers
        self._unsure: dict[Mailbox, dict[str, Missing]] = {}

    def follow(self, outcome: Outcome, known: References) -> None:
        """
        Delete what the look's person said of dates that it shows to be gone, and learn what addresses they are invited by.

        A date that the provider could not be asked about is asked about again with the mailbox's next look, as long as this
        process lives; after that its row ends by its own deadline.

        Args:
            known: The mailbox's references as they were when the look began.

        Raises:
            StoreUnavailableError: the look is to be repeated.
        """
        mailbox = outcome.job.mailbox
        waiting = self._unsure.get(mailbox, {})
        if outcome.look is None and not waiting:
            return
        try:
            keys = self._keyring.keys(mailbox.tenant)
        except KeyDestroyedError:
            return  # nobody can name the event any more, hence nobody reads the row
        user_id, user = self._person(mailbox)
        if user is None:
            return
        self._learn_aliases(mailbox.tenant, user_id, user, own_hashes(outcome.look, keys))
        found = {each.event_id: each for each in find_missing_dates(known, outcome.look, outcome.state.provider, keys)}
        unsure = {}
        for each in (waiting | found).values():
            row_ids = attendance_ids(each.meeting, each.occurrence, user_id, user)
            if each.end_ms <= outcome.job.started_at_ms or not self._any_stands(mailbox.tenant, row_ids):
                continue  # what is past slides out of the window every day: its deadline takes it
            gone = each.said or self._is_gone(mailbox, outcome.state.provider, each.event_id)
            if gone is None:
                unsure[each.event_id] = each
            elif gone:
                self._forget(mailbox, row_ids, each.meeting)
        self._unsure[mailbox] = unsure
        if not unsure:
            del self._unsure[mailbox]

    def _person(self, mailbox: Mailbox) -> tuple[str, UserRow | None]:
        consent = self._consents.get(mailbox.tenant, mailbox.id)
        return (consent.user, self._users.get(mailbox.tenant, consent.user)) if consent else ("", None)

    def _learn_aliases(self, tenant: str, user_id: str, user: UserRow, found: AbstractSet[str]) -> None:
        if not found <= user.hashes:
            add_aliases(self._registry, tenant, user_id, found)

    def _forget(self, mailbox: Mailbox, row_ids: Iterable[str], meeting: str) -> None:
        for row_id in row_ids:
            self._attendances.delete(mailbox.tenant, row_id)
        logger.info("attendance_forgotten", tenant=mailbox.tenant, mailbox=mailbox.id, meeting=meeting)

    def _any_stands(self, tenant: str, row_ids: Iterable[str]) -> bool:
        return any(self._attendances.get(tenant, row_id) is not None for row_id in row_ids)

    def _is_gone(self, mailbox: Mailbox, provider: str, event_id: str) -> bool | None:
        """Whether the event exists no more; None when that could not be found out."""
        calendar = self._providers[Provider(provider)]
        try:
            return self._broker.using(mailbox, lambda access: calendar.read(access, event_id)).cancelled
        except EventGoneError:
            return True
        except (RetryableError, ConsentRevokedError, RefusedError) as error:
            logger.info("attendance_not_followed", mailbox=mailbox.id, kind=type(error).__name__)
            return None


def own_hashes(look: Look | None, keys: TenantKeys) -> frozenset[str]:
    """Hash the addresses by which the look's person is invited, where their provider marks their own entry. Pure."""
    events = (each for each in look.seen if isinstance(each, SeenEvent)) if look else ()
    entries = (entry for event in events for entry in event.attendees or ())
    addresses = {entry.address for entry in entries if entry.is_self and entry.address}  # each stands in every event
    return frozenset(map(keys.person, addresses))


def find_missing_dates(known: References, look: Look | None, provider: str, keys: TenantKeys) -> Iterator[Missing]:
    """
    The dates that were known and that `look` does not show (any more), under whatever event id. Pure.

    A date that stands under another event id now is not missing: own data hangs on meeting and date, not on the id.
    """
    if look is None:
        return
    shown = {each.event_id: each for each in look.seen if isinstance(each, SeenEvent) and not each.cancelled}
    said = {each.event_id for each in look.seen if isinstance(each, SeenEvent) and each.cancelled}
    away = {each.event_id for each in look.seen if each.event_id not in shown}
    if look.full:
        away |= known.keys() - shown.keys()
    stands = {(keys.meeting(provider, each.uid), each.slot) for each in shown.values() if each.uid}
    for event_id in sorted(away & known.keys()):
        reference, meeting = known[event_id], meeting_of(known, event_id)
        if not meeting or reference.kind == EventKind.MASTER or (meeting, reference.slot) in stands:
            continue
        occurrence = keys.occurrence(meeting, reference.slot)
        yield Missing(event_id, meeting, occurrence, reference.end_ms, event_id in said)
