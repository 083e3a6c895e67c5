"""The calendar system that a form or a program names."""

from __future__ import annotations

from http import HTTPStatus

import msgspec

from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.interface.fields import ProviderName
from shared.domain.identity import Provider
from shared.language.deciding.sentences import say
from shared.providers.catalogue import configured_providers


class ProviderBody(msgspec.Struct):
    """Which calendar system."""

    provider: ProviderName = ""
    """One that is set up here."""


def chosen_provider(deps: Deps, name: str) -> Provider:
    """The calendar system of that name. Raises ProblemError (422) for one that is not set up here."""
    known = configured_providers(deps.settings)
    if name not in {provider.value for provider in known}:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "no-such-provider",
            say("This calendar system is not set up here."),
            next_step=say("Choose one of: {choices}.").format(
                choices=", ".join(provider.value for provider in known) or say("none is set up")
            ),
        )
    return Provider(name)
