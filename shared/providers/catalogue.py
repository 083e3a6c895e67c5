"""The calendar clients of this process, each SDK imported only when its provider is used."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Protocol

from shared.domain.identity import Provider
from shared.ports.calendar import CalendarProvider


class CalendarSettings(Protocol):
    """What of the settings the calendar clients need."""

    @property
    def microsoft_client_id(self) -> str:
        """Empty: Microsoft is not configured."""
        ...

    @property
    def google_client_id(self) -> str:
        """Empty: Google is not configured."""
        ...

    @property
    def microsoft_graph_url(self) -> str:
        """Graph's address, version included."""
        ...

    @property
    def google_calendar_url(self) -> str:
        """Calendar's address, service path included."""
        ...

    @property
    def google_directory_url(self) -> str:
        """The Directory API's root."""
        ...

    @property
    def call_timeout_s(self) -> float:
        """Seconds one request may take."""
        ...


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
        return provider in self._configured()

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._configured())

    def __len__(self) -> int:
        return len(self._configured())

    def _configured(self) -> tuple[Provider, ...]:
        ids = {
            Provider.MICROSOFT: self._settings.microsoft_client_id,
            Provider.GOOGLE: self._settings.google_client_id,
        }
        return tuple(provider for provider, client_id in ids.items() if client_id)


def _make(provider: Provider, settings: CalendarSettings) -> CalendarProvider:
    if provider == Provider.MICROSOFT:
        from shared.providers.microsoft.client import GraphCalendar  # noqa: PLC0415 - 0.8 s and 390 MB on disk, if unused

        return GraphCalendar(settings.microsoft_graph_url, settings.call_timeout_s)
    if provider == Provider.GOOGLE:
        from shared.providers.google.client import GoogleCalendar  # noqa: PLC0415 - 110 MB of discovery documents

        return GoogleCalendar(settings.google_calendar_url, settings.call_timeout_s, settings.google_directory_url)
    raise KeyError(provider)
