"""What Google Calendar answers with, as msgspec structs: an allow-list, since a field not named here is never read."""

from __future__ import annotations

from typing import Any

import msgspec


class _GoogleObject(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Lenient: unknown fields are ignored, `null` and absent are alike."""


class GoogleOrganizer(_GoogleObject, frozen=True, kw_only=True):
    """The organiser."""

    email: str | None = None
    display_name: str | None = None
    self_: bool | None = msgspec.field(default=None, name="self")


class GoogleAttendee(_GoogleObject, frozen=True, kw_only=True):
    """An invited person, or a place."""

    email: str | None = None
    display_name: str | None = None
    resource: bool | None = None
    self_: bool | None = msgspec.field(default=None, name="self")
    response_status: str | None = None


class When(_GoogleObject, frozen=True, kw_only=True):
    """`date` for an all-day event (the end exclusive), else `dateTime` with its offset."""

    date: str | None = None
    date_time: str | None = None
    time_zone: str | None = None


class PrivateProperties(_GoogleObject, frozen=True, kw_only=True):
    """Those private extended properties of an event that are ours."""

    roomsync: str | None = None
    roomsync_request: str | None = None


class ExtendedProperties(_GoogleObject, frozen=True, kw_only=True):
    """Extended properties, as far as they are read."""

    private: PrivateProperties | None = None


class GoogleEvent(_GoogleObject, frozen=True, kw_only=True):
    """One item of `events.list`. A tombstone has little more than id and status."""

    id: str
    status: str | None = None
    etag: str | None = None
    sequence: int | None = None
    i_cal_uid: str | None = msgspec.field(default=None, name="iCalUID")
    recurring_event_id: str | None = None
    original_start_time: When | None = None
    recurrence: list[str] | None = None
    start: When | None = None
    end: When | None = None
    organizer: GoogleOrganizer | None = None
    attendees: list[GoogleAttendee] | None = None
    attendees_omitted: bool | None = None
    guests_can_see_other_guests: bool | None = None
    guests_can_modify: bool | None = None
    private_copy: bool | None = None
    extended_properties: ExtendedProperties | None = None


class GoogleLiveEvent(GoogleEvent, frozen=True, kw_only=True):
    """An event read for a page, with its title: content, never kept."""

    summary: str | None = None
    html_link: str | None = None
    """Opens the event in Google Calendar (Calendar API, *Events* resource)."""
    visibility: str | None = None


class Feature(_GoogleObject, frozen=True, kw_only=True):
    """Something that a resource may have."""

    name: str | None = None


class FeatureInstance(_GoogleObject, frozen=True, kw_only=True):
    """That a resource has a feature."""

    feature: Feature | None = None


class Resource(_GoogleObject, frozen=True, kw_only=True):
    """A calendar resource of the directory: mostly a room."""

    resource_id: str | None = None
    resource_email: str | None = None
    resource_name: str | None = None
    generated_resource_name: str | None = None
    resource_category: str | None = None
    capacity: int | None = None
    building_id: str | None = None
    floor_name: str | None = None
    floor_section: str | None = None
    user_visible_description: str | None = None
    feature_instances: list[FeatureInstance] = []


class ResourcePage(_GoogleObject, frozen=True, kw_only=True):
    """One page of calendar resources."""

    items: list[Resource] = []
    next_page_token: str | None = None


class EventPage(_GoogleObject, frozen=True, kw_only=True):
    """One page of `events.list`; only the last one has the sync token."""

    items: list[Any] = []
    next_page_token: str | None = None
    next_sync_token: str | None = None
    time_zone: str | None = None


class GoogleChannel(_GoogleObject, frozen=True, kw_only=True):
    """A channel as Google confirmed it."""

    id: str
    resource_id: str | None = None
    expiration: str | int | float | None = None
    """Milliseconds; a string in the schema, a number in the guide's example."""


class GoogleBusy(_GoogleObject, frozen=True, kw_only=True):
    """One busy stretch, the end exclusive."""

    start: str
    end: str


class FreeBusyCalendar(_GoogleObject, frozen=True, kw_only=True):
    """Free/busy of one address; with errors, an empty `busy` means nothing."""

    busy: list[GoogleBusy] = []
    errors: list[Any] | None = None


class FreeBusy(_GoogleObject, frozen=True, kw_only=True):
    """The answer of `freeBusy.query`."""

    calendars: dict[str, FreeBusyCalendar] = {}
