"""The integration as an administrator sees it: its state, both calendar systems, the latest test, the permissions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from services.portal.admin.integration.answers import (
    EndingShape,
    IntegrationAnswer,
    PermissionShape,
    ProviderShape,
    ShownTest,
)
from services.portal.admin.integration.consent import read_seen
from services.portal.admin.integration.domains import may_have_several
from services.portal.admin.integration.testflow.authorization import test_purpose
from services.portal.admin.integration.testflow.completion import list_directories
from services.portal.admin.integration.testflow.deciding.presentation import diagnosis, run_shape
from services.portal.admin.integration.testflow.flow import TestFlow
from services.portal.admin.overview.deciding.figures import show_common_refusal
from services.portal.deps import Deps
from services.portal.frame.organisations import read_organisation
from services.portal.frame.sessions import Person
from services.portal.sign_in.attempts import Purpose
from services.portal.sign_in.openid import asked_for
from shared.contracts.rows import ConsentRow, IntegrationState
from shared.domain.identity import Provider
from shared.domain.instants import to_rfc3339
from shared.domain.roles import Right, may
from shared.grants.grant import ends_soon
from shared.grants.sleep import people
from shared.language.deciding.sentences import say
from shared.organisations.integration import is_asleep
from shared.providers import catalogue
from shared.registry import tables
from shared.runtime.refused_rows import log_refused_row
from shared.runtime.version import product_version

STATE_WORDS = {
    IntegrationState.OFF: say("Off"),
    IntegrationState.TESTING: say("Being tested"),
    IntegrationState.FAILED: say("Test failed"),
    IntegrationState.ENABLED: say("Enabled"),
    IntegrationState.DISABLED: say("Switched off"),
}
STATE_ADVICE = {
    IntegrationState.OFF: say(
        "Nobody's calendar is connected. Switch one of the calendar systems on to test it; people can connect once the "
        "test has passed."
    ),
    IntegrationState.TESTING: say("Nobody can connect yet: the test has to pass first."),
    IntegrationState.FAILED: say(
        "Nobody can connect yet: the test did not pass. What went wrong is listed with the test."
    ),
    IntegrationState.ENABLED: say(
        "People may connect their own calendars now. Nobody new is connected by this: each decides for themselves."
    ),
    IntegrationState.DISABLED: say(
        "Nobody is connected. The permissions that people gave are kept asleep for five days; switching the same calendar "
        "system on again by then brings them back."
    ),
}


def list_configured(deps: Deps) -> list[Provider]:
    """The calendar systems that this deployment is registered with."""
    return list(catalogue.configured_providers(deps.settings))


def permissions(provider: Provider, purpose: Purpose, *, writes: bool = True) -> list[PermissionShape]:
    """What is asked for, in the provider's own words and in ours: made of the list that the redirect is made of."""
    words = catalogue.profile_of(provider).scopes.words
    return [
        {"scope": scope, "words": words.get(scope.rpartition("/")[2], "")}
        for scope in asked_for(provider, purpose, writes=writes)
    ]


def overview(deps: Deps, flow: TestFlow, person: Person) -> IntegrationAnswer:
    """Everything about the integration, for the page and for programs alike."""
    flow.settle(person.tenant)
    row = read_organisation(deps, person.tenant)
    state = row.integration
    directories = list_directories(deps, person.tenant)
    consents = _read_consents(deps, person.tenant) if state is IntegrationState.ENABLED else ()
    return {
        "state": state,
        "words": STATE_WORDS[state],
        "advice": STATE_ADVICE[state],
        "provider": row.provider if state is not IntegrationState.OFF else "",
        "asleepUntil": to_rfc3339(row.sleep_until_ms) if is_asleep(row, deps.clock.now_ms()) else "",
        "ending": _ending(consents, deps.clock.now_ms()),
        "refusedAtOnce": show_common_refusal(consents),
        "asleep": _asleep(deps, person.tenant) if is_asleep(row, deps.clock.now_ms()) else [],
        "contact": row.contact,
        "observes": not deps.settings.may_write,
        "mayChange": may(person.roles, Right.SWITCH_INTEGRATION),
        "rooms": sum(1 for _ in tables.rooms(deps.engine.registry).scan(person.tenant)),
        "providers": [
            _provider(deps, person.tenant, provider, directories.get(provider, frozenset())) for provider in Provider
        ],
        "test": test(deps, flow, person),
    }


def _read_consents(deps: Deps, tenant: str) -> Sequence[ConsentRow]:
    return [row for _, row in tables.consents(deps.engine.registry).scan_readable(tenant, log_refused_row)]


def _ending(consents: Iterable[ConsentRow], now_ms: int) -> EndingShape | None:
    """How many people's grants end by themselves within days, and when the first does; None where none does."""
    ends = [row.ends_at_ms for row in consents if ends_soon(row, now_ms)]
    return {"people": len(ends), "first": to_rfc3339(min(ends))} if ends else None


def _asleep(deps: Deps, tenant: str) -> list[str]:
    """With which calendar system people were connected who sleep, or are about to."""
    return sorted({row.provider for _, row in people(deps.engine.registry, tenant)})


def test(deps: Deps, flow: TestFlow, person: Person) -> ShownTest | None:
    """The latest run with its diagnosis; None when there has been none."""
    run = flow.latest(person.tenant)
    if run is None:
        return None
    shape = run_shape(run, interrupted=flow.is_interrupted(run))
    facts = {
        "version": product_version(),
        "engine": deps.settings.engine,
        "now": to_rfc3339(deps.clock.now_ms()),
        "state": read_organisation(deps, person.tenant).integration.value,
        "asked": " ".join(
            asked_for(Provider(run.provider), test_purpose(deps, person.tenant), writes=deps.settings.may_write)
        ),
    }
    room = tables.rooms(deps.engine.registry).get(person.tenant, run.room) if run.room else None
    return {**shape, "diagnosis": diagnosis(shape, facts), "room": room.name or room.address if room else ""}


def _provider(deps: Deps, tenant: str, provider: Provider, directories: Collection[str]) -> ProviderShape:
    known = provider in list_configured(deps)
    asked = {
        Purpose.TEST: test_purpose(deps, tenant),
        Purpose.CONNECT: Purpose.CONNECT,
        Purpose.PROVE: Purpose.PROVE,
        Purpose.DOMAINS: Purpose.DOMAINS,
    }
    return {
        "provider": provider.value,
        "configured": known,
        "clientId": catalogue.registration(provider, deps.settings).client_id,
        "permissions": {
            name.value: permissions(provider, purpose, writes=deps.settings.may_write)
            for name, purpose in asked.items()
        },
        "directories": sorted(directories),
        "mayHaveSeveral": may_have_several(provider),
        "tenantConsent": read_seen(deps, tenant, provider, directories),
    }
