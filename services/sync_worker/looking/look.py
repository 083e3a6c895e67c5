"""One look at one mailbox: the calls that make it right, outside any transaction. Gathers; decides nothing."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from services.sync_worker.deciding.hints import Offset
from services.sync_worker.deciding.mailbox import Repair, needs_full, repair, window_at
from services.sync_worker.deciding.references import References, known_events
from services.sync_worker.looking.take import TakeRooms
from shared.contracts.calendar_state import LiveSubscription, MailboxState
from shared.contracts.command import TakeRoom
from shared.domain.identity import Mailbox, Provider
from shared.domain.proof import HookKeys, mint
from shared.domain.sighting import Access, Look, Subscription, SubscriptionWish
from shared.domain.trace import Trace
from shared.errors import (
    ConsentRevokedError,
    CursorExpiredError,
    KeyDestroyedError,
    RefusedError,
    RetryableError,
    SubscriptionGoneError,
)
from shared.grants.broker import ConsentBroker
from shared.grants.endings import Endings
from shared.grants.grant import DISCONNECTING
from shared.ports.calendar import CalendarProvider
from shared.ports.clock import Clock
from shared.providers.catalogue import profile_of
from shared.runtime.crash_points import crash_point
from shared.runtime.logging import get_logger

logger = get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    """A look that is to begin: the mailbox as known, and everything that the look will answer."""

    mailbox: Mailbox
    state: MailboxState
    answers: frozenset[Offset]
    started_at_ms: int
    hinted: bool = False
    full: bool = False
    takes: tuple[TakeRoom, ...] = ()
    correlation: str = ""
    trace: Trace | None = None
    references: References = field(default_factory=dict)
    """What is known of the mailbox's events when the look begins."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a look. `state` carries what the calls changed: subscription, cursor, provider."""

    job: Job
    state: MailboxState
    look: Look | None = None
    failure: RetryableError | None = None
    gone: str = ""
    """Why the mailbox is no longer connected; "" while it is."""
    rejoin: bool = False
    """It lets go, and begins anew at once: the integration was switched off and on again before this look."""


ASLEEP = "asleep"
"""What a mailbox is gone for when its integration was switched off: the grant is kept."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where providers send their notifications."""

    receiver: str
    """The receiver's address; each provider's paths below it are in its profile."""

    @classmethod
    def under(cls, base: str) -> Addresses:
        """The receiver's paths under `base`."""
        return cls(base)


class Looker:
    """Executes jobs on worker threads; one job per mailbox at a time, so at most two calls of it are in flight."""

    def __init__(
        self,
        *,
        broker: ConsentBroker,
        providers: Mapping[Provider, CalendarProvider],
        take: TakeRooms,
        endings: Endings,
        hook_keys: HookKeys,
        addresses: Addresses,
        clock: Clock,
        channel_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        """`channel_id` gives a fresh one each time: Google never forgets a used one."""
        self._broker = broker
        self._providers = providers
        self._take = take
        self._endings = endings
        self._hook_keys = hook_keys
        self._addresses = addresses
        self._clock = clock
        self._channel_id = channel_id

    def run(self, job: Job) -> Outcome:
        """Make the mailbox right. Never raises for what a provider does; StoreUnavailableError passes."""
        state = job.state
        enabled = self._broker.is_enabled(job.mailbox.tenant)
        if state.asleep or not enabled:
            return self._asleep(job, enabled=enabled)
        try:
            state = self._placed(job)
            if not state.connected:
                return self._leave(job, state)
            return self._made_right(job, state)
        except ConsentRevokedError as error:
            logger.info("consent_revoked", tenant=job.mailbox.tenant, mailbox=job.mailbox.id, reason=error.code)
            return Outcome(job, state, gone=error.code)
        except RetryableError as error:
            logger.info("look_postponed", mailbox=job.mailbox.id, retry_after_s=error.retry_after_s, error=str(error))
            return Outcome(job, state, failure=error)
        except RefusedError as error:
            # Refused for good today may be granted tomorrow by an administrator: keep asking, ever more rarely.
            logger.warning("look_refused", mailbox=job.mailbox.id, error=str(error))
            return Outcome(job, state, failure=RetryableError(str(error)))

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

    def _made_right(self, job: Job, state: MailboxState) -> Outcome:
        provider = self._providers[Provider(state.provider)]
        try:
            return self._broker.using(job.mailbox, lambda access: self._with_access(job, state, provider, access))
        except ConsentRevokedError as error:
            if error.code != DISCONNECTING:
                raise
            return self._leave(job, state)  # the wish is on its way; the grant is no longer ours to read with

    def _with_access(self, job: Job, state: MailboxState, provider: CalendarProvider, access: Access) -> Outcome:
        state = self._retired(state, provider, access)
        state = self._repaired(job, state, provider, access)
        if not state.baseline_done:
            self._broker.first_look_begins(job.mailbox)
        self._take.run(job.mailbox, provider, access, job.takes)
        return self._looked(job, state, provider, access)

    def _repaired(self, job: Job, state: MailboxState, provider: CalendarProvider, access: Access) -> MailboxState:
        need = repair(state, self._clock.now_ms())
        if need is Repair.NONE:
            return state
        wish = self._wish(job.mailbox, provider)
        if need is Repair.EXTEND and state.subscription:
            try:
                made = provider.extend(access, _as_provider_knows(state.subscription), wish)
                return self._with_subscription(state, made)
            except SubscriptionGoneError:
                logger.info("subscription_gone", mailbox=job.mailbox.id)
        crash_point("sync-worker.subscribing")
        made = provider.subscribe(access, wish)
        crash_point("sync-worker.subscribed")
        return self._with_subscription(msgspec.structs.replace(state, subscription=None), made)

    def _wish(self, mailbox: Mailbox, provider: CalendarProvider) -> SubscriptionWish:
        hooks = profile_of(provider.provider).hooks
        channel_id = self._channel_id()
        return SubscriptionWish(
            channel_id=channel_id,
            client_state=mint(
                self._hook_keys, mailbox, provider.provider, channel_id if hooks.proof_names_channel else ""
            ),
            notification_url=f"{self._addresses.receiver}{hooks.path}",
            lifecycle_url=f"{self._addresses.receiver}{hooks.lifecycle_path}" if hooks.lifecycle_path else "",
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
        for subscription in state.retiring:
            provider.unsubscribe(access, _as_provider_knows(subscription))
        return msgspec.structs.replace(state, retiring=())

    def _looked(self, job: Job, state: MailboxState, provider: CalendarProvider, access: Access) -> Outcome:
        window = window_at(self._clock.now_ms())
        cursor = "" if job.full or needs_full(state, self._clock.now_ms()) else state.cursor
        known = known_events(job.references)
        try:
            look = provider.look(access, cursor, window, known)
        except CursorExpiredError:
            logger.info("cursor_expired", mailbox=job.mailbox.id)
            look = provider.look(access, "", window, known)
        start = window.start_ms if look.full else state.window_start_ms
        return Outcome(job, msgspec.structs.replace(state, cursor=look.cursor, window_start_ms=start), look)

    def _leave(self, job: Job, state: MailboxState) -> Outcome:
        """Stop first, revoke second: without a token nobody may end a channel."""
        provider = self._providers[Provider(state.provider)]
        try:
            for known in [_as_provider_knows(each) for each in _all_of(state)]:
                self._broker.ending(job.mailbox, lambda access, known=known: provider.unsubscribe(access, known))  # type: ignore[misc]
        except ConsentRevokedError as error:
            logger.info("nothing_to_end_with", mailbox=job.mailbox.id, reason=error.code)
        self._broker.forget(job.mailbox, given_before_ms=job.started_at_ms)
        return Outcome(job, state, gone="disconnected")


def _all_of(state: MailboxState) -> tuple[LiveSubscription, ...]:
    return (*state.retiring, *((state.subscription,) if state.subscription else ()))


def _as_provider_knows(subscription: LiveSubscription) -> Subscription:
    return Subscription(subscription.id, subscription.resource_id, subscription.expires_at_ms)
