"""What can be an e-mail address. Pure; whether anybody reads mail there, the provider or the mail server finds out."""

from __future__ import annotations

import re

MAX_CHARS = 254
_SHAPE = re.compile(r"[^\s@<>\"(),;:]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,20}")


def is_address(text: str) -> bool:
    """
    Whether `text` is one address, without a name around it. An apostrophe is a letter like any other (`o'brien@…`).

    What would be read as an encoded word in a header (`=?…?=`, RFC 2047 §2) is none.
    """
    plain = len(text) <= MAX_CHARS and text.isprintable() and "=?" not in text
    return plain and _SHAPE.fullmatch(text) is not None
