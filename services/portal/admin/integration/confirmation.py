"""A confirmation: given out with what would follow, good for one act, one session, and things as they stood."""

from __future__ import annotations

import hmac

import msgspec

from services.portal.deps import Deps
from services.portal.frame.organisations import read_organisation
from services.portal.frame.sessions import Person
from shared.domain.keys import pseudonym
from shared.errors import KeyDestroyedError


def confirmation(deps: Deps, person: Person, act: str) -> str:
    """
    The word that confirms `act` (a word of ours, with its object).

    Nothing of it is kept: it is derived from the session and the organisation's row, so that it is worth nothing in
    another session, nor once the integration has been switched by anybody.
    """
    row = msgspec.json.encode(read_organisation(deps, person.tenant)).hex()
    return pseudonym(deps.session_key, "confirm", act, person.tenant, person.session, row, _era(deps, person.tenant))


def is_confirmed(deps: Deps, person: Person, act: str, given: str) -> bool:
    """Whether `given` is the word for this act, now."""
    return given.isascii() and hmac.compare_digest(given, confirmation(deps, person, act))


def _era(deps: Deps, tenant: str) -> str:
    """Off and on again leads to the same row under other keys."""
    try:
        return deps.engine.keyring.keys(tenant).era
    except KeyDestroyedError:
        return ""
