"""The trials of each provider, and its service as they call it; imported when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from shared.domain.identity import Provider
from shared.domain.sighting import Access
from shared.providers.catalogue import CalendarSettings
from shared.providers.trials.service import Service
from shared.providers.trials.trial import BeliefTrial
from shared.providers.write_guard import HarmlessRequest, WriteGuard

_PREFER = {"Prefer": 'IdType="ImmutableId", outlook.timezone="UTC"'}
"""As the product's own client asks."""


def trials_of(provider: Provider) -> Sequence[BeliefTrial]:
    """Return the trials of a provider, in the order of its beliefs."""
    match provider:
        case Provider.MICROSOFT:
            from shared.providers.microsoft.trials import TRIALS as MICROSOFT  # noqa: PLC0415 - of one provider at a time

            return MICROSOFT
        case Provider.GOOGLE:
            from shared.providers.google.trials import TRIALS as GOOGLE  # noqa: PLC0415 - of one provider at a time

            return GOOGLE
        case _:
            assert_never(provider)


def service_of(provider: Provider, access: Access, settings: CalendarSettings) -> Service:
    """Return the provider's calendar service as one person. It refuses what the deployment may not write."""
    harmless: Sequence[HarmlessRequest]
    match provider:
        case Provider.MICROSOFT:
            from shared.providers.microsoft.transport import HARMLESS as HARMLESS_GRAPH  # noqa: PLC0415 - the SDK

            base_url, harmless, headers = settings.microsoft_graph_url, HARMLESS_GRAPH, _PREFER
        case Provider.GOOGLE:
            from shared.providers.google.transport import HARMLESS as HARMLESS_GOOGLE  # noqa: PLC0415 - the SDK

            base_url, harmless, headers = settings.google_calendar_url, HARMLESS_GOOGLE, {}
        case _:
            assert_never(provider)
    guard = WriteGuard(base_url.rstrip("/"), harmless, settings.may_write)
    return Service(access, guard, settings.call_timeout_s, headers)
