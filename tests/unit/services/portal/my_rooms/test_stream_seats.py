"""Live streams have places: a person over their share loses their oldest, and a few people never hold them all."""

from __future__ import annotations

from services.portal.my_rooms.stream_seats import Seat, Seats


def seated(seats: Seats, user: str) -> Seat:
    seat = seats.take(user)
    assert seat is not None
    return seat


def test_a_person_over_their_share_loses_the_oldest_and_only_one_at_a_time() -> None:
    seats = Seats(10, per_person=2)
    first, second = seated(seats, "ada"), seated(seats, "ada")
    third = seated(seats, "ada")
    assert [each.replaced for each in (first, second, third)] == [True, False, False]
    assert [each.called.is_set() for each in (first, second, third)] == [True, False, False]
    assert seats.take("ada") is None  # the first still holds its thread
    seats.release(first)
    assert seats.take("ada") is not None
    assert second.replaced


def test_three_people_do_not_hold_all_places() -> None:
    seats = Seats(12, per_person=4)
    held = {user: [seated(seats, user) for _ in range(4)] for user in ("ada", "ben", "cleo")}
    newcomers = [seats.take(f"u{n}") for n in range(3)]
    assert None not in newcomers
    assert [sum(seat.replaced for seat in each) for each in held.values()] == [1, 1, 1]
    assert all(each[0].replaced for each in held.values())


def test_nobody_loses_their_only_stream_to_a_newcomer() -> None:
    seats = Seats(2, per_person=4)
    only = seated(seats, "ada"), seated(seats, "ben")
    assert seats.take("cleo") is None
    assert not any(seat.replaced for seat in only)
    seats.release(only[0])
    seats.release(only[0])
    assert seats.take("cleo") is not None
    assert seats.take("ada") is None
