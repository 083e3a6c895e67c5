"""Who is looked at next: people, pushes, appointments, and nobody is starved."""

from __future__ import annotations

from services.sync_worker.deciding.schedule import OLDEST_EVERY, Priority, Schedule
from shared.domain.identity import Mailbox


def box(number: int) -> Mailbox:
    return Mailbox("t", f"m-{number}")


def test_a_person_goes_before_a_push_and_a_push_before_an_appointment() -> None:
    schedule = Schedule()
    for number, priority in enumerate((Priority.APPOINTMENT, Priority.PUSH, Priority.PERSON)):
        schedule.make_ready(box(number), priority, number)
    assert [schedule.take() for _ in range(4)] == [box(2), box(1), box(0), None]


def test_a_flood_of_pushes_starves_no_appointment() -> None:
    schedule = Schedule()
    schedule.make_ready(box(0), Priority.APPOINTMENT, 0)
    taken = []
    for number in range(1, 20):
        schedule.make_ready(box(number), Priority.PUSH, number)
        schedule.make_ready(box(100 + number), Priority.PUSH, number)
        taken.append(schedule.take())
    assert taken.index(box(0)) == OLDEST_EVERY - 1


def test_a_push_moves_a_waiting_appointment_up() -> None:
    schedule = Schedule()
    schedule.appoint(box(0), 5)
    schedule.appoint(box(1), 6)
    schedule.release(10)
    schedule.make_ready(box(1), Priority.PUSH, 10)
    assert [schedule.take(), schedule.take(), schedule.take()] == [box(1), box(0), None]


def test_only_the_last_appointment_counts() -> None:
    schedule = Schedule()
    for at_ms in (5, 50, 7):
        schedule.appoint(box(0), at_ms)
    schedule.release(6)
    assert schedule.take() is None
    schedule.release(7)
    assert schedule.take() == box(0)
    schedule.release(100)
    assert schedule.take() is None


def test_classes_that_are_not_allowed_wait() -> None:
    schedule = Schedule()
    schedule.make_ready(box(0), Priority.APPOINTMENT, 0)
    assert schedule.take((Priority.PERSON, Priority.PUSH)) is None
    assert schedule.take() == box(0)


def test_a_mailbox_that_is_forgotten_is_not_taken() -> None:
    schedule = Schedule()
    schedule.make_ready(box(0), Priority.PUSH, 0)
    schedule.appoint(box(0), 1)
    schedule.forget(box(0))
    schedule.release(2)
    assert schedule.take() is None
