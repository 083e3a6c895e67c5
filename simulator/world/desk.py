"""The rooms' desk: rooms are asked and decide by their rules after a delay; all answers reach the organiser."""

from __future__ import annotations

from collections.abc import Container

from simulator.world.calendar import Calendar
from simulator.world.clock import AdjustableClock
from simulator.world.directory import Directory
from simulator.world.errors import InvalidError, NotThereError
from simulator.world.faults import Faults
from simulator.world.history import History
from simulator.world.ids import Ids
from simulator.world.judge import LARGEST_REPLACED_ROOM, Judge
from simulator.world.model import Attendee, AttendeeAnswer, Copy, Meeting, Override, Room, copy_attendees
from simulator.world.recurrence import instances
from simulator.world.rules import Verdict
from simulator.world.scheduler import Scheduler


class Desk:
    """Guarded by the world's lock."""

    def __init__(
        self,
        *,
        ids: Ids,
        clock: AdjustableClock,
        directory: Directory,
        calendar: Calendar,
        history: History,
        faults: Faults,
        scheduler: Scheduler,
    ) -> None:
        self._ids = ids
        self._clock = clock
        self._directory = directory
        self._calendar = calendar
        self._history = history
        self._faults = faults
        self._scheduler = scheduler
        self._judge = Judge(clock, directory, calendar)

    # --- asking and deciding

    def ask(self, meeting: Meeting, address: str, occurrence: int | None = None) -> None:
        """Put a request to a room: for the meeting, the whole series, or one date of it."""
        room = self._directory.room(address)
        attendee = meeting.attendees_at(occurrence)[room.address]
        attendee.ask += 1
        attendee.answer, attendee.answered_ms = AttendeeAnswer.NONE, None
        self._fact("room-asked", meeting, room=room.id, occurrence=occurrence, ask=attendee.ask)
        held = self._calendar.copy_of(room.id, meeting.id)
        if held is not None:
            held.answers[occurrence] = AttendeeAnswer.NONE
            self._calendar.touch(held, cause="asked-again", occurrence=occurrence, invited=meeting.attendees)
        verdict_now = self._judge.verdict(meeting, room, occurrence)
        if verdict_now.answer is None:
            if held is None:
                self._calendar.put_copy(room, meeting, is_organizer=False, cause="asked")
            return
        ask = attendee.ask
        self._scheduler.after(
            self._delay_ms(meeting, room, occurrence, ask, verdict_now),
            lambda: self._decide(meeting, room, occurrence, ask),
        )

    def _delay_ms(self, meeting: Meeting, room: Room, occurrence: int | None, ask: int, now: Verdict) -> int:
        if now.reason == "conflict" and self._faults.get("immediateDecline", room.provider):
            return 0
        low, high = room.rules.delay_ms or self._faults.get("roomDelayMs", room.provider)
        return self._ids.random("room-delay", room.address, meeting.id, occurrence, ask).randint(low, high)

    def _decide(self, meeting: Meeting, room: Room, occurrence: int | None, ask: int) -> None:
        attendee = meeting.attendees_at(occurrence).get(room.address)
        if meeting.cancelled or attendee is None or attendee.ask != ask or attendee.answer != AttendeeAnswer.NONE:
            return
        decided = self._judge.verdict(meeting, room, occurrence)
        if decided.answer is None:
            return
        self._settle(meeting, room, decided.answer, occurrence, decided.reason)
        for date in decided.declined_dates:
            self._settle(meeting, room, AttendeeAnswer.DECLINED, date, "conflict")

    # --- answers

    def answer(
        self,
        meeting: Meeting,
        address: str,
        answer: AttendeeAnswer,
        *,
        occurrence: int | None = None,
        comment: str = "",
        send_response: bool = True,
    ) -> None:
        """
        A person answers for themselves, or somebody decides for a room; any answer may follow any other.

        Args:
            meeting: what is answered.
            address: who answers; must be invited.
            answer: not NONE.
            occurrence: original start of one date, or None for the meeting or whole series.
            comment: reaches the organiser with the answer.
            send_response: False keeps the answer in the own copy only.

        Raises:
            NotThereError: nobody of that address is invited (to that date).
            InvalidError: the answer is NONE.
        """
        if answer == AttendeeAnswer.NONE:
            message = "an answer is accepted, declined or tentative"
            raise InvalidError(message)
        if occurrence is not None:
            self.override(meeting, occurrence)
        address = self._invited_as(address.lower(), meeting.attendees_at(occurrence))
        if address not in meeting.attendees_at(occurrence):
            message = f"{address} is not invited to {meeting.id}"
            raise NotThereError(message)
        mailbox = self._directory.find(address)
        if isinstance(mailbox, Room):
            self._settle(meeting, mailbox, answer, occurrence, "a-person-decided")
            return
        copy = self._calendar.copy_of(mailbox.id, meeting.id) if mailbox else None
        if copy is not None:
            copy.answers[occurrence] = answer
            if occurrence is None:
                copy.answers = {None: answer}
            self._calendar.touch(copy, cause="answered", occurrence=occurrence)
        if send_response:
            self._record(meeting, address, answer, occurrence, comment)
            self._fact("attendee-answered", meeting, attendee=address, occurrence=occurrence, answer=answer.value)
            self._spread(meeting, occurrence, answered_by=copy)

    def _invited_as(self, address: str, attendees: Container[str]) -> str:
        """The address by which its owner is invited, be it another of theirs."""
        mailbox = self._directory.find(address)
        return next((each for each in (address, *(mailbox.addresses if mailbox else ())) if each in attendees), address)

    def release(self, meeting: Meeting, address: str, occurrence: int | None = None, reason: str = "released") -> None:
        """The provider takes back an accepted room. Raises NotThereError."""
        room = self._directory.room(address)
        if room.address not in meeting.attendees_at(occurrence):
            message = f"{address} is not invited to {meeting.id}"
            raise NotThereError(message)
        self._fact("room-released", meeting, room=room.id, occurrence=occurrence, reason=reason)
        self._settle(meeting, room, AttendeeAnswer.DECLINED, occurrence, reason)

    def override(self, meeting: Meeting, occurrence: int) -> Override:
        """The exception of one date, made if there is none yet. Raises NotThereError."""
        for date in instances(meeting):
            if date.key == occurrence:
                made = Override(occurrence, date.start_ms, date.end_ms, copy_attendees(date.attendees))
                return meeting.overrides.setdefault(occurrence, made)
        message = f"meeting {meeting.id} has no date that starts at {occurrence}"
        raise NotThereError(message)

    def _settle(
        self, meeting: Meeting, room: Room, answer: AttendeeAnswer, occurrence: int | None, reason: str
    ) -> None:
        if occurrence is not None:
            self.override(meeting, occurrence)
        ask = self._record(meeting, room.address, answer, occurrence, "").ask
        self._fact(
            "room-answered", meeting, room=room.id, occurrence=occurrence, answer=answer.value, reason=reason, ask=ask
        )
        self._room_copy(meeting, room, answer, occurrence)
        self._spread(meeting, occurrence, answered_by=self._calendar.copy_of(room.id, meeting.id))
        if answer == AttendeeAnswer.DECLINED and self._replaces(room):
            low, high = self._faults.get("autoReplaceDelayMs", room.provider)
            dice = self._ids.random("replace", room.address, meeting.id, occurrence, ask)
            self._scheduler.after(dice.randint(low, high), lambda: self._replace(meeting, room, occurrence))

    def _record(
        self, meeting: Meeting, address: str, answer: AttendeeAnswer, occurrence: int | None, comment: str
    ) -> Attendee:
        attendee = meeting.attendees_at(occurrence)[address]
        now_ms = self._clock.now_ms()
        if self._faults.contradicts("microsoft.answer-moment"):
            now_ms = meeting.created_ms - attendee.ask * 1000
        told = [attendee]
        if occurrence is None:
            # An answer to the series answers those exceptions that were still open.
            told += [
                o.attendees[address]
                for o in meeting.overrides.values()
                if address in o.attendees and o.attendees[address].answer == AttendeeAnswer.NONE
            ]
        for one in told:
            one.answer, one.answered_ms, one.comment = answer, now_ms, comment
        return attendee

    def _room_copy(self, meeting: Meeting, room: Room, answer: AttendeeAnswer, occurrence: int | None) -> None:
        copy = self._calendar.copy_of(room.id, meeting.id)
        if answer != AttendeeAnswer.DECLINED:
            if copy is None:
                copy = self._calendar.put_copy(room, meeting, is_organizer=False, cause="accepted")
            copy.answers[occurrence] = answer
            self._calendar.touch(copy, cause="answered", occurrence=occurrence, invited=meeting.attendees)
            return
        if copy is None:
            return
        copy.answers[occurrence] = answer
        if occurrence is None or not self._calendar.dates(copy):
            self._calendar.drop_copy(copy, cause="declined")
        else:
            self._calendar.touch(copy, cause="answered", occurrence=occurrence)

    def _spread(self, meeting: Meeting, occurrence: int | None, *, answered_by: Copy | None) -> None:
        """An answer changes the organiser's copy; at Google the other guests' copies as well."""
        everyone = self._directory.mailbox(meeting.organizer_id).provider == "google"
        for copy in self._calendar.participants(meeting):
            if copy.is_organizer:
                self._calendar.touch(copy, cause="answer", occurrence=occurrence)
            elif everyone and copy is not answered_by:
                self._calendar.touch(copy, cause="answer", occurrence=occurrence, invited=meeting.attendees)

    # --- replacement by the provider itself

    def _replaces(self, room: Room) -> bool:
        if room.capacity > LARGEST_REPLACED_ROOM:
            return False
        return bool(
            self._directory.tenant(room.tenant_id).auto_replace or self._faults.get("autoReplace", room.provider)
        )

    def _replace(self, meeting: Meeting, old: Room, occurrence: int | None) -> None:
        attendee = meeting.attendees_at(occurrence).get(old.address)
        if meeting.cancelled or attendee is None or attendee.answer != AttendeeAnswer.DECLINED:
            return
        room = self._judge.replacement(meeting, old, occurrence)
        if room is not None:
            self._put_instead(meeting, old, room, occurrence)

    def _put_instead(self, meeting: Meeting, old: Room, new: Room, occurrence: int | None) -> None:
        attendees = meeting.attendees_at(occurrence)
        del attendees[old.address]
        attendees[new.address] = Attendee(new.address, new.name, "resource", ask=1)
        self._fact("room-replaced", meeting, room=new.id, occurrence=occurrence, replaces=old.id)
        self._settle(meeting, new, AttendeeAnswer.ACCEPTED, occurrence, "replacement")

    def _fact(self, kind: str, meeting: Meeting, **more: object) -> None:
        self._history.add(kind, self._clock.now_ms(), meeting.tenant_id, meeting.id, **more)  # type: ignore[arg-type]
