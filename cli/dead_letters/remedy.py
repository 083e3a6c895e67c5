"""What mends a dead letter: who has to look again, and whether more is to be asked of them. Pure. See ADR 5."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from shared.contracts import change_notification, command
from shared.contracts import envelope as envelopes
from shared.contracts.change_notification import ChangeNotification
from shared.contracts.command import Command, Connect, Disconnect, Gap, Reconcile, Sleep, TakeRoom
from shared.contracts.dead_letter import DeadLetter
from shared.contracts.rows import ConsentRow, ConsentState
from shared.contracts.topics import COMMANDS, OBSERVATIONS, REPAIRS
from shared.domain.identity import Mailbox
from shared.errors import MalformedRecordError
from shared.providers.catalogue import PROFILES

T = TypeVar("T")
ConsentOf = Callable[[Mailbox], ConsentRow | None]

_HOOKS = {profile.hooks.topic.name: profile.hooks for profile in PROFILES.values()}


@dataclass(frozen=True, slots=True)
class Lost:
    """What can be known of a lost observation without reading it."""

    copies: Collection[Mailbox]
    """Whose copy it can have been: those that hold the meeting, by their references or by what was folded."""
    said_at_ms: int
    """When it was appended, epoch milliseconds."""
    baseline: bool | None = None
    """What the observation itself says, if it can be read by now."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to send, and in words why."""

    wishes: tuple[tuple[Mailbox, Command], ...]
    why: str
    failed_take: TakeRoom | None = None
    """A wish of a person who has long left the page: given back to them, not carried out behind their back."""


@dataclass(frozen=True, slots=True)
class Hopeless:
    """Nothing can be looked at for it; `why` says what to do instead."""

    why: str


def remedy_of(
    letter: DeadLetter, *, consent_of: ConsentOf, lost: Callable[[str, str], Lost], now_ms: int
) -> Remedy | Hopeless:
    """
    What mends `letter`.

    Args:
        consent_of: A mailbox's grant, as the registry has it now.
        lost: Tenant and meeting → what is known of the copies; asked for observations only.
    """
    first, _, second = letter.key.decode(errors="replace").partition("/")
    if not first or not second or "\ufffd" in first + second:
        return Hopeless("its key names nobody; drop it, and `roomsync reconcile --all` if you want to be sure")
    if letter.topic in _HOOKS:
        return _of_hint(letter, Mailbox(first, second), now_ms)
    if letter.topic == COMMANDS.name:
        return _of_command(letter, Mailbox(first, second), consent_of, now_ms)
    if letter.topic == OBSERVATIONS.name:
        return _of_observation(second, lost(first, second), consent_of, now_ms)
    if letter.topic == REPAIRS.name:
        return Hopeless(
            "it asked for missing decline events to be told: run `roomsync replay --apply` again, drop this"
        )
    return Hopeless("nothing is looked at for a record of this topic; drop it once its cause is known")


def _of_hint(letter: DeadLetter, mailbox: Mailbox, now_ms: int) -> Remedy:
    """It may have been news of the subscription itself: prolonging it finds out, where the provider sends such news."""
    hint = _payload(letter, change_notification.TYPE, ChangeNotification)
    prolong = bool(_HOOKS[letter.topic].lifecycle_path) and (
        hint is None or hint.kind is not change_notification.HintKind.CHANGED
    )
    also = ", and prolongs its subscription" if prolong else ""
    return Remedy(((mailbox, Reconcile(at_ms=now_ms, prolong=prolong)),), f"its mailbox looks again{also}")


def _of_command(letter: DeadLetter, mailbox: Mailbox, consent_of: ConsentOf, now_ms: int) -> Remedy:
    """The wish as it was only where it still holds; else what the registry says should be true of the mailbox."""
    wish = _payload(letter, command.TYPE, Command)  # type: ignore[arg-type]  # a union is not a type
    consent = consent_of(mailbox)
    if isinstance(wish, Gap):
        return Remedy(((mailbox, Gap(at_ms=now_ms)),), "every mailbox of its partition looks again")
    if isinstance(wish, Disconnect) and consent is not None and consent.connected_at_ms <= wish.at_ms:
        return Remedy(((mailbox, Disconnect(at_ms=now_ms)),), "the mailbox is left, as was wished")
    if isinstance(wish, TakeRoom):
        why = "the room is not taken any more: its person is asked anew, and its mailbox looks"
        return Remedy(((mailbox, _as_registered(consent, wish, now_ms)),), why, wish)
    return Remedy(((mailbox, _as_registered(consent, wish, now_ms)),), "its mailbox is made as the registry has it")


def _as_registered(consent: ConsentRow | None, wish: object, now_ms: int) -> Command:
    if consent is None or consent.state is ConsentState.REVOKED:
        return Disconnect(at_ms=now_ms)
    if consent.state is ConsentState.SLEEPING:
        return Sleep(at_ms=now_ms)
    if consent.state is ConsentState.CONNECTING:
        return Connect(at_ms=now_ms)
    return Reconcile(at_ms=now_ms, full=isinstance(wish, Reconcile) and wish.full)


def _of_observation(meeting: str, lost: Lost, consent_of: ConsentOf, now_ms: int) -> Remedy | Hopeless:
    if not lost.copies:
        return Hopeless("no connected calendar holds this meeting, and nothing was decided from it: drop it")
    wishes = []
    for mailbox in sorted(lost.copies):
        consent = consent_of(mailbox)
        quiet = _was_baseline(lost, consent)
        wishes.append((mailbox, Reconcile(at_ms=now_ms, full=True, meetings=(meeting,), quiet=quiet)))
    return Remedy(tuple(wishes), "the calendars that hold the meeting are read in full and say it anew")


def _was_baseline(lost: Lost, consent: ConsentRow | None) -> bool:
    if lost.baseline is not None:
        return lost.baseline
    if consent is None:
        return False
    return not consent.first_look_at_ms or lost.said_at_ms <= consent.first_look_at_ms


def _payload(letter: DeadLetter, kind: str, shape: type[T]) -> T | None:
    """The open payload, if this version can read it; None otherwise."""
    try:
        envelope = envelopes.decode(letter.value or b"")
        return envelopes.payload_of(envelope, shape) if envelope.type == kind else None
    except MalformedRecordError:
        return None
