"""Requests that tests of the simulator get wrong on purpose, to see them refused."""

from __future__ import annotations

import re

from tests.support.conformance.recorded import Recorded

DELIBERATE: tuple[tuple[int, str, str], ...] = (
    (401, r"^GET /microsoft/graph/v1\.0$", "the doctor asks whether anybody answers there, whatever it is"),
    (404, r"^GET /(microsoft/graph/v1\.0|google/calendar/v3)$", "the same, where the simulator has no such page"),
    (401, r"^(POST|PATCH|PUT) [^ ?]+$", "each route is called once without a token and without a body"),
    (
        400,
        r'^POST \S+/subscriptions .*"expirationDateTime":"soon"',
        "a subscription whose end cannot be read is refused",
    ),
)
"""Status that the simulator has to answer, expression of `METHOD path?query body`, and why a test sends it."""


def is_deliberate(record: Recorded) -> bool:
    """Whether a request is wrong on purpose: it stands on the list, and the simulator refused it as it should."""
    return any(record.status == status and re.search(pattern, str(record)) for status, pattern, _ in DELIBERATE)
