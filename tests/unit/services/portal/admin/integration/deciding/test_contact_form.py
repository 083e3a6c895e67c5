"""Whom people may ask: one line, or nobody."""

from __future__ import annotations

from typing import Any

import pytest

from services.portal.admin.integration.deciding.contact_form import MAX_CHARS, read_contact
from services.portal.frame.problems import ProblemError


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({}, ""),
        ({"contact": None}, ""),
        ({"contact": "  "}, ""),
        ({"contact": " ext.  12 "}, "ext. 12"),
        ({"contact": 12}, "12"),
        ({"contact": "é" * MAX_CHARS}, "é" * MAX_CHARS),
    ],
)
def test_line_is_read(sent: dict[str, Any], read: str) -> None:
    assert read_contact(sent) == read


@pytest.mark.parametrize(
    "contact", ["x" * (MAX_CHARS + 1), "x\ny", "x\x00y", "x\u202ey", "x\ud800", ["x"], {"x": 1}, 10**16, "x" * 20_000]
)
def test_what_is_no_line_is_refused(contact: Any) -> None:
    with pytest.raises(ProblemError) as refused:
        read_contact({"contact": contact})
    assert (refused.value.status, refused.value.code) == (422, "contact")
