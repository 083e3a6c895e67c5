"""That a tenant's key was destroyed: kept for ever, so that no restore can bring back what it sealed."""

from __future__ import annotations

from enum import StrEnum

import msgspec

TYPE = "erasure"


class KeyClass(StrEnum):
    """Which of a tenant's keys."""

    DATA = "data"
    """Data and hash key, which live and die together."""
    CONSENT = "consent"


class Erasure(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One destroyed key. It is named by its era, so that a key made later for the same tenant is left alone."""

    key_class: KeyClass
    era: str
    """`shared.domain.keys.era_of` the key."""
    at_ms: int
    """When it was destroyed, epoch milliseconds."""
