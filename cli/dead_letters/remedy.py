"""Chooses what mends a dead letter: which mailboxes have to be looked at again, by which commands. Pure. See ADR 5."""

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
class LostObservation:
    """What is known of a lost observation without reading it."""

    copies: Collection[Mailbox]
    """Mailboxes whose copy it can have been: those that have the meeting, by references or by room_status's state."""
    appended_at_ms: int
    """When it was appended to its topic, in epoch milliseconds."""
    baseline: bool | None = None
    """The observation's own `baseline`, if it can be read by now."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """The commands to send, and in words why."""

    commands: tuple[tuple[Mailbox, Command], ...]
    why: str
    failed_take: TakeRoom | None = None
    """A person's request for a room that they no longer wait for: it is marked failed, so that they are asked anew."""


@dataclass(frozen=True, slots=True)
class NoRemedy:
    """No look mends the letter; `why` says what to do instead."""

    why: str


def choose_remedy(
    letter: DeadLetter, *, consent_of: ConsentOf, lost: Callable[[str, str], LostObservation], now_ms: int
) -> Remedy | NoRemedy:
    """
    Choose the remedy for `letter`.

    Args:
        consent_of: Returns a mailbox's grant, as the registry has it now.
        lost: Returns what is known of the copies, by tenant and meeting; called for observations only.
    """
    first, _, second = letter.key.decode(errors="replace").partition("/")
    if not first or not second or "\ufffd" in first + second:
        return NoRemedy("its key names nobody; drop it, and `roomsync reconcile --all` if you want to be sure")
    if letter.topic in _HOOKS:
        return _mend_hint(letter, Mailbox(first, second), now_ms)
    if letter.topic == COMMANDS.name:
        return _mend_command(letter, Mailbox(first, second), consent_of, now_ms)
    if letter.topic == OBSERVATIONS.name:
        return _mend_observation(second, lost(first, second), consent_of, now_ms)
    if letter.topic == REPAIRS.name:
        return NoRemedy("it asked for missing decline events: run `roomsync replay --apply` again, drop this")
    return NoRemedy("nothing is looked at for a record of this topic; drop it once its cause is known")


def _mend_hint(letter: DeadLetter, mailbox: Mailbox, now_ms: int) -> Remedy:
    """Look again. The notification may have been about the subscription itself, where the provider sends such: extend it too."""
    hint = _read_payload(letter, change_notification.TYPE, ChangeNotification)
    prolong = bool(_HOOKS[letter.topic].lifecycle_path) and (
        hint is None or hint.kind is not change_notification.HintKind.CHANGED
    )
    also = ", and prolongs its subscription" if prolong else ""
    return Remedy(((mailbox, Reconcile(at_ms=now_ms, prolong=prolong)),), f"its mailbox looks again{also}")


def _mend_command(letter: DeadLetter, mailbox: Mailbox, consent_of: ConsentOf, now_ms: int) -> Remedy:
    """Repeat a command that still holds; otherwise send the one that makes the mailbox what its grant says."""
    lost = _read_payload(letter, command.TYPE, Command)  # type: ignore[arg-type]  # a union is not a type
    consent = consent_of(mailbox)
    if isinstance(lost, Gap):
        return Remedy(((mailbox, Gap(at_ms=now_ms)),), "every mailbox of its partition looks again")
    if isinstance(lost, Disconnect) and consent is not None and consent.connected_at_ms <= lost.at_ms:
        return Remedy(((mailbox, Disconnect(at_ms=now_ms)),), "the mailbox is disconnected, as its owner asked")
    if isinstance(lost, TakeRoom):
        why = "the room is not taken any more: its person is asked anew, and its mailbox looks"
        return Remedy(((mailbox, _command_from_consent(consent, lost, now_ms)),), why, lost)
    return Remedy(
        ((mailbox, _command_from_consent(consent, lost, now_ms)),), "its mailbox is made as the registry has it"
    )


def _command_from_consent(consent: ConsentRow | None, lost: object, now_ms: int) -> Command:
    if consent is None or consent.state is ConsentState.REVOKED:
        return Disconnect(at_ms=now_ms)
    if consent.state is ConsentState.SLEEPING:
        return Sleep(at_ms=now_ms)
    if consent.state is ConsentState.CONNECTING:
        return Connect(at_ms=now_ms)
    return Reconcile(at_ms=now_ms, full=isinstance(lost, Reconcile) and lost.full)


def _mend_observation(meeting: str, lost: LostObservation, consent_of: ConsentOf, now_ms: int) -> Remedy | NoRemedy:
    if not lost.copies:
        return NoRemedy("no connected calendar holds this meeting, and nothing was decided from it: drop it")
    commands = []
    for mailbox in sorted(lost.copies):
        consent = consent_of(mailbox)
        quiet = _was_baseline(lost, consent)
        commands.append((mailbox, Reconcile(at_ms=now_ms, full=True, meetings=(meeting,), quiet=quiet)))
    return Remedy(tuple(commands), "the calendars that hold the meeting are read in full and say it anew")


def _was_baseline(lost: LostObservation, consent: ConsentRow | None) -> bool:
    if lost.baseline is not None:
        return lost.baseline
    if consent is None:
        return False
    return not consent.first_look_at_ms or lost.appended_at_ms <= consent.first_look_at_ms


def _read_payload(letter: DeadLetter, kind: str, shape: type[T]) -> T | None:
    """Return the payload, if this version can read it; None otherwise."""
    try:
        envelope = envelopes.decode(letter.value or b"")
        return envelopes.payload_of(envelope, shape) if envelope.type == kind else None
    except MalformedRecordError:
        return None
