"""Graph's ways of writing times, time zones, etags and ids."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulator.microsoft.errors import GraphError

NO_TIME = "0001-01-01T00:00:00Z"
"""What Outlook writes where there is no time."""

_WINDOWS_ZONES = {
    "UTC": "UTC",
    "GMT Standard Time": "Europe/London",
    "W. Europe Standard Time": "Europe/Berlin",
    "Romance Standard Time": "Europe/Paris",
    "Central Europe Standard Time": "Europe/Budapest",
    "Central European Standard Time": "Europe/Warsaw",
    "E. Europe Standard Time": "Europe/Chisinau",
    "FLE Standard Time": "Europe/Kyiv",
    "Eastern Standard Time": "America/New_York",
    "Central Standard Time": "America/Chicago",
    "Mountain Standard Time": "America/Denver",
    "Pacific Standard Time": "America/Los_Angeles",
    "India Standard Time": "Asia/Kolkata",
    "China Standard Time": "Asia/Shanghai",
    "Tokyo Standard Time": "Asia/Tokyo",
    "AUS Eastern Standard Time": "Australia/Sydney",
    "tzone://Microsoft/Utc": "UTC",
}
_FRACTION = re.compile(r"\.\d+")
_OCCURRENCE_DIGITS = 12


def zone(name: str) -> ZoneInfo:
    """An IANA or Windows zone. Raises GraphError 400."""
    try:
        return ZoneInfo(_WINDOWS_ZONES.get(name, name))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise GraphError(400, "TimeZoneNotSupportedException", f"A time zone '{name}' is not supported.") from error


def instant(ms: int) -> str:
    """A UTC instant with a Z, as in lastModifiedDateTime."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def date_time(ms: int, zone_name: str) -> dict[str, str]:
    """A dateTimeTimeZone: seven fraction digits, no offset, the zone beside it."""
    local = datetime.fromtimestamp(ms / 1000, zone(zone_name))
    return {"dateTime": local.strftime("%Y-%m-%dT%H:%M:%S.%f0"), "timeZone": zone_name}


def parse_instant(text: str, field: str) -> int:
    """Milliseconds of an RFC 3339 text, UTC when it names no offset. Raises GraphError 400."""
    plain = _FRACTION.sub(lambda match: match.group()[:7], text.strip().replace("Z", "+00:00"))
    # An unescaped plus sign in a query string arrives as a space.
    plain = re.sub(r" (\d\d:\d\d)$", r"+\1", plain)
    try:
        parsed = datetime.fromisoformat(plain)
    except ValueError as error:
        raise GraphError(400, "ErrorInvalidParameter", f"{field}: '{text}' is not a date and time.") from error
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000)


def parse_date_time(value: object, field: str) -> tuple[int, str]:
    """Milliseconds and IANA zone of a dateTimeTimeZone. Raises GraphError 400."""
    if not isinstance(value, dict) or not isinstance(value.get("dateTime"), str):
        raise GraphError(400, "ErrorPropertyValidationFailure", f"{field} needs dateTime and timeZone.")
    named = zone(str(value.get("timeZone") or "UTC"))
    text = _FRACTION.sub(lambda match: match.group()[:7], value["dateTime"].replace("Z", "+00:00"))
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise GraphError(400, "ErrorPropertyValidationFailure", f"{field}: not a date and time.") from error
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=named)
    return int(aware.timestamp() * 1000), named.key


def change_key(event_id: str, version: int) -> str:
    """An opaque version of one copy."""
    return f"{event_id[-14:-2]}{version:08d}=="


def etag(event_id: str, version: int) -> str:
    """The weak etag that goes with the change key."""
    return f'W/"{change_key(event_id, version)}"'


def occurrence_id(event_id: str, original_start_ms: int) -> str:
    """The id of one date of a series: opaque to others, and reversible for us."""
    return f"{event_id[:-1]}B{original_start_ms:0{_OCCURRENCE_DIGITS}x}="


def split_id(event_id: str, master_length: int) -> tuple[str, int | None]:
    """The master's id and the original start that an id names (None: the master or a single meeting)."""
    if len(event_id) != master_length + _OCCURRENCE_DIGITS + 1:
        return event_id, None
    try:
        return event_id[: master_length - 1] + "=", int(event_id[master_length:-1], 16)
    except ValueError:
        return event_id, None
