"""The bytes Graph answers with, as msgspec structs: an allow-list, since a field not named here is never read."""

from __future__ import annotations

import msgspec


class _GraphObject(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Lenient: unknown fields are ignored, `null` and absent are alike unless said otherwise."""


class EmailAddress(_GraphObject, frozen=True, kw_only=True):
    """A name with an address; either may be missing."""

    address: str | None = None
    name: str | None = None


class Recipient(_GraphObject, frozen=True, kw_only=True):
    """The organiser."""

    email_address: EmailAddress | None = None


class ResponseStatus(_GraphObject, frozen=True, kw_only=True):
    """An attendee's answer, and when it was given; for "never" `time` holds sentinels of the years 1 and 4501."""

    response: str | None = None
    time: str | None = None


class GraphAttendee(_GraphObject, frozen=True, kw_only=True):
    """An invited person, or a place."""

    type: str | None = None
    email_address: EmailAddress | None = None
    status: ResponseStatus | None = None


class DateTimeTimeZone(_GraphObject, frozen=True, kw_only=True):
    """A wall-clock time without offset, up to seven fraction digits, and the zone it is meant in."""

    date_time: str
    time_zone: str | None = None


class GraphEvent(_GraphObject, frozen=True, kw_only=True):
    """One item of a delta round. An occurrence of a series has little more than id, type, times and master."""

    id: str
    removed: msgspec.Raw | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="@removed")
    etag: str | None = msgspec.field(default=None, name="@odata.etag")
    change_key: str | None = None
    i_cal_uid: str | None = msgspec.field(default=None, name="iCalUId")
    type: str | None = None
    series_master_id: str | None = None
    original_start: str | None = None
    original_start_time_zone: str | None = None
    is_all_day: bool | None = None
    start: DateTimeTimeZone | None = None
    end: DateTimeTimeZone | None = None
    is_cancelled: bool | None = None
    is_organizer: bool | None = None
    is_draft: bool | None = None
    organizer: Recipient | None = None
    attendees: list[GraphAttendee] | None = None
    transaction_id: str | None = None


class GraphLiveEvent(GraphEvent, frozen=True, kw_only=True):
    """An event read for a page, with its title: content, never kept."""

    subject: str | None = None
    web_link: str | None = None
    """Opens the event in Outlook on the web (learn.microsoft.com, *event resource type*)."""


class AgendaEvent(GraphLiveEvent, frozen=True, kw_only=True):
    """One date of a calendar view, for a page: content, never kept."""

    sensitivity: str | None = None
    response_status: ResponseStatus | None = None
    """The viewing person's own answer."""


class AgendaPage(_GraphObject, frozen=True, kw_only=True):
    """One page of a calendar view."""

    value: list[AgendaEvent]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class GraphPlace(_GraphObject, frozen=True, kw_only=True):
    """A meeting room of the directory."""

    id: str | None = None
    email_address: str | None = None
    display_name: str | None = None
    capacity: int | None = None
    building: str | None = None
    floor_label: str | None = None
    floor_number: int | None = None
    audio_device_name: str | None = None
    video_device_name: str | None = None
    display_device_name: str | None = None
    tags: list[str] | None = None
    is_wheel_chair_accessible: bool | None = None


class PlacePage(_GraphObject, frozen=True, kw_only=True):
    """One page of the directory's rooms."""

    value: list[GraphPlace]


class InstancePage(_GraphObject, frozen=True, kw_only=True):
    """One page of the dates of a series."""

    value: list[GraphEvent]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class NextLink(_GraphObject, frozen=True, kw_only=True):
    """Of any page: where the next one is."""

    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class DeltaPage(_GraphObject, frozen=True, kw_only=True):
    """One page of a delta round; the last one has the delta link."""

    value: list[msgspec.Raw]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")
    delta_link: str | None = msgspec.field(default=None, name="@odata.deltaLink")


class GraphPerson(_GraphObject, frozen=True, kw_only=True):
    """The signed-in person, as far as it is asked for."""

    mail: str | None = None
    user_principal_name: str | None = None
    proxy_addresses: list[str] | None = None


class GraphSubscription(_GraphObject, frozen=True, kw_only=True):
    """A subscription as Graph confirmed it: the expiry may differ from what was asked."""

    id: str
    expiration_date_time: str
    resource: str | None = None
    notification_url: str | None = None


class SubscriptionPage(_GraphObject, frozen=True, kw_only=True):
    """This application's subscriptions for the signed-in person."""

    value: list[GraphSubscription]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class ScheduleError(_GraphObject, frozen=True, kw_only=True):
    """Why one schedule could not be read, inside a 200."""

    response_code: str | None = None


class GraphSchedule(_GraphObject, frozen=True, kw_only=True):
    """Free/busy of one address: one digit per interval."""

    schedule_id: str | None = None
    availability_view: str | None = None
    error: ScheduleError | None = None


class SchedulePage(_GraphObject, frozen=True, kw_only=True):
    """The answer of getSchedule."""

    value: list[GraphSchedule]
