"""Google's spellings of instants: RFC 3339, dates of all-day events, and the ids of instances. Pure."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulator.google.errors import invalid

DAY_MS = 86_400_000
_INSTANCE = re.compile(r"(?P<event>[^_]+)_(?P<date>\d{8})(T(?P<time>\d{6})Z)?")


def zone_of(name: str) -> ZoneInfo:
    """An IANA time zone. Raises ApiError 400."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        invalid(f"Invalid time zone definition: {name}", "timeZone")


def read_rfc3339(text: str, location: str, zone: str | None = None) -> int:
    """Milliseconds since the epoch; an offset is mandatory unless a zone is given. Raises ApiError 400."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        invalid(f"Invalid value for: Invalid format: {text!r}", location)
    if parsed.tzinfo is None:
        if zone is None:
            invalid("Missing time zone offset.", location)
        parsed = parsed.replace(tzinfo=zone_of(zone))
    return round(parsed.timestamp() * 1000)


def utc_text(at_ms: int) -> str:
    """As in `created`, `updated` and free/busy: UTC with milliseconds."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def seconds_text(at_ms: int, zone: str = "UTC") -> str:
    """Local time with offset, to the second; UTC is written `Z`."""
    local = datetime.fromtimestamp(at_ms // 1000, ZoneInfo(zone))
    return local.isoformat().replace("+00:00", "Z")


def date_text(at_ms: int, zone: str) -> str:
    """The local date."""
    return datetime.fromtimestamp(at_ms // 1000, ZoneInfo(zone)).date().isoformat()


def event_time(at_ms: int, zone: str, *, all_day: bool, shown_in: str | None = None) -> dict[str, str]:
    """An `EventDateTime`; `shown_in` is the zone the caller asked the offset to be in."""
    if all_day:
        return {"date": date_text(at_ms, zone)}
    return {"dateTime": seconds_text(at_ms, shown_in or zone), "timeZone": zone}


def read_event_time(value: Any, name: str, default_zone: str) -> tuple[int, str | None, bool]:
    """
    Read an `EventDateTime`.

    Returns:
        Milliseconds, the time zone as sent or None, and whether it is a date without a time.

    Raises:
        ApiError: 400.
    """
    if not isinstance(value, dict) or not (value.get("dateTime") or value.get("date")):
        invalid(f"Missing {name} time.", name)
    zone = value.get("timeZone")
    if value.get("date"):
        return read_rfc3339(f"{value['date']}T00:00:00", name, zone or default_zone), zone, True
    return read_rfc3339(str(value["dateTime"]), name, zone or default_zone), zone, False


def instance_id(event_id: str, original_start_ms: int, zone: str, *, all_day: bool) -> str:
    """`<series>_YYYYMMDDTHHMMSSZ`, or `<series>_YYYYMMDD` for all-day series."""
    if all_day:
        return f"{event_id}_{date_text(original_start_ms, zone).replace('-', '')}"
    return f"{event_id}_{datetime.fromtimestamp(original_start_ms // 1000, UTC):%Y%m%dT%H%M%SZ}"


def split_instance_id(event_id: str) -> tuple[str, str] | None:
    """The series' id and the suffix of one of its instances, or None for any other id."""
    found = _INSTANCE.fullmatch(event_id)
    return (found["event"], event_id.rpartition("_")[2]) if found else None


def opaque_id(event_id: str, original_start_ms: int) -> str:
    """The id of an instance as it is not: its start cannot be read from it."""
    return f"{event_id}_r{hashlib.sha256(str(original_start_ms).encode()).hexdigest()[:12]}"


def split_opaque_id(event_id: str) -> tuple[str, str] | None:
    """The series' id and the suffix of an opaque one, or None for any other id."""
    series, _, suffix = event_id.rpartition("_r")
    return (series, suffix) if series and suffix else None
