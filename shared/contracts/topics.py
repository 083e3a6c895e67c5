"""The one table of topics: who keys them by what, how they are kept, and which service owns which."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.instants import DAY_MS

RETENTION_MS = 5 * DAY_MS
MEETING_STATE_COMPACTION_LAG_MS = 6 * DAY_MS  # replay needs the past: longer than the five days of observations


class Cleanup(StrEnum):
    """How a topic forgets."""

    DELETE = "delete"
    COMPACT = "compact"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `retention_ms` is for DELETE; `compaction_lag_ms` keeps superseded records at least that long."""

    name: str
    key: str
    cleanup: Cleanup
    what: str
    public: bool = False
    sealed: bool = False
    """Whether its records are sealed, each for its key: see `shared.crypto.records`."""
    retention_ms: int = RETENTION_MS
    compaction_lag_ms: int = 0


NOTIFICATIONS_GRAPH = Topic(
    "notifications.graph", "mailbox", Cleanup.DELETE, "the hint as received: item, received-at, trace"
)
NOTIFICATIONS_GOOGLE = Topic(
    "notifications.google", "mailbox", Cleanup.DELETE, "the hint as received: headers, received-at, trace"
)
COMMANDS = Topic("commands", "mailbox", Cleanup.DELETE, "consent given or taken, reconcile, gap, take a room")
CALENDAR_STATE = Topic(
    "calendar-state",
    "mailbox + event",
    Cleanup.COMPACT,
    "references, snapshots in pieces, cursor, subscription, due; of who left, which meetings; sealed",
    sealed=True,
)
OBSERVATIONS = Topic(
    "observations", "meeting", Cleanup.DELETE, "everything one copy says of one meeting; sealed", sealed=True
)
REPAIRS = Topic(
    "repairs", "partition", Cleanup.DELETE, "the wish that room_status tell again what is missing; no facts"
)
DISMISSALS = Topic("dismissals", "meeting", Cleanup.DELETE, "that a person put a prompt away: pseudonyms alone")
MEETING_STATE = Topic(
    "meeting-state",
    "meeting; meeting + mailbox",
    Cleanup.COMPACT,
    "what was witnessed and published of each date and room, and each copy; an organisation's counts of a day; sealed",
    sealed=True,
    compaction_lag_ms=MEETING_STATE_COMPACTION_LAG_MS,
)
ROOM_STATUS = Topic(
    "room-status", "occurrence + room", Cleanup.COMPACT, "the state of each room of each occurrence", public=True
)
ROOM_REJECTIONS = Topic("room-rejections", "meeting", Cleanup.DELETE, "decline events, CloudEvents JSON", public=True)
ROOM_OUTCOMES = Topic(
    "room-outcomes",
    "meeting",
    Cleanup.DELETE,
    "how declines ended, at most one event each, CloudEvents JSON",
    public=True,
)
PERSON_PROMPTS = Topic(
    "person-prompts", "mailbox", Cleanup.DELETE, "a prompt and the person who is to be told of it; sealed", sealed=True
)
ORGANISATION_DECLINES = Topic(
    "organisation-declines",
    "tenant + prompt, in the tenant's partition",
    Cleanup.DELETE,
    "a decline again, for whoever counts those of its organisation; sealed",
    sealed=True,
)
NOTIFICATION_STATE = Topic(
    "notification-state",
    "mailbox + prompt; prompt; tenant",
    Cleanup.COMPACT,
    "what each person was told of each prompt by each channel, and what is still to be told; many declines at once; sealed",
    sealed=True,
)
WEBHOOK_REQUESTS = Topic(
    "webhook-requests",
    "tenant + endpoint",
    Cleanup.DELETE,
    "what an administrator wants of an endpoint's deliveries: ids of ours alone",
)
WEBHOOK_STATE = Topic(
    "webhook-state",
    "tenant + endpoint",
    Cleanup.COMPACT,
    "which events are still to be sent to an organisation's endpoint; sealed",
    sealed=True,
)
ERASURES = Topic(
    "erasures",
    "tenant + destroyed key",
    Cleanup.COMPACT,
    "which key was destroyed, and when: re-applied by every restore",
)
DEAD_LETTERS = Topic(
    "dead-letters", "as the source", Cleanup.DELETE, "the record that could not be handled: bytes, where from, why"
)

TOPICS = (
    NOTIFICATIONS_GRAPH,
    NOTIFICATIONS_GOOGLE,
    COMMANDS,
    CALENDAR_STATE,
    OBSERVATIONS,
    REPAIRS,
    DISMISSALS,
    MEETING_STATE,
    ROOM_STATUS,
    ROOM_REJECTIONS,
    ROOM_OUTCOMES,
    PERSON_PROMPTS,
    ORGANISATION_DECLINES,
    NOTIFICATION_STATE,
    WEBHOOK_REQUESTS,
    WEBHOOK_STATE,
    ERASURES,
    DEAD_LETTERS,
)
BY_NAME = {topic.name: topic for topic in TOPICS}

POSITION_KEY = b"position"
"""The record of a state topic that says where input resumes and where the outputs ended (design §4)."""


@dataclass(frozen=True, slots=True)
class Station:
    """
    A stateful service's place in the flow: what it reads, what it keeps, what it decides.

    Inputs are read committed: what a producer that died had not committed is not there (ADR 11).
    """

    service: str
    inputs: tuple[str, ...]
    state: str
    outputs: tuple[str, ...]


SYNC_WORKER = Station(
    service="sync-worker",
    inputs=(NOTIFICATIONS_GRAPH.name, NOTIFICATIONS_GOOGLE.name, COMMANDS.name),
    state=CALENDAR_STATE.name,
    outputs=(OBSERVATIONS.name,),
)
ROOM_STATUS_STATION = Station(
    service="room-status",
    inputs=(OBSERVATIONS.name, REPAIRS.name, DISMISSALS.name),
    state=MEETING_STATE.name,
    outputs=(ROOM_REJECTIONS.name, ROOM_OUTCOMES.name, ROOM_STATUS.name),
)
NOTIFIER = Station(
    service="notifier",
    inputs=(ROOM_REJECTIONS.name, PERSON_PROMPTS.name, ORGANISATION_DECLINES.name),
    state=NOTIFICATION_STATE.name,
    outputs=(PERSON_PROMPTS.name, ORGANISATION_DECLINES.name),
)
"""
Its outputs are its own inputs: declines come by meeting, and what one person is told has to be decided in one place, as has
whether an organisation's are too many.
"""
WEBHOOKS = Station(
    service="webhooks",
    inputs=(ROOM_REJECTIONS.name, ROOM_OUTCOMES.name, WEBHOOK_REQUESTS.name),
    state=WEBHOOK_STATE.name,
    outputs=(),
)
"""Runs in the notifier's process, with claims of its own: who has no mail server may have webhooks, and the other way round."""
