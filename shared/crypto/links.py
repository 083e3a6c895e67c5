"""
Links in messages: what they are for and whom, signed under keys derived from the master keys.

A link says nothing that its bearer may not know: ids of the tenant, the person and the prompt. Nobody else can make one, and
whoever has one can do no more with it than it says. It has no date: a prompt's link is dead when the prompt is closed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from itsdangerous import BadData, URLSafeSerializer

_SALT = "roomsync/links"
_MAX_CHARS = 600
_FIELDS = 4


class LinkPurpose(StrEnum):
    """What a link is for: one of one purpose is never taken for one of another."""

    PROMPT = "prompt"
    """Leads its person, signed in, to the card of a prompt."""
    STOP = "stop"
    """Switches mails to its person off, whoever is signed in."""
    STOP_BROWSERS = "stop-browsers"
    """Switches notices in its person's browsers off, whoever is signed in."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says."""

    purpose: LinkPurpose
    tenant: str
    user: str
    prompt: str = ""


class LinkSigner:
    """Signs links and reads them back."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys`: the last one signs, all are accepted (`MasterKeys.link_keys`)."""
        # The token's signature covers its content; SHA-1, the library's default, would do, but needs explaining.
        options = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        self._serializer = URLSafeSerializer(list(keys), salt=_SALT, signer_kwargs=options)

    def sign(self, link: Link) -> str:
        """The part of a link's address that stands behind `/p/`."""
        text = self._serializer.dumps([link.purpose.value, link.tenant, link.user, link.prompt])
        return text if isinstance(text, str) else text.decode()

    def read(self, signed: str) -> Link | None:
        """What a link says; None for anything that was not signed here."""
        if len(signed) > _MAX_CHARS:
            return None
        try:
            fields = self._serializer.loads(signed)
        except BadData:
            return None
        if not isinstance(fields, list) or len(fields) != _FIELDS or not all(isinstance(each, str) for each in fields):
            return None
        purpose, tenant, user, prompt = fields
        return Link(LinkPurpose(purpose), tenant, user, prompt) if purpose in set(LinkPurpose) else None


def link_path(signed: str) -> str:
    """The path of a signed link."""
    return f"/p/{signed}"
