"""Every provider of this build: its profile, and its calendar client, each SDK imported only when it is used."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Protocol, assert_never

from shared.domain.identity import Provider
from shared.ports.calendar import CalendarProvider
from shared.providers.failures import Meaning
from shared.providers.google.profile import PROFILE as GOOGLE
from shared.providers.google.profile import GoogleSettings
from shared.providers.microsoft.profile import PROFILE as MICROSOFT
from shared.providers.microsoft.profile import MicrosoftSettings
from shared.providers.profile import Profile, Registration

PROFILES: Mapping[Provider, Profile] = {profile.provider: profile for profile in (MICROSOFT, GOOGLE)}


class ProviderSettings(MicrosoftSettings, GoogleSettings, Protocol):
    """The settings of all providers."""


class CalendarSettings(ProviderSettings, Protocol):
    """What of the settings the calendar clients need."""

    @property
    def call_timeout_s(self) -> float:
        """Seconds one request may take."""
        ...

    @property
    def may_write(self) -> bool:
        """Whether people's calendars may be written to; False: the clients refuse to."""
        ...


def profile_of(provider: str) -> Profile:
    """The provider's facts. Raises ValueError for a word that names none."""
    return PROFILES[Provider(provider)]


def registration(provider: str, settings: ProviderSettings) -> Registration:
    """Our client at `provider`. Raises ValueError for a word that names none."""
    return profile_of(provider).registration(settings)


def meaning_of(code: str) -> Meaning | None:
    """What an error code of a calendar means by itself, whichever provider publishes it; None for one that none does."""
    found = (profile.failures.find_meaning(code) for profile in PROFILES.values())
    return next((meaning for meaning in found if meaning is not None), None)


def configured_providers(settings: ProviderSettings) -> tuple[Provider, ...]:
    """The providers that this deployment is registered with: those with a client id."""
    return tuple(provider for provider in PROFILES if registration(provider, settings).client_id)


def calendar_providers(settings: CalendarSettings) -> Mapping[Provider, CalendarProvider]:
    """
    Provider → its client, made at first use and kept.

    Iterating names the configured providers (those with a client id); asking for one makes it either way. Asking imports
    the SDK: ImportError when its extra (`graph`, `google`) is not installed.
    """
    return _Catalogue(settings)


class _Catalogue(Mapping[Provider, CalendarProvider]):
    def __init__(self, settings: CalendarSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._made: dict[Provider, CalendarProvider] = {}

    def __getitem__(self, provider: Provider) -> CalendarProvider:
        with self._lock:
            if provider not in self._made:
                self._made[provider] = _make(provider, self._settings)
            return self._made[provider]

    def __contains__(self, provider: object) -> bool:
        return provider in configured_providers(self._settings)

    def __iter__(self) -> Iterator[Provider]:
        return iter(configured_providers(self._settings))

    def __len__(self) -> int:
        return len(configured_providers(self._settings))


def _make(provider: Provider, settings: CalendarSettings) -> CalendarProvider:
    match provider:
        case Provider.MICROSOFT:
            from shared.providers.microsoft.client import GraphCalendar  # noqa: PLC0415 - 0.8 s, 390 MB, if unused

            return GraphCalendar(settings.microsoft_graph_url, settings.call_timeout_s, may_write=settings.may_write)
        case Provider.GOOGLE:
            from shared.providers.google.client import GoogleCalendar  # noqa: PLC0415 - 110 MB of discovery documents

            return GoogleCalendar(
                settings.google_calendar_url,
                settings.call_timeout_s,
                settings.google_directory_url,
                may_write=settings.may_write,
            )
        case _:
            assert_never(provider)
