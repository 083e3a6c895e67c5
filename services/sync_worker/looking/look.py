"""One look at one mailbox: the calls that make it right, outside any transaction. Gathers; decides nothing."""

from __future__ import annotations

import contextlib
import dataclasses
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from services.sync_worker.deciding.job import ASLEEP, Job, Outcome
from services.sync_worker.deciding.mailbox import (
    WINDOW_AHEAD_MS,
    SubscriptionNeed,
    is_worth_ending,
    needs_full,
    not_ended,
    repair,
    window_at,
    window_of,
)
from services.sync_worker.deciding.references import known_events
from services.sync_worker.looking.day_zones import DayZones
from services.sync_worker.looking.take import TakeRooms
from shared.contracts.calendar_state import LiveSubscription, MailboxState
from shared.contracts.topics import SYNC_WORKER
from shared.domain.identity import Mailbox, Provider
from shared.domain.proof import HookKeys
from shared.domain.sighting import Access, Subscription, SubscriptionRequest
from shared.errors import (
    ConsentRevokedError,
    CursorExpiredError,
    KeyDestroyedError,
    RefusedError,
    RetryableError,
    RowRefusedError,
    StoreUnavailableError,
    SubscriptionGoneError,
    TokenRefusedError,
)
from shared.grants.broker import ConsentBroker
from shared.grants.endings import Endings
from shared.grants.grant import DISCONNECTING
from shared.grants.reminders import CalendarReminders
from shared.ports.calendar import CalendarProvider
from shared.ports.clock import Clock
from shared.providers.subscription_request import make_subscription_request
from shared.runtime import metrics
from shared.runtime.crash_points import crash_point
from shared.runtime.logging import get_logger
from shared.runtime.refused_rows import log_refused_row

logger = get_logger()


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where providers send their notifications."""

    receiver: str
    """The receiver's address; each provider's paths below it are in its profile."""

    @classmethod
    def under(cls, base: str) -> Addresses:
        """The receiver's paths under `base`."""
        return cls(base)


class _Progress:
    """The mailbox as far as a look has brought it: what was made at the provider stays on record whatever comes after."""

    def __init__(self, state: MailboxState) -> None:
        self.state = state


class Looker:
    """Executes jobs on worker threads; one job per mailbox at a time, so at most two calls of it are in flight."""

    def __init__(
        self,
        *,
        broker: ConsentBroker,
        providers: Mapping[Provider, CalendarProvider],
        take: TakeRooms,
        endings: Endings,
        reminders: CalendarReminders,
        hook_keys: HookKeys,
        addresses: Addresses,
        clock: Clock,
        zones: DayZones | None = None,
        channel_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        ahead_ms: int = WINDOW_AHEAD_MS,
    ) -> None:
        """
        Take what looks need.

        Args:
            zones: Says when days begin and end where a provider does not; None: nobody does.
            channel_id: Gives a fresh one each time: Google never forgets a used one.
            ahead_ms: How far ahead calendars are looked at.
        """
        self._ahead_ms = ahead_ms
        self._zones = zones
        self._broker = broker
        self._providers = providers
        self._take = take
        self._endings = endings
        self._reminders = reminders
        self._hook_keys = hook_keys
        self._addresses = addresses
        self._clock = clock
        self._channel_id = channel_id

    def run(self, job: Job) -> Outcome:
        """Make the mailbox right. Never raises: what fails, and what was done before, stands in the outcome."""
        progress = _Progress(job.state)
        try:
            return self._run(job, progress)
        except ConsentRevokedError as error:
            logger.info("consent_revoked", tenant=job.mailbox.tenant, mailbox=job.mailbox.id, reason=error.code)
            return Outcome(job, progress.state, gone=error.code)
        except RetryableError as error:
            logger.info("look_postponed", mailbox=job.mailbox.id, retry_after_s=error.retry_after_s, error=str(error))
            return Outcome(job, progress.state, retry_after_s=error.retry_after_s)
        except (RefusedError, CursorExpiredError) as error:
            # Refused for good today may be granted tomorrow by an administrator: keep asking, ever more rarely. A cursor
            # that is refused although a full look used none is one of the provider's own pages, that ran out meanwhile.
            logger.warning("look_refused", mailbox=job.mailbox.id, error=str(error))
            return Outcome(job, progress.state)
        except RowRefusedError as error:
            log_refused_row(error)
            return Outcome(job, progress.state)
        except StoreUnavailableError as error:
            metrics.STORE_UNAVAILABLE.labels(SYNC_WORKER.service).inc()
            logger.warning("store_unavailable", service=SYNC_WORKER.service, error=str(error))
            return Outcome(job, progress.state)

    def _run(self, job: Job, progress: _Progress) -> Outcome:
        enabled = self._broker.is_enabled(job.mailbox.tenant)
        if job.state.asleep or not enabled:
            return self._asleep(job, enabled=enabled)
        progress.state = self._placed(job)
        if not progress.state.connected:
            return self._leave(job, progress.state)
        return self._made_right(job, progress)

    def end_subscriptions(self, mailbox: Mailbox) -> None:
        """Try once to end what the mailbox left behind; the sweep goes on trying. Never raises for what a provider does."""
        attempt = self._endings.attempt(mailbox)
        logger.info("ending_tried", mailbox=mailbox.id, done=attempt.done, reason=attempt.reason)

    def _asleep(self, job: Job, *, enabled: bool) -> Outcome:
        """
        The integration is (or was, until a moment ago) off. Nothing is read; what has to be ended is put on record.

        On record first, references second: they name the subscription, and without its name nobody could end it.
        """
        subscriptions = [_as_provider_knows(each) for each in _all_of(job.state)]
        if subscriptions:
            with contextlib.suppress(KeyDestroyedError):  # the grants are gone as well: nothing could end it
                self._endings.note(job.mailbox, Provider(job.state.provider), subscriptions)
        crash_point("sync-worker.asleep")
        return Outcome(job, job.state, gone=ASLEEP, rejoin=enabled and self._broker.is_live(job.mailbox))

    def _placed(self, job: Job) -> MailboxState:
        """A mailbox that has just been connected learns here which provider it lives at."""
        if job.state.provider:
            return job.state
        return msgspec.structs.replace(job.state, provider=self._broker.provider_of(job.mailbox))

    def _made_right(self, job: Job, progress: _Progress) -> Outcome:
        provider = self._providers[Provider(progress.state.provider)]
        try:
            return self._broker.using(job.mailbox, lambda access: self._with_access(job, progress, provider, access))
        except ConsentRevokedError as error:
            if error.code != DISCONNECTING:
                raise
            return self._leave(job, progress.state)  # the wish is on its way; the grant is no longer ours to read with

    def _with_access(self, job: Job, progress: _Progress, provider: CalendarProvider, access: Access) -> Outcome:
        progress.state = self._retired(progress.state, provider, access)
        progress.state = self._repaired(job, progress.state, provider, access)
        if not progress.state.baseline_done:
            self._broker.first_look_begins(job.mailbox)
        takes = self._take.run(job, provider, access, self._clock.now_ms())
        looked = self._looked(job, progress.state, provider, access)
        return dataclasses.replace(looked, waiting_takes=takes.waiting, opened=takes.opened)

    def _repaired(self, job: Job, state: MailboxState, provider: CalendarProvider, access: Access) -> MailboxState:
        need = repair(state, self._clock.now_ms())
        if need is SubscriptionNeed.NONE:
            return state
        wish = self._subscription_request(job.mailbox, provider)
        if need is SubscriptionNeed.EXTEND and state.subscription:
            try:
                made = provider.extend(access, _as_provider_knows(state.subscription), wish)
                return self._with_subscription(state, made)
            except SubscriptionGoneError:
                logger.info("subscription_gone", mailbox=job.mailbox.id)
        crash_point("sync-worker.subscribing")
        made = provider.subscribe(access, wish)
        crash_point("sync-worker.subscribed")
        return self._with_subscription(msgspec.structs.replace(state, subscription=None), made)

    def _subscription_request(self, mailbox: Mailbox, provider: CalendarProvider) -> SubscriptionRequest:
        return make_subscription_request(
            provider.provider,
            self._hook_keys,
            mailbox,
            channel_id=self._channel_id(),
            receiver=self._addresses.receiver,
            expires_at_ms=self._clock.now_ms() + provider.max_subscription_ms,
        )

    def _with_subscription(self, state: MailboxState, made: Subscription) -> MailboxState:
        earlier = state.subscription
        replaced = earlier is not None and earlier.id != made.id
        prolonged = earlier is not None and earlier.id == made.id
        live = LiveSubscription(
            id=made.id,
            resource_id=made.resource_id,
            # A prolonged subscription keeps the client state it was made with: it cannot be patched.
            key_id=earlier.key_id if prolonged and earlier else self._hook_keys.current,
            made_at_ms=self._clock.now_ms(),
            expires_at_ms=made.expires_at_ms,
        )
        retiring = (*state.retiring, earlier) if replaced and earlier else state.retiring
        return msgspec.structs.replace(state, subscription=live, retiring=retiring)

    def _retired(self, state: MailboxState, provider: CalendarProvider, access: Access) -> MailboxState:
        """End channels that an earlier, committed look replaced: by now the new one is on record."""
        left = []
        for subscription in state.retiring:
            try:
                provider.unsubscribe(access, _as_provider_knows(subscription))
            except TokenRefusedError:
                raise
            except (RetryableError, RefusedError) as error:
                logger.info("subscription_not_ended", subscription=subscription.id, error=str(error))
                left.append(not_ended(subscription))
        now_ms = self._clock.now_ms()
        return msgspec.structs.replace(state, retiring=tuple(each for each in left if is_worth_ending(each, now_ms)))

    def _looked(self, job: Job, state: MailboxState, provider: CalendarProvider, access: Access) -> Outcome:
        whole = window_at(self._clock.now_ms(), job.mailbox.id, ahead_ms=self._ahead_ms)
        cursor = "" if job.full or needs_full(state, whole) else state.cursor
        window = window_of(state) if cursor else whole
        known = known_events(job.references)
        increment = None
        try:
            look = provider.look(access, cursor, window, known)
            if job.audit and cursor:
                increment, look = look, provider.look(access, "", window, known)
        except CursorExpiredError:
            logger.info("cursor_expired", mailbox=job.mailbox.id)
            window = whole
            look = provider.look(access, "", window, known)
        if self._zones:
            look = self._zones.complete(job.mailbox, look)
            increment = self._zones.complete(job.mailbox, increment) if increment else None
        if look.full:
            state = msgspec.structs.replace(state, window_start_ms=window.start_ms, window_end_ms=window.end_ms)
        return Outcome(job, msgspec.structs.replace(state, cursor=look.cursor), look, increment)

    def _leave(self, job: Job, state: MailboxState) -> Outcome:
        """Stop first, revoke second: without a token nobody may end a channel."""
        provider = self._providers[Provider(state.provider)]
        try:
            self._remove_reminders(job.mailbox, provider)
            for known in [_as_provider_knows(each) for each in _all_of(state)]:
                self._broker.ending(job.mailbox, lambda access, known=known: provider.unsubscribe(access, known))  # type: ignore[misc]
        except ConsentRevokedError as error:
            logger.info("nothing_to_end_with", mailbox=job.mailbox.id, reason=error.code)
        self._broker.forget(job.mailbox, given_before_ms=job.started_at_ms)
        return Outcome(job, state, gone="disconnected")

    def _remove_reminders(self, mailbox: Mailbox, provider: CalendarProvider) -> None:
        """Nothing of ours stays in a calendar that nobody may write to any more."""
        since_ms = self._reminders.since_ms(mailbox)
        if not since_ms:
            return
        now_ms = self._clock.now_ms()
        left = self._broker.ending(
            mailbox, lambda access: self._reminders.remove_all(provider, access, since_ms, now_ms)
        )
        if left:
            logger.warning("reminders_left", mailbox=mailbox.id, reason=left)


def _all_of(state: MailboxState) -> tuple[LiveSubscription, ...]:
    return (*state.retiring, *((state.subscription,) if state.subscription else ()))


def _as_provider_knows(subscription: LiveSubscription) -> Subscription:
    return Subscription(subscription.id, subscription.resource_id, subscription.expires_at_ms)
