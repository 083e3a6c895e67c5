"""What a new list of attendees means against the one before: who is new, gone, or to be asked again."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.world.directory import Directory
from simulator.world.drafts import Invitee
from simulator.world.errors import InvalidError
from simulator.world.model import Attendee, AttendeeAnswer, Attendees, Room

MAX_ATTENDEES = 500


@dataclass(slots=True)
class Guests:
    """The attendees as they are now, and what has become of them: addresses."""

    now: Attendees
    added: list[str]
    removed: list[str]
    asked_again: list[str]


def guests_of(directory: Directory, before: Attendees, invitees: list[Invitee], organizer: str) -> Guests:
    """
    Compare a new attendee list with the old one; the organiser and repetitions are left out.

    Raises:
        InvalidError: more than 500.
    """
    if len(invitees) > MAX_ATTENDEES:
        message = f"at most {MAX_ATTENDEES} attendees"
        raise InvalidError(message)
    guests = Guests({}, [], [], [])
    for invitee in invitees:
        address = invitee.address.lower()
        if address == organizer or address in guests.now:
            continue
        old = before.get(address)
        guests.now[address] = _attendee(directory, old, invitee, address)
        if old is None:
            guests.added.append(address)
        elif old.answer != AttendeeAnswer.NONE and guests.now[address].answer == AttendeeAnswer.NONE:
            guests.asked_again.append(address)
    guests.removed = [address for address in before if address not in guests.now]
    return guests


def _attendee(directory: Directory, old: Attendee | None, invitee: Invitee, address: str) -> Attendee:
    mailbox = directory.find(address)
    name = invitee.name or (old.name if old else "") or (mailbox.name if mailbox else "")
    # A room answers for itself: nobody can preset its answer, only take it back.
    preset = invitee.answer if not isinstance(mailbox, Room) or invitee.answer == AttendeeAnswer.NONE else None
    if old is None:
        return Attendee(address, name, invitee.role, preset or AttendeeAnswer.NONE, comment=invitee.comment or "")
    answer = old.answer if preset is None else preset
    answered_ms = None if answer == AttendeeAnswer.NONE else old.answered_ms
    comment = old.comment if invitee.comment is None else invitee.comment
    return Attendee(address, name, invitee.role, answer, answered_ms, comment, old.ask)
