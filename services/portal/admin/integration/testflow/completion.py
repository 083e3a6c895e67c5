"""What follows a passed test: the organisation's directory is its own, the integration is on, rooms are paired, sleepers woken."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from services.portal.admin.integration.switching import lapse, wake
from services.portal.admin.integration.testflow.deciding.run import TestRun
from services.portal.admin.rooms.pairing import pair_all
from services.portal.deps import Deps
from shared.contracts.rows import IntegrationState, TenantRow, UserRow
from shared.errors import RefusedError, RetryableError
from shared.grants.endings import Endings
from shared.grants.sleep import people
from shared.organisations.enrolment import NOBODY, join, tenant_of
from shared.organisations.integration import IntegrationTransition, after
from shared.registry import tables
from shared.runtime.refused_rows import log_refused_row

Directories = Mapping[str, frozenset[str]]
"""Provider → the tenant's directories there, lower-cased; no entry for a provider where it has none."""


def list_directories(deps: Deps, tenant: str) -> Directories:
    """The tenant's directories, by provider: found in one look through those of all; others' refused rows stop nobody."""
    found: dict[str, set[str]] = {}
    for name, row in tables.directories(deps.engine.registry).scan_readable(NOBODY, log_refused_row):
        provider, _, directory = name.partition(":")
        if row.tenant == tenant:
            found.setdefault(provider, set()).add(directory.lower())
    return {provider: frozenset(directories) for provider, directories in found.items()}


def known_directories(deps: Deps, tenant: str, provider: str) -> frozenset[str]:
    """Which of the provider's directories are the tenant's, lower-cased."""
    return list_directories(deps, tenant).get(provider, frozenset())


def known_directory(deps: Deps, tenant: str, provider: str) -> str:
    """One of these: the one in use, where there is a choice; "" for none yet."""
    return directory_in_use(deps, tenant, provider, known_directories(deps, tenant, provider))


def directory_in_use(deps: Deps, tenant: str, provider: str, known: Collection[str]) -> str:
    """The one of `known` that the integration uses, where there is a choice; "" for none yet."""
    row = tables.tenants(deps.engine.registry).get(tenant, "tenant")
    in_use = row.directory.lower() if row is not None and row.provider == provider else ""
    return in_use if in_use in known else min(known, default="")


def is_taken(deps: Deps, tenant: str, provider: str, directory: str) -> bool:
    """Whether the provider's organisation is another tenant."""
    owner = tenant_of(deps.engine.registry, provider, directory)
    return owner is not None and owner != tenant


def enable(deps: Deps, tenant: str, run: TestRun) -> bool:
    """
    Enable the integration with what `run` has tested. Every part may be repeated.

    Returns:
        False: the directory is another tenant's, and nothing has been enabled.

    Raises:
        RefusedError: the integration is not being tested with this provider (any more).
        RetryableError: another process is at what comes before or after it (ending a sleep, new keys); again in a moment.
    """
    if not join(deps.engine.registry, tenant, provider=run.provider, directory=run.directory):
        return False
    _give_rights(deps, tenant, run)
    lapse(deps, tenant)  # the sleep may have run out since the test began: what it was to end would be kept for good
    now_ms = deps.clock.now_ms()

    def passed(row: TenantRow | None) -> TenantRow | None:
        if row is None or row.provider != run.provider:
            message = "another calendar system was chosen meanwhile; begin its test"
            raise RefusedError(message)
        if row.integration is IntegrationState.ENABLED:
            return None
        if 0 < row.sleep_until_ms <= now_ms:
            message = "the consents' key is being destroyed by another process"
            raise RetryableError(message, retry_after_s=1.0)
        return msgspec.structs.replace(after(row, IntegrationTransition.TEST_PASSED, now_ms), directory=run.directory)

    tables.tenants(deps.engine.registry).change(tenant, "tenant", passed)
    complete(deps, tenant)
    return True


def complete(deps: Deps, tenant: str) -> None:
    """
    What an enabled integration brings with it: consents that are awake, and paired rooms. Idempotent.

    Raises:
        RetryableError: another process is just at it; again in a moment.
    """
    row = tables.tenants(deps.engine.registry).get(tenant, "tenant")
    if row is not None:
        _forget_other_calendar(deps, tenant, row.provider)
    wake(deps, tenant)  # first: rooms get their names under the new keys by it
    pair_all(deps, tenant)


def _forget_other_calendar(deps: Deps, tenant: str, provider: str) -> None:
    """
    Whoever slept with the other calendar system is not woken by this one: their permission is forgotten here.

    Where a subscription could not be ended yet, it is kept for that alone, and forgotten with the last one.
    """
    engine = deps.engine
    endings = Endings(engine.registry, engine.keyring, deps.broker, deps.providers, deps.clock)
    for mailbox, row in list(people(engine.registry, tenant)):
        if row.provider != provider:
            if endings.attempt(mailbox).done:
                tables.consents(engine.registry).delete(tenant, mailbox.id)
            else:
                deps.broker.leaving(mailbox)


def _give_rights(deps: Deps, tenant: str, run: TestRun) -> None:
    """Whoever tested with an account of the other calendar system has the same rights under it."""
    table = tables.users(deps.engine.registry)
    chief = table.get(tenant, run.user)
    if chief is None or run.tester == run.user:
        return

    def given(row: UserRow | None) -> UserRow | None:
        return msgspec.structs.replace(row, roles=tuple(sorted({*row.roles, *chief.roles}))) if row else None

    table.change(tenant, run.tester, given)
