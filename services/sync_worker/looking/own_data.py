"""What somebody said of a date of a meeting goes when that date goes: not when it moves, nor when it is merely out of sight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.sync_worker.deciding.job import Outcome
from services.sync_worker.deciding.references import References, meeting_of
from shared.domain.identity import Mailbox, Provider
from shared.domain.keys import TenantKeys
from shared.domain.sighting import EventKind, Look, SeenEvent
from shared.errors import ConsentRevokedError, EventGoneError, KeyDestroyedError, RefusedError, RetryableError
from shared.grants.broker import ConsentBroker
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
    Deletes attendances of dates that are gone.

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
        self._attendances = tables.attendances(registry)
        self._consents = tables.consents(registry)
        self._users = tables.users(registry)
        self._keyring = keyring
        self._broker = broker
        self._providers = providers
        self._unsure: dict[Mailbox, dict[str, Missing]] = {}

    def follow(self, outcome: Outcome, known: References) -> None:
        """
        Delete what the look's person said of dates that it shows to be gone.

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
        person = self._person(mailbox)
        if not person:
            return
        found = {each.event_id: each for each in find_missing_dates(known, outcome.look, outcome.state.provider, keys)}
        unsure = {}
        for each in (waiting | found).values():
            row_id = f"{each.meeting}/{each.occurrence}/{person}"
            if each.end_ms <= outcome.job.started_at_ms or self._attendances.get(mailbox.tenant, row_id) is None:
                continue  # what is past slides out of the window every day: its deadline takes it
            gone = each.said or self._is_gone(mailbox, outcome.state.provider, each.event_id)
            if gone is None:
                unsure[each.event_id] = each
            elif gone:
                self._attendances.delete(mailbox.tenant, row_id)
                logger.info("attendance_forgotten", tenant=mailbox.tenant, mailbox=mailbox.id, meeting=each.meeting)
        self._unsure[mailbox] = unsure
        if not unsure:
            del self._unsure[mailbox]

    def _person(self, mailbox: Mailbox) -> str:
        consent = self._consents.get(mailbox.tenant, mailbox.id)
        user = self._users.get(mailbox.tenant, consent.user) if consent else None
        return user.person if user else ""

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
