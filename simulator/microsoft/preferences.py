"""The `Prefer` header: any order, any number of headers, quoted or not."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import request

_PAIR = re.compile(r'([\w.\-]+)\s*=\s*(?:"([^"]*)"|([^,;\s]+))')


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a caller prefers: the page size (None: ours), the time zone of times, the format of ids."""

    page_size: int | None
    time_zone: str
    id_type: str | None


def preferences() -> Preferences:
    """Read the current request's."""
    found = {
        name.lower(): quoted or plain
        for header in request.headers.getlist("Prefer")
        for name, quoted, plain in _PAIR.findall(header)
    }
    size = found.get("odata.maxpagesize", "")
    return Preferences(
        page_size=max(1, int(size)) if size.isdigit() else None,
        time_zone=found.get("outlook.timezone") or "UTC",
        id_type=found.get("idtype"),
    )
