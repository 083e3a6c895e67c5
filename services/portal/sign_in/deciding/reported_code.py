"""What somebody copied off a provider's error page, which never leads back to us. Pure."""

from __future__ import annotations

import re

_MAX_CHARS = 2_000
_CODE = re.compile(r"AADSTS\d{5,7}|(?<![a-z])[a-z]{1,40}(?:_[a-z]{1,40}){1,8}")
_WITHOUT_A_CODE = re.compile(r"need(?:s)? admin approval|approval required", re.IGNORECASE)
"""The headings of Entra's pages for whoever may not consent: they show no code."""


def read_reported_code(text: str) -> str | None:
    """The provider's code in what somebody typed or pasted, and nothing else of it; None when there is none."""
    found = _CODE.search(text[:_MAX_CHARS])
    if found is not None:
        return found.group(0)
    return "consent_required" if _WITHOUT_A_CODE.search(text[:_MAX_CHARS]) else None
