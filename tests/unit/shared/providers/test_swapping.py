from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.sighting import RoomContact
from shared.errors import EventGoneError, RefusedError
from shared.providers.google import rooms as google_rooms
from shared.providers.microsoft import rooms as graph_rooms

Read = Callable[[str], Any]
GRAPH_DECLINED, GRAPH_ROOM = "Aquarium@contoso.example", RoomContact("boiler@contoso.example", "Boiler Room")
GOOGLE_DECLINED = "c_1889@resource.calendar.google.com"
GOOGLE_ROOM = RoomContact("c_2000@resource.calendar.google.com", "HQ-5-Attic (4)")


def test_graph_others_go_back_as_they_were_read_without_their_answers(graph: Read) -> None:
    event = graph("swap_read")
    patch = graph_rooms.swap_patch(event, GRAPH_DECLINED, GRAPH_ROOM)
    others = [{name: value for name, value in each.items() if name != "status"} for each in event["attendees"][:2]]
    assert patch["attendees"][:2] == others
    assert all("status" in each for each in event["attendees"][:2]), "the sample has nothing to leave out"
    assert patch["attendees"][2:] == [
        {"type": "resource", "emailAddress": {"address": "boiler@contoso.example", "name": "Boiler Room"}}
    ]


@pytest.mark.parametrize("kind", ["resource", "required"])
def test_other_resources_stay_as_they_were_read(graph: Read, google: Read, kind: str) -> None:
    """A projector, a car or a desk is a resource too: only the room that declined gives way."""
    projector = {
        "type": kind,
        "emailAddress": {"address": "projector@contoso.example", "name": "Projector"},
    }
    event = graph("swap_read")
    event["attendees"].append(projector | {"status": {"response": "declined", "time": "2026-11-20T09:00:00Z"}})
    event["locations"].append({"displayName": "Projector", "locationEmailAddress": "projector@contoso.example"})
    patch = graph_rooms.swap_patch(event, GRAPH_DECLINED, GRAPH_ROOM)
    assert projector in patch["attendees"]
    assert [place["displayName"] for place in patch["locations"]] == ["Boiler Room", "Projector"]

    car = {
        "email": "c_77@resource.calendar.google.com",
        "resource": True,
        "responseStatus": "declined",
        "displayName": "Car",
    }
    event = google("swap_read")
    event["attendees"].append(car)
    assert car in google_rooms.swap_patch(event, GOOGLE_DECLINED, GOOGLE_ROOM)["attendees"]


def test_graph_location_moves_with_the_room(graph: Read) -> None:
    patch = graph_rooms.swap_patch(graph("swap_read"), GRAPH_DECLINED, GRAPH_ROOM)
    assert patch["location"]["locationEmailAddress"] == "boiler@contoso.example"
    assert patch["locations"] == [patch["location"]]


def test_graph_other_places_stay(graph: Read) -> None:
    event = graph("swap_read")
    event["locations"].append({"displayName": "Canteen"})
    patch = graph_rooms.swap_patch(event, GRAPH_DECLINED, GRAPH_ROOM)
    assert [place["displayName"] for place in patch["locations"]] == ["Boiler Room", "Canteen"]
    assert "location" not in patch


@pytest.mark.parametrize("place", [{"displayName": "Aquarium"}, {"displayName": ""}, None])
def test_graph_place_known_by_name_only_or_not_at_all_is_replaced(graph: Read, place: object) -> None:
    event = {**graph("swap_read"), "location": place, "locations": []}
    patch = graph_rooms.swap_patch(event, GRAPH_DECLINED, GRAPH_ROOM)
    assert [entry["displayName"] for entry in patch["locations"]] == ["Boiler Room"]


def test_google_others_go_back_exactly_as_they_were_read(google: Read) -> None:
    event = google("swap_read")
    patch = google_rooms.swap_patch(event, GOOGLE_DECLINED, GOOGLE_ROOM)
    assert patch["attendees"][:2] == event["attendees"][:2]
    assert patch["attendees"][2] == {
        "email": "c_2000@resource.calendar.google.com",
        "displayName": "HQ-5-Attic (4)",
        "resource": True,
        "responseStatus": "needsAction",
    }


def test_google_location_changes_only_where_it_named_the_old_room(google: Read) -> None:
    event = google("swap_read")
    assert (
        google_rooms.swap_patch(event, GOOGLE_DECLINED, GOOGLE_ROOM)["location"] == "HQ-5-Attic (4), bring your badge"
    )
    event["location"] = "the usual place"
    assert "location" not in google_rooms.swap_patch(event, GOOGLE_DECLINED, GOOGLE_ROOM)


def test_a_swap_that_was_done_is_recognised(graph: Read, google: Read) -> None:
    event = graph("swap_read")
    assert not graph_rooms.is_swapped(event, GRAPH_DECLINED, GRAPH_ROOM)
    event |= graph_rooms.swap_patch(event, GRAPH_DECLINED, GRAPH_ROOM)
    assert graph_rooms.is_swapped(event, GRAPH_DECLINED, GRAPH_ROOM)
    assert graph_rooms.is_swapped(event, "", GRAPH_ROOM)
    event = google("swap_read")
    assert not google_rooms.is_swapped(event, GOOGLE_DECLINED, GOOGLE_ROOM)
    event |= google_rooms.swap_patch(event, GOOGLE_DECLINED, GOOGLE_ROOM)
    assert google_rooms.is_swapped(event, GOOGLE_DECLINED, GOOGLE_ROOM)
    assert google_rooms.is_swapped(event, "", GOOGLE_ROOM)


@pytest.mark.parametrize(
    ("change", "error"), [({"isCancelled": True}, EventGoneError), ({"isOrganizer": False}, RefusedError)]
)
def test_graph_meeting_that_is_not_ours_to_change_is_left_alone(
    graph: Read, change: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        graph_rooms.swap_patch(graph("swap_read") | change, GRAPH_DECLINED, GRAPH_ROOM)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"status": "cancelled"}, EventGoneError),
        ({"organizer": {"email": "boss@initech.example"}}, RefusedError),
        ({"attendeesOmitted": True}, RefusedError),
    ],
)
def test_google_meeting_that_is_not_ours_to_change_is_left_alone(
    google: Read, change: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        google_rooms.swap_patch(google("swap_read") | change, GOOGLE_DECLINED, GOOGLE_ROOM)


def test_guests_who_may_modify_may_swap(google: Read) -> None:
    event = google("swap_read") | {"organizer": {"email": "boss@initech.example"}, "guestsCanModify": True}
    assert google_rooms.swap_patch(event, GOOGLE_DECLINED, GOOGLE_ROOM)


@pytest.mark.parametrize("declined", ["somebody.else@contoso.example", ""])
def test_no_second_room_is_booked_when_the_declined_one_has_left(graph: Read, google: Read, declined: str) -> None:
    graph_event, google_event = graph("swap_read"), google("swap_read")
    graph_event["attendees"].append({"type": "required", "emailAddress": {"name": "no address"}})
    google_event["attendees"].append({"displayName": "no address"})
    with pytest.raises(RefusedError, match="no longer invited"):
        graph_rooms.swap_patch(graph_event, declined, GRAPH_ROOM)
    with pytest.raises(RefusedError, match="no longer invited"):
        google_rooms.swap_patch(google_event, declined, GOOGLE_ROOM)
