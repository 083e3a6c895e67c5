"""Undoing what a test made: the event, the subscription, the grant; each also when only its beginning is on record."""

from __future__ import annotations

import secrets

import msgspec

from services.portal.admin.integration.testflow.deciding.room_choice import RoomChoice
from services.portal.admin.integration.testflow.deciding.run import Made
from services.portal.deps import Deps
from shared.domain.identity import Mailbox, Provider
from shared.domain.instants import HOUR_MS
from shared.domain.sighting import RoomContact, Subscription, SubscriptionRequest
from shared.errors import CancelledSinceError, ConfigurationError, ConsentRevokedError
from shared.providers.subscription_request import make_subscription_request
from shared.registry import tables


def place_of(made: Made) -> RoomChoice:
    """Where and when the event is, or was to be."""
    return RoomChoice(RoomContact(made.room, made.room_name), made.start_ms, 1, 1)


def request_subscription(deps: Deps, made: Made, channel_id: str) -> SubscriptionRequest:
    """
    A subscription for the test's own mailbox, which no worker knows: its hints are of no consequence to anybody else.

    It ends by itself within the hour, should everything else fail.
    """
    if deps.hook_keys is None:
        message = "this portal was opened without the keys that prove notifications; start it as `roomsync run portal`"
        raise ConfigurationError(message)
    return make_subscription_request(
        Provider(made.provider),
        deps.hook_keys,
        Mailbox(made.tenant, made.mailbox),
        channel_id=channel_id,
        receiver=deps.settings.receiver_url,
        expires_at_ms=deps.clock.now_ms() + HOUR_MS,
    )


def new_channel() -> str:
    """Unique for ever."""
    return f"x-{secrets.token_hex(16)}"


def take_back(deps: Deps, made: Made, newer: Made | None = None) -> None:
    """
    Take back everything that `made` names; repeating it is harmless.

    Args:
        deps: Stores and providers.
        made: By a run that is over.
        newer: What the run that cleans up has made: if it is the same person's, its grant serves, since the older may be gone.

    Raises:
        RoomsyncError: something is left; try again later.
    """
    own = Mailbox(made.tenant, made.mailbox)
    is_same = newer is not None and (made.provider, made.subject) == (newer.provider, newer.subject)
    undoing = Undoing(deps, made, Mailbox(newer.tenant, newer.mailbox) if newer and is_same else own)
    try:
        undoing.event()
        undoing.subscription()
    except ConsentRevokedError:
        if newer is None or is_same:
            raise
        # Another person's, who has taken the permission back or left: nobody here can undo it, and nobody waits for them.
    undoing.grant()


class Undoing:
    """Takes back what one `Made` names, as the person who gave the grant. Every method raises what the provider's port does."""

    def __init__(self, deps: Deps, made: Made, grant: Mailbox) -> None:
        """`grant` names the tokens to use: those of the run itself, or a later run's of the same person."""
        self._deps = deps
        self._made = made
        self._grant = grant
        self._calendar = deps.providers[Provider(made.provider)]

    def event(self) -> Made:
        """Cancel the event; the room is told by the provider."""
        made = self._made
        if made.request_id:
            event_id = made.event_id or self._begun_event()
            if event_id:
                self._deps.broker.using(self._grant, lambda access: self._calendar.cancel(access, event_id))
        self._made = msgspec.structs.replace(made, request_id="", event_id="")
        return self._made

    def subscription(self) -> Made:
        """End the subscription."""
        made = self._made
        if made.channel_id:
            self._end(Subscription(made.subscription_id, made.resource_id, made.expires_at_ms), made.channel_id)
        self._made = msgspec.structs.replace(made, channel_id="", subscription_id="", resource_id="")
        return self._made

    def grant(self) -> None:
        """Forget the tokens. At the provider the permission stands until its person, or their IT, removes it there."""
        tables.consents(self._deps.engine.registry).delete(self._made.tenant, self._made.mailbox)

    def _begun_event(self) -> str:
        """Booking the same request again makes nothing new and tells the event's id; "" once it was cancelled, by whomever."""
        meeting = place_of(self._made).meeting(self._made.request_id)
        try:
            return self._deps.broker.using(self._grant, lambda access: self._calendar.book(access, meeting))
        except CancelledSinceError:
            return ""

    def _end(self, known: Subscription, channel_id: str) -> None:
        broker, calendar = self._deps.broker, self._calendar
        if known.id:
            broker.using(self._grant, lambda access: calendar.unsubscribe(access, known))
            return
        # Begun, and its answer lost. A second one tells what the first is called: Google's resource id is the calendar's,
        # and at Graph making a second one ends the first.
        wish = request_subscription(self._deps, self._made, new_channel())
        second = broker.using(self._grant, lambda access: calendar.subscribe(access, wish))
        broker.using(self._grant, lambda access: calendar.unsubscribe(access, second))
        if second.resource_id:
            first = Subscription(channel_id, second.resource_id, second.expires_at_ms)
            broker.using(self._grant, lambda access: calendar.unsubscribe(access, first))
