"""What can be an e-mail address in a form of ours. Pure; whether anybody reads mail there, the provider finds out."""

from __future__ import annotations

import re

MAX_CHARS = 254
_SHAPE = re.compile(r"[^\s@<>\"(),;:]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,20}")


def is_address(text: str) -> bool:
    """Whether `text` is one address, without a name around it. An apostrophe is a letter like any other (`o'brien@…`)."""
    return len(text) <= MAX_CHARS and text.isprintable() and _SHAPE.fullmatch(text) is not None
