"""The parameters of `events.list`, `instances` and `watch`: read, checked, and frozen into what a token is bound to."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from simulator.google.errors import invalid
from simulator.google.times import read_rfc3339, zone_of

DEFAULT_PAGE = 250
LARGEST_PAGE = 2500
FORBIDDEN_WITH_TOKEN = (
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
)
_WITHOUT_TOKEN_AFTER = ("orderBy", "q", "iCalUID", "privateExtendedProperty", "sharedExtendedProperty", "updatedMin")
_BOUND = ("singleEvents", "maxResults", "eventTypes", "maxAttendees", "timeZone", "showHiddenInvitations")
_EVENT_TYPES = {"birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation"}
_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """From `timeMin`, which what is listed must end after, to `timeMax`, which it must begin before; None: not bound."""

    start_ms: int | None
    end_ms: int | None

    def touches(self, start_ms: int, end_ms: int) -> bool:
        """Whether something from `start_ms` to `end_ms` is listed."""
        if self.start_ms is not None and end_ms <= self.start_ms:
            return False
        return self.end_ms is None or start_ms < self.end_ms


@dataclass(frozen=True, slots=True)
class Query:
    """One list call. `parameters` is what a sync token is bound to, `page_parameters` what a page token is."""

    single_events: bool
    show_deleted: bool | None
    time_min_ms: int | None
    time_max_ms: int | None
    updated_min_ms: int | None
    page_size: int
    sync_token: str
    page_token: str
    order_by: str
    text: str
    ical_uid: str
    event_types: frozenset[str]
    properties: tuple[tuple[str, str, str], ...]
    max_attendees: int | None
    zone: str | None
    gives_sync_token: bool
    parameters: str
    page_parameters: str


def read(args: MultiDict[str, str]) -> Query:
    """Raises ApiError 400 for anything malformed, contradictory or forbidden together with a sync token."""
    if args.get("syncToken"):
        for name in FORBIDDEN_WITH_TOKEN:
            if name in args:
                invalid(f"Sync token cannot be used together with {name}.", name)
        if flag(args, "showDeleted") is False:
            invalid("Sync token cannot be used together with showDeleted=false.", "showDeleted")
    single, order_by = bool(flag(args, "singleEvents")), args.get("orderBy", "")
    if order_by not in {"", "startTime", "updated"}:
        invalid(f"Invalid value for: {order_by}", "orderBy")
    if order_by == "startTime" and not single:
        invalid("The requested ordering is not available for the particular query.", "orderBy")
    times = read_times(args)
    types = frozenset(args.getlist("eventTypes"))
    if types - _EVENT_TYPES:
        invalid(f"Invalid value for: {', '.join(sorted(types - _EVENT_TYPES))}", "eventTypes")
    return Query(
        single_events=single,
        show_deleted=flag(args, "showDeleted"),
        time_min_ms=times.start_ms,
        time_max_ms=times.end_ms,
        updated_min_ms=instant(args, "updatedMin"),
        page_size=number(args, "maxResults", DEFAULT_PAGE, LARGEST_PAGE),
        sync_token=args.get("syncToken", ""),
        page_token=args.get("pageToken", ""),
        order_by=order_by,
        text=args.get("q", ""),
        ical_uid=args.get("iCalUID", ""),
        event_types=types,
        properties=_properties(args),
        max_attendees=number(args, "maxAttendees", 1, 10_000) if "maxAttendees" in args else None,
        zone=zone_of(args["timeZone"]).key if args.get("timeZone") else None,
        gives_sync_token=not any(name in args for name in _WITHOUT_TOKEN_AFTER),
        parameters=_freeze(args, _BOUND),
        page_parameters=_freeze(args, (*_BOUND, *FORBIDDEN_WITH_TOKEN, "syncToken", "showDeleted")),
    )


def read_times(args: MultiDict[str, str]) -> TimeSpan:
    """`timeMin` and `timeMax`. Raises ApiError 400."""
    start, end = instant(args, "timeMin"), instant(args, "timeMax")
    if start is not None and end is not None and end <= start:
        invalid("The specified time range is empty.", "timeMax")
    return TimeSpan(start, end)


def flag(args: MultiDict[str, str], name: str) -> bool | None:
    """A boolean parameter, None when absent. Raises ApiError 400."""
    if name not in args:
        return None
    if args[name].lower() not in _FLAGS:
        invalid(f"Invalid value for: {args[name]}", name)
    return _FLAGS[args[name].lower()]


def number(args: MultiDict[str, str], name: str, default: int, most: int) -> int:
    """A positive number, cut at `most`. Raises ApiError 400."""
    text = args.get(name, str(default))
    if not text.isdigit() or int(text) < 1:
        invalid(f"Invalid value for: {text}", name)
    return min(int(text), most)


def instant(args: MultiDict[str, str], name: str) -> int | None:
    """An RFC 3339 parameter with a mandatory offset. Raises ApiError 400."""
    return read_rfc3339(args[name], name) if args.get(name) else None


def _properties(args: MultiDict[str, str]) -> tuple[tuple[str, str, str], ...]:
    found = []
    for kind in ("private", "shared"):
        for text in args.getlist(f"{kind}ExtendedProperty"):
            name, separator, value = text.partition("=")
            if not separator:
                invalid(f"Invalid value for: {text}", f"{kind}ExtendedProperty")
            found.append((kind, name, value))
    return tuple(found)


def _freeze(args: MultiDict[str, str], names: tuple[str, ...]) -> str:
    return "&".join(f"{name}={','.join(sorted(args.getlist(name)))}" for name in sorted(names) if name in args)
