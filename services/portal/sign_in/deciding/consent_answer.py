"""
What an administrator's browser brings back from the page on which they consent for a whole directory. Pure.

https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

_MAX_CHARS = 4_000
_MAX_SCOPES = 50
_DIRECTORY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SCOPE = re.compile(r"[A-Za-z][A-Za-z0-9._]{0,99}")


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """What an answer says. Nothing of it is signed by the provider."""

    granted: bool
    directory: str = ""
    """The directory that the consent is for, in lower case; "" where the answer names none."""
    scopes: tuple[str, ...] = ()
    """The permissions, without what stands before their names; none where the answer names none."""
    error: str = ""
    description: str = ""
    subcode: str = ""


def read_answer(answer: Mapping[str, str]) -> ConsentAnswer:
    """
    Read the parameters of an answer.

    An error is looked for first: Microsoft sends `admin_consent=True` beside it as well
    (github.com/MicrosoftDocs/azure-docs/issues/114009).

    Args:
        answer: The parameters of the address, single values.

    Returns:
        `granted` False with an error, or without one where the answer is none that we know.
    """
    directory = answer.get("tenant", "").lower()
    named = directory if _DIRECTORY.fullmatch(directory) else ""
    error = answer.get("error", "")[:_MAX_CHARS]
    if error:
        description, subcode = answer.get("error_description", ""), answer.get("error_subcode", "")
        return ConsentAnswer(False, named, (), error, description[:_MAX_CHARS], subcode[:_MAX_CHARS])
    granted = bool(named) and answer.get("admin_consent", "").lower() == "true"
    return ConsentAnswer(granted, named, read_scopes(answer.get("scope", "")) if granted else ())


def read_scopes(text: str) -> tuple[str, ...]:
    """The permissions in a `scope` parameter, without what stands before their names; what is no name is left out."""
    names = (name.rpartition("/")[2] for name in text[:_MAX_CHARS].split())
    return tuple(sorted({name for name in names if _SCOPE.fullmatch(name)})[:_MAX_SCOPES])


def missing(asked: Collection[str], granted: Collection[str]) -> tuple[str, ...]:
    """Which of the permissions that are `asked` a consent to `granted` leaves out; a right to write includes the one to read."""
    given = {name.lower() for name in granted}
    return tuple(
        name
        for name in (each.rpartition("/")[2] for each in asked)
        if not given & {name.lower(), name.lower().replace(".read", ".readwrite", 1)}
    )
