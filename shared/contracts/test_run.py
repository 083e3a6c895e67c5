"""One test of an integration as it is kept: how far it came, what went wrong, what it made and has not undone."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Step(StrEnum):
    """What is tried, in this order."""

    CONSENT = "consent"
    READ = "read"
    ROOM = "room"
    SUBSCRIBE = "subscribe"
    PUSH = "push"
    ANSWER = "answer"
    CLEAN_UP = "clean-up"
    ENABLE = "enable"


class Stage(StrEnum):
    """Where a run stands."""

    CHOSEN = "chosen"
    """The toggle was switched; the administrator reads what will happen."""
    SENT = "sent"
    """They are at their provider."""
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"


class Trouble(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One thing that went wrong: words and numbers of ours and the provider's, nobody's data."""

    step: Step
    code: str
    at_ms: int
    provider_code: str = ""


class Made(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What a run made at the provider, written before and after each effect. At rest it is sealed."""

    tenant: str
    provider: str
    mailbox: str
    """The test's own: names the grant to undo it with, and receives its hints."""
    subject: str
    request_id: str = ""
    """Of the event, once booking it was begun."""
    event_id: str = ""
    start_ms: int = 0
    end_ms: int = 0
    room: str = ""
    room_name: str = ""
    channel_id: str = ""
    """Of the subscription, once making it was begun."""
    subscription_id: str = ""
    resource_id: str = ""
    expires_at_ms: int = 0


class TestRun(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The organisation's latest run. Table `test-runs`, id the word `run`: a new one takes its place."""

    __test__ = False

    id: str
    user: str
    """Who began it."""
    provider: str
    stage: Stage
    began_at_ms: int
    beat_at_ms: int
    """The last sign of life."""
    directory: str = ""
    """The provider's id of the organisation, once somebody of it has given the permission."""
    tester: str = ""
    """The user id of the account that gave it."""
    step: Step | None = None
    """The one under way."""
    passed: dict[str, int] = {}
    """Step → when it ended well."""
    notes: dict[str, str] = {}
    """Step → a word of ours worth showing: the room's answer."""
    room: str = ""
    """Id of the room that was chosen, to name it to administrators."""
    troubles: tuple[Trouble, ...] = ()
    made: tuple[bytes, ...] = ()
    """`Made`, sealed: this run's, and what earlier runs could not undo."""
