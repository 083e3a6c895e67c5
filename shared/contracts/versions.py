"""The newest schema version of each payload that this build reads, for those who read records of every type."""

from __future__ import annotations

from collections.abc import Mapping

from shared.contracts import attendee_snapshot, calendar_state, copy_observation, meeting_state

NEWEST: Mapping[str, int] = {
    attendee_snapshot.TYPE: attendee_snapshot.VERSION,
    calendar_state.REFERENCE_TYPE: calendar_state.REFERENCE_VERSION,
    copy_observation.TYPE: copy_observation.VERSION,
    meeting_state.MEETING_TYPE: meeting_state.VERSION,
    meeting_state.COPY_TYPE: meeting_state.VERSION,
    meeting_state.ENDED_COPY_TYPE: meeting_state.VERSION,
}
"""Types that are not in it have one version."""


def newest_version(payload_type: str) -> int:
    """The newest schema version of payloads of that type."""
    return NEWEST.get(payload_type, 1)
