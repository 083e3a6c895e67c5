"""Meetings as the fold remembers them, for every test beside this file."""

from __future__ import annotations

from tests.support.remembered_meetings import a_meeting, a_room, keys

__all__ = ["a_meeting", "a_room", "keys"]
