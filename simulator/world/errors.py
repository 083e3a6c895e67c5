"""What the world refuses; each provider side translates these into its own error bodies."""

from __future__ import annotations


class WorldError(Exception):
    """Anything the world refuses."""


class NotThereError(WorldError):
    """No such tenant, user, room, meeting, copy or occurrence (for this mailbox)."""


class TakenError(WorldError):
    """The address, name or id exists already."""


class NotOrganizerError(WorldError):
    """Only the organiser may do this."""


class InvalidError(WorldError):
    """The request makes no sense as it stands; the message says which field and why."""
