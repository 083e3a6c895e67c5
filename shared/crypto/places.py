"""
The mark in a sealed payload that says under which key the record was written.

It is the payload's last field, inside the seal: nobody without the tenant's key can take it out or alter it, and readers of
earlier versions pass over it as over any field that they do not know. What it does not tell is that a record is an older one of
the same key.
"""

from __future__ import annotations

import base64
import hashlib
import re

from shared.errors import MalformedRecordError

_HASH_BYTES = 12
_MARK = re.compile(rb'(,?)"~":"([A-Za-z0-9_-]{16})"\}\Z')
_LONGEST = 24
"""Bytes at the end of a payload in which the mark stands: a quote inside a text is escaped, so no text looks like one."""


def bind(plain: bytes, key: bytes) -> bytes:
    """
    Add the mark of a record's key to a payload.

    Args:
        plain: A JSON object.
        key: The record's key as its bytes stand on the topic, or as the row's key stands in the view.
    """
    separator = b"," if plain != b"{}" else b""
    return plain[:-1] + separator + b'"~":"' + _mark_of(key) + b'"}'


def unbind(plain: bytes, key: bytes, *, refuse_unbound: bool) -> bytes:
    """
    Take the mark off a payload that stands under `key`.

    Args:
        plain: A JSON object as `bind` returns it, or one of an earlier version without a mark.
        key: The key that the record was found under.
        refuse_unbound: Whether a payload without a mark is refused.

    Raises:
        MalformedRecordError: it was written under another key, or has no mark and is refused.
    """
    found = _MARK.search(plain, max(len(plain) - _LONGEST, 0))
    if found is None:
        if refuse_unbound:
            message = (
                f"the record under {_name(key)} is bound to no key, as earlier versions wrote it, and ROOMSYNC_UNBOUND_ROWS=refuse:"
                " set it to `read` until `roomsync doctor` counts no such record"
            )
            raise MalformedRecordError(message)
        return plain
    if found[2] != _mark_of(key):
        message = (
            f"the record under {_name(key)} was written under another key: somebody wrote to the log or the view beside us;"
            " `roomsync doctor` lists such records"
        )
        raise MalformedRecordError(message)
    return plain[: found.start()] + b"}"


def _mark_of(key: bytes) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(key).digest()[:_HASH_BYTES])


def _name(key: bytes) -> str:
    return ascii(key.decode(errors="replace"))
