"""The parts of answers about rooms, prompts, choices and takes, as types: pages, JSON and the stream show the same ones. Pure."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from services.portal.interface.fields import (
    Count,
    Instant,
    MeetingRef,
    OccurrenceRef,
    PromptId,
    ProviderName,
    Reference,
    RoomId,
    TakeId,
)
from services.portal.meetings.deciding.choices import Doubt, NoChoice
from services.portal.meetings.deciding.room_filter import Condition
from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import TakeState
from shared.meetings.prompts import Closing

Name = Annotated[str, Meta(examples=["Riverside"])]
Words = Annotated[str, Meta(examples=["Declined"], description="What a person is told of it.")]


class LiveShape(TypedDict):
    """What was read from the person's own calendar for this answer, and is kept nowhere."""

    title: Annotated[str, Meta(examples=["Project review"])] | None
    """Null when it could not be read in time, or is hidden."""
    link: Annotated[str, Meta(examples=["https://calendar.test/event/1"])] | None
    """The event in the person's calendar system."""
    read: bool
    """Whether the event was read; otherwise the times are those last seen."""
    start: Instant
    end: Instant


class ForecastShape(TypedDict):
    """When a pending room can be expected to answer, by its answers of the last month or two."""

    usual: Annotated[str, Meta(examples=["5 s"])]
    """Nine of ten of its answers came within this time."""
    usualSeconds: Count
    silentSeconds: Count
    """For how long it has been asked, when this was read."""
    unusual: bool
    """Whether it has been silent for more than twice as long as is usual."""


class RoomShape(LiveShape):
    """One room of one date of a meeting."""

    id: Annotated[str, Meta(examples=["l-3k5m7o2q4s6u7w3y5a2c"])]
    """Of this line: the same date and room have the same one."""
    series: Annotated[str, Meta(examples=["s-4s6u7w3y5a2c3k5m7o2q"])]
    """What all dates of the meeting share for this room."""
    meetingRef: MeetingRef
    occurrenceRef: OccurrenceRef
    roomId: RoomId
    roomName: Name | None
    """Null when nobody has told us a name."""
    state: RoomState
    quiet: bool
    """Whether it was declined before anything was watched, so that nothing is announced."""
    words: Words
    canChange: bool
    """Whether this person may choose another room."""
    since: Instant
    """Since when it stands so."""
    organizer: bool
    """Whether the person organises the meeting."""
    provider: ProviderName
    forecast: ForecastShape | None
    """Null for a room that is not pending, and where too few of its answers are known."""


class SeriesShape(TypedDict):
    """How the room stands on the dates of the meeting that are still to come."""

    id: Annotated[str, Meta(examples=["s-4s6u7w3y5a2c3k5m7o2q"])]
    """Prompts with the same one can be answered together: see `also`."""
    dates: NotRequired[Count]
    accepted: NotRequired[Count]
    pending: NotRequired[Count]
    words: NotRequired[Words]


class PromptLinks(TypedDict):
    """What can be done about a prompt."""

    choices: Reference
    take: Reference
    dismiss: Reference


class TakeShape(TypedDict):
    """How far a request to take a room has come."""

    takeId: TakeId
    promptId: PromptId
    roomId: RoomId
    roomName: Name
    state: TakeState
    reason: Annotated[str, Meta(examples=["room-not-free"])] | None
    """Why it came to nothing."""
    why: Annotated[str, Meta(examples=["The meeting is no longer there."])] | None
    """The same as a sentence in the language of whoever asks."""
    words: Words


class PromptShape(LiveShape):
    """A room that declined, and what can be done about it."""

    id: PromptId
    meetingRef: MeetingRef
    occurrenceRef: OccurrenceRef
    roomId: RoomId
    roomName: Name | None
    """Null when nobody has told us a name."""
    open: bool
    """Whether something is to be done."""
    closed: Closing | None
    """Why nothing is to be done any more; null while it is open, or waits for the calendar system to find a room by itself."""
    words: Words
    people: Count
    """How many seats are needed."""
    folded: NotRequired[bool]
    """Set where so many are open that pages show this one only when asked."""
    declinedAt: Instant
    series: SeriesShape
    provider: ProviderName
    take: TakeShape | None
    """What was last asked for instead."""
    links: PromptLinks


class ChoiceShape(TypedDict):
    """A room that was free when asked."""

    roomId: RoomId
    name: Name
    capacity: Count | None
    """Null when it is not known."""
    building: Name | None
    floor: Annotated[str, Meta(examples=["4"])] | None
    equipment: list[Annotated[str, Meta(examples=["Screen"])]]
    accessible: bool | None
    """Whether it can be used with a wheelchair; null where nobody said."""
    section: Annotated[str, Meta(examples=["East wing"])] | None
    """The part of the floor."""
    description: Annotated[str, Meta(examples=["Knock before you enter."])] | None
    """What the directory shows everybody of it."""
    doubt: Doubt | None
    """Why it is likely to say no, or nothing; such rooms come last."""
    reasons: list[Annotated[str, Meta(examples=["same floor"])]]
    """What speaks for it, after what speaks against it."""
    label: Annotated[str, Meta(examples=["free now, not confirmed"])]


class FreeTimeShape(TypedDict):
    """A time at which the person and a room are free."""

    start: Instant
    end: Instant
    roomId: RoomId
    name: Name
    reasons: list[Annotated[str, Meta(examples=["same floor"])]]
    """What speaks for the room, after what speaks against it."""


class MailsShape(TypedDict):
    """What the calendar system sends when a room is taken: each change of a meeting is mailed to everybody invited."""

    guests: Count
    each: Count
    """How many mails each of them gets."""
    words: Annotated[str, Meta(examples=["Each of the 5 guests gets 1 mail."])]


class FilterShape(TypedDict):
    """What was asked of the rooms beside their being free, as it was understood."""

    building: str
    floor: str
    seats: Count
    equipment: list[str]
    accessible: bool


class OptionsShape(TypedDict):
    """What filters can be set to: what the rooms to choose from have, 200 of each at the most."""

    buildings: list[Annotated[str, Meta(examples=["North"])]]
    floors: list[Annotated[str, Meta(examples=["4"])]]
    """Of the building that is asked for, if one is."""
    equipment: list[Annotated[str, Meta(examples=["Screen"])]]
    accessible: bool
    """Whether a wheelchair is known to get into any of them."""


class WideningShape(TypedDict):
    """Asking less, and what it would show."""

    without: list[Condition]
    """The filters to leave out."""
    rooms: Count
    """How many rooms are free then, among the twenty nearest."""
    query: Annotated[str, Meta(examples=["building=North&equipment=Screen"])]
    """The filters that are left, as parameters of an address."""
    words: Annotated[str, Meta(examples=["Without “Floor”, 2 rooms are free."])]


class FreeRoomsAnswer(TypedDict):
    """Rooms that are free at a time, best first."""

    people: Count
    """How many seats are needed."""
    label: Annotated[str, Meta(examples=["free now, not confirmed"])]
    choices: list[ChoiceShape]
    filter: FilterShape
    options: OptionsShape
    empty: NoChoice | None
    """Why there is nothing to choose from."""
    words: Words | None
    wider: list[WideningShape]
    """Where no room is free that is as the filters ask: what there is if less is asked."""
    times: NotRequired[list[FreeTimeShape]]
    """
    Where no room is free on the one date: up to three times near it at which one is, and the person has nothing else, in office
    hours of the next working days. Whether guests are free is not asked. A meeting that stands is moved in its calendar, not from
    here.
    """


class ChoicesAnswer(FreeRoomsAnswer):
    """What could be taken instead, nearest first."""

    promptId: PromptId
    mails: MailsShape
    wholeSeries: bool
    """The room refused the whole series: a take that sends `wholeSeries` changes it once, all its dates at the same time."""


class RoomsAnswer(TypedDict):
    """The rooms of every date to come."""

    rooms: list[RoomShape]
    rebuilding: bool
    """Whether what is known is being restored, so that lines may be missing."""


class ManyShape(TypedDict):
    """Many rooms of the organisation said no at once."""

    since: Instant
    declines: Count
    words: Words


class PromptsAnswer(TypedDict):
    """The open prompts, and if asked for, the closed ones after them."""

    prompts: list[PromptShape]
    rebuilding: bool
    """Whether what is known is being restored, so that prompts may be missing."""
    manyAtOnce: NotRequired[ManyShape]
    """While that lasts: its administrators know, and it may be put right."""


class TakenShape(TakeShape):
    """A request that was taken on, and where to see how it goes on."""

    href: Reference


class TakenAnswer(TakenShape):
    """The request for this prompt, and those for the other dates."""

    also: list[TakenShape]


class DismissedAnswer(PromptShape):
    """The prompt that was put away, and those of the other dates."""

    also: list[PromptShape]
