"""What an input record asks of a mailbox: hints and commands, read into the mailbox's memory. No I/O."""

from __future__ import annotations

from collections.abc import Collection, MutableMapping

import msgspec

from services.sync_worker.deciding.hints import Hints
from services.sync_worker.deciding.mailbox import made_due
from services.sync_worker.deciding.schedule import Priority
from services.sync_worker.memory import TrackedMailbox
from shared.contracts import change_notification, command
from shared.contracts import envelope as envelopes
from shared.contracts.calendar_state import DueReason, MailboxState
from shared.contracts.change_notification import ChangeNotification, HintKind
from shared.contracts.command import Command, Connect, Disconnect, Gap, Reconcile, Sleep, TakeRoom
from shared.domain import trace
from shared.domain.identity import Mailbox
from shared.domain.instants import MINUTE_MS
from shared.errors import MalformedRecordError
from shared.ports.log import Record

GAP_SPREAD_MS = 5 * MINUTE_MS

Mailboxes = MutableMapping[Mailbox, TrackedMailbox]


def take_in(
    record: Record, mailboxes: Mailboxes, hints: Hints, *, now_ms: int, unreadable: Collection[Mailbox] = ()
) -> Collection[Mailbox]:
    """
    Note what `record` asks for.

    Args:
        record: Of a hint or a command.
        mailboxes: Those that are held; who begins is added.
        hints: What each of them is owed; added to.
        now_ms: The moment.
        unreadable: Mailboxes whose own record cannot be read: they begin when somebody says so, never by a lost observation.

    Returns:
        The mailboxes whose next look it concerns: none where nobody is connected.

    Raises:
        MalformedRecordError: no reading of the record can succeed.
    """
    envelope = envelopes.decode(record.value or b"")
    try:
        mailbox = Mailbox.from_key(record.key)
    except ValueError as error:
        raise MalformedRecordError(str(error)) from error
    match envelope.type:
        case change_notification.TYPE:
            hint = envelopes.payload_of(envelope, ChangeNotification)
            known = _take_hint(hint, mailbox, mailboxes, now_ms)
            asks = hint.kind is not HintKind.SYNC
            hint_says_more = asks and hint.kind is not HintKind.CHANGED
        case command.TYPE:
            wish: Command = envelopes.payload_of(envelope, Command)  # type: ignore[arg-type]  # a union is not a type
            known = _take_command(wish, mailbox, mailboxes, now_ms, unreadable)
            asks, hint_says_more = not isinstance(wish, Gap), False
        case other:
            message = f"a record of type {other!r} among the hints: a newer version wrote it? Upgrade this worker"
            raise MalformedRecordError(message)
    if known and asks:
        mailboxes[mailbox].priority = min(mailboxes[mailbox].priority, Priority.PUSH)
        hints.owe(mailbox, record.topic, record.offset)
        mailboxes[mailbox].correlation = envelope.correlation or envelope.id
        mailboxes[mailbox].trace = trace.from_headers(record.headers)
        mailboxes[mailbox].asked |= envelope.type == command.TYPE or hint_says_more
    if known and envelope.type == command.TYPE and not asks:
        return tuple(mailboxes)
    return (mailbox,) if known else ()


def spread_gap(mailboxes: Mailboxes, *, now_ms: int) -> None:
    """Hints may have been lost: every mailbox becomes due, spread over five minutes."""
    for rank, mailbox in enumerate(sorted(mailboxes)):
        held = mailboxes[mailbox]
        at_ms = now_ms + GAP_SPREAD_MS * rank // max(len(mailboxes), 1)
        held.state = made_due(held.state, DueReason.RECONCILE, at_ms)


def _take_hint(hint: ChangeNotification, mailbox: Mailbox, mailboxes: Mailboxes, now_ms: int) -> bool:
    held = mailboxes.get(mailbox)
    if held is None:
        return False  # nobody is connected there (any more): the hint was genuine, and is of no consequence
    held.hinted = True
    heard_ms = max(hint.received_at_ms, held.state.heard_at_ms)
    announced = held.state.announced + (hint.kind in {HintKind.CHANGED, HintKind.MISSED})
    held.state = msgspec.structs.replace(held.state, heard_at_ms=heard_ms, doubted_at_ms=0, announced=announced)
    live = held.state.subscription
    if hint.kind is HintKind.SUBSCRIPTION_REMOVED and live and live.id == hint.subscription_id:
        held.state = msgspec.structs.replace(held.state, subscription=None)
    elif hint.kind is HintKind.REAUTHORIZATION_REQUIRED:
        held.state = made_due(held.state, DueReason.RENEW, now_ms)  # one prolonging renews and reauthorises
    return True


def _take_command(
    wish: Command, mailbox: Mailbox, mailboxes: Mailboxes, now_ms: int, unreadable: Collection[Mailbox]
) -> bool:
    if isinstance(wish, Gap):
        spread_gap(mailboxes, now_ms=now_ms)
        return True
    lost = isinstance(wish, Reconcile) and wish.meetings and mailbox not in unreadable
    if mailbox not in mailboxes and (lost or isinstance(wish, Connect | Disconnect)):
        # A lost observation of a mailbox that has left since: its look finds no grant, and withdraws what is owed. A grant
        # that was taken back before anybody heard of it is forgotten by a look as well.
        mailboxes[mailbox] = TrackedMailbox(MailboxState(provider=""))
    held = mailboxes.get(mailbox)
    if held is None:
        return False
    match wish:
        case Connect():
            held.priority = Priority.PERSON
            # Asked by a person who is there: do not make them wait for an appointment.
            held.state = msgspec.structs.replace(held.state, connected=True, failures=0, due={})
            held.connecting = True
        case Sleep():
            held.priority = Priority.PERSON
            # What was appointed is of no consequence any more; letting go is.
            held.state = msgspec.structs.replace(held.state, asleep=True, failures=0, due={})
        case Disconnect():
            held.priority = Priority.PERSON
            held.state = msgspec.structs.replace(held.state, connected=False, failures=0, due={})
        case Reconcile():
            held.full = held.full or wish.full
            owed = {**held.state.owed, **dict.fromkeys(wish.meetings, wish.quiet)}
            held.state = msgspec.structs.replace(held.state, owed=owed)
            if wish.prolong:
                held.state = made_due(held.state, DueReason.RENEW, now_ms)
        case TakeRoom(take_id=take_id):
            held.priority = Priority.PERSON
            held.takes[take_id] = wish
    return True
