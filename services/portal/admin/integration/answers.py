"""The parts of answers about the integration, as types: pages and JSON show the same ones."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from services.portal.admin.overview.deciding.figures import RefusedAtOnce
from services.portal.interface.fields import ChangeToken, Count, Instant, ProviderName, Reference
from services.portal.sign_in.refusals import Who
from shared.contracts.rows import IntegrationState
from shared.contracts.test_run import Stage, Step

StepState = Literal["passed", "failed", "running", "waiting", "not-tried"]
Words = Annotated[str, Meta(examples=["Read your own calendar"])]
StateWords = Annotated[str, Meta(examples=["Being tested"])]
StateAdvice = Annotated[str, Meta(examples=["Nobody can connect yet: the test has to pass first."])]
ConsentPage = Annotated[Reference, Meta(examples=["/admin/integration/consent"])]
ConsentLink = Annotated[
    Reference, Meta(examples=["https://login.test/organizations/v2.0/adminconsent?client_id=2d4e6f80-1a2b-4c3d"])
]
PermissionsPage = Annotated[Reference, Meta(examples=["/admin/integration/test/permissions"])]
TestDeparture = Annotated[Reference, Meta(examples=["/v1/admin/integration/test/depart"])]
Scope = Annotated[str, Meta(examples=["Calendars.ReadWrite"])]
Code = Annotated[str, Meta(examples=["no-push"])]
Directory = Annotated[str, Meta(examples=["8c1d4e5f-0a2b-4c3d-9e8f-7a6b5c4d3e2f"])]
InstantOrEmpty = Annotated[str, Meta(examples=["2026-11-23T09:30:00.250Z"])]


class PermissionShape(TypedDict):
    """A permission, in the provider's own words and in ours."""

    scope: Scope
    words: Words


class GivenConsent(TypedDict):
    """A consent for everybody that was seen: it decides nothing, and does not say that it still stands."""

    at: Instant
    directory: Directory
    isOwnDirectory: bool
    """Whether the directory is known to be the organisation's."""
    scopes: list[Scope]
    missing: list[Scope]
    """What connecting asks for and it leaves out."""
    roomImport: bool
    """Whether it covers the import of rooms."""


class SeenConsent(TypedDict):
    """Whether a consent for everybody was seen."""

    page: ConsentPage
    seen: GivenConsent | None


class ProviderConsent(SeenConsent):
    """How an administrator of the directory consents for everybody."""

    provider: ProviderName
    clientId: Annotated[str, Meta(examples=["2d4e6f80-1a2b-4c3d-8e9f-0a1b2c3d4e5f"])]
    """Of this deployment, as it is registered with the calendar system."""
    directory: Directory
    """Empty while it is not known."""
    permissions: list[PermissionShape]
    roomImport: PermissionShape
    link: ConsentLink
    """At the provider, for an administrator of the directory."""
    linkWithRooms: ConsentLink
    """The same with the permission to import rooms."""


class ConsentsAnswer(TypedDict):
    """Consents for everybody, where calendar systems have them."""

    days: Count
    """How long a link can be used."""
    observes: bool
    """Whether this deployment only observes."""
    providers: list[ProviderConsent]


class StepShape(TypedDict):
    """A step of a test."""

    step: Step
    words: Words
    state: StepState
    at: InstantOrEmpty
    """When it passed or failed; else empty."""
    note: Annotated[str, Meta(examples=["it accepted"])]


class TroubleShape(TypedDict):
    """What went wrong in a test, and what to do."""

    code: Code
    meaning: Annotated[str, Meta(examples=["No push arrived."])]
    who: Who
    """Whose turn it is."""
    next: Annotated[str, Meta(examples=["Check that the address can be reached from outside."])]
    providerCode: Annotated[str, Meta(examples=["AADSTS65004"])]
    """Empty where the provider named none."""
    step: Step
    stepWords: Words
    at: Instant


class TestShape(TypedDict):
    """A test of the integration."""

    id: Annotated[str, Meta(examples=["9f8e7d6c5b4a3928"])]
    provider: ProviderName
    stage: Stage
    interrupted: bool
    """Whether its process died."""
    underWay: bool
    began: Instant
    steps: list[StepShape]
    troubles: list[TroubleShape]
    leftovers: Count
    """What it made at the provider and could not remove."""


class ShownTest(TestShape):
    """The latest test, with what may be copied into a ticket."""

    diagnosis: Annotated[str, Meta(examples=["roomsync test of the integration"])]
    """Versions, codes and times; nobody's data."""
    room: Annotated[str, Meta(examples=["Riverside"])]
    """The room that was booked; empty for none."""


class ProviderShape(TypedDict):
    """A calendar system."""

    provider: ProviderName
    configured: bool
    """Whether this deployment is registered with it."""
    clientId: str
    permissions: dict[str, list[PermissionShape]]
    """What is asked for, by purpose."""
    directories: list[Directory]
    """Those that are the organisation's."""
    mayHaveSeveral: bool
    """Whether further domains can be added."""
    tenantConsent: SeenConsent | None
    """Null where the calendar system has no such page."""


class EndingShape(TypedDict):
    """Permissions that end by themselves within eight days, since the provider gave them for a time."""

    people: Count
    first: Instant
    """When the first of them ends."""


class IntegrationAnswer(TypedDict):
    """Where the integration stands."""

    state: IntegrationState
    words: StateWords
    advice: StateAdvice
    provider: ProviderName
    """The calendar system that is in use or being tested; empty for none."""
    asleepUntil: InstantOrEmpty
    """Until when consents are kept asleep after switching off; empty when none are."""
    ending: EndingShape | None
    """Null where none does, and unless the integration is enabled."""
    refusedAtOnce: RefusedAtOnce | None
    """Null while no reason is one of many, and unless the integration is enabled."""
    asleep: list[ProviderName]
    """With which calendar systems people were connected who sleep."""
    contact: Annotated[str, Meta(examples=["it@contoso.test"])]
    observes: bool
    """Whether this deployment only observes."""
    mayChange: bool
    """Whether whoever asks may switch it."""
    rooms: Count
    providers: list[ProviderShape]
    test: ShownTest | None


class IntegrationForPrograms(IntegrationAnswer, ChangeToken):
    """The same with the token that every change carries."""


class WayOn(TypedDict):
    """How a test goes on."""

    next: PermissionsPage
    """The page with the permissions."""
    depart: TestDeparture
    """For programs: a change that leads on to the provider."""


class IntegrationBegun(IntegrationAnswer, WayOn):
    """Where the integration stands after a test was begun, and how that goes on."""
