"""Switching the integration off and on again: what would follow, the switch itself, and waking those who slept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import msgspec

from services.portal.admin.audit import entries
from services.portal.deps import Deps
from services.portal.frame.problems import not_enabled
from services.portal.frame.sessions import Person
from services.portal.meetings.personal_view import PersonalView
from services.portal.meetings.takes import append_command
from shared.contracts.command import Command
from shared.contracts.rows import ConsentState, IntegrationState, TenantRow
from shared.domain.identity import Mailbox
from shared.errors import KeyDestroyedError, RetryableError
from shared.grants import sleep
from shared.language.deciding.sentences import say
from shared.organisations import off_boarding
from shared.organisations.integration import IntegrationTransition, after
from shared.registry import tables
from shared.runtime.erasure import erase_consents, erase_data


@dataclass(frozen=True, slots=True)
class Consequences:
    """What switching off ends, counted now."""

    people: int
    """Whose calendar is connected, or about to be."""
    subscriptions: int
    """At the provider, each to be ended."""
    rooms: int
    """Paired now; they are unpaired, and their information stays."""
    prompts: int
    """Open prompts, which vanish."""


def consequences(deps: Deps, tenant: str) -> Consequences:
    """Count what switching off would end. Raises StoreUnavailableError."""
    registry = deps.engine.registry
    awake = [(mailbox, row) for mailbox, row in sleep.people(registry, tenant) if sleep.is_awake(row)]
    return Consequences(
        people=len(awake),
        subscriptions=sum(row.state is not ConsentState.CONNECTING for _, row in awake),
        rooms=sum(row.paired for _, row in tables.rooms(registry).scan(tenant)),
        prompts=sum(_open_prompts(deps, mailbox, row.user, row.provider) for mailbox, row in awake),
    )


def switch_off(deps: Deps, person: Person) -> None:
    """
    Switch the integration of the person's organisation off. Of several who do, one does; the others find it done.

    Everything after the switch itself is repeated by the sync workers until it is done, so that a process that dies in
    the middle, or a log that is away, leaves nothing on.

    Raises:
        ProblemError: 409 when it is not on.
        LogUnavailableError: it is off; the workers will be told by their own sweep.
    """
    tenant, now_ms = person.tenant, deps.clock.now_ms()
    if not _switched(deps, tenant, now_ms):
        return
    entries.record(deps, person, "integration.disabled")
    off_boarding.unpair(deps.engine.registry, tenant)
    sleep.send_all_to_sleep(deps.engine.registry, tenant, send=partial(_send, deps), now_ms=now_ms)


def wake(deps: Deps, tenant: str) -> None:
    """
    After a passed test: whoever was connected before is connected again, without doing anything. Idempotent.

    Raises:
        RetryableError: another process is just destroying the old data keys; again in a moment.
    """
    lapse(deps, tenant)
    registry, now_ms = deps.engine.registry, deps.clock.now_ms()
    row = tables.tenants(registry).get(tenant, "tenant")
    if row is not None and row.doomed_era:
        # Not everybody has let go of the old references yet: they do so before they begin anew.
        sleep.send_all_to_sleep(registry, tenant, send=partial(_send, deps), now_ms=now_ms)
    erase = partial(erase_data, deps.engine, tenant, now_ms=now_ms)
    if not off_boarding.finish_erasure(registry, deps.engine.keyring, tenant, erase=erase, now_ms=now_ms):
        message = "the old data keys are being destroyed by another process"
        raise RetryableError(message, retry_after_s=1.0)
    sleep.wake_all(registry, tenant, send=partial(_send, deps), now_ms=now_ms)


def lapse(deps: Deps, tenant: str) -> None:
    """If the 120 hours are over and nobody has swept yet: end the sleep now. Idempotent; costs one read otherwise."""
    now_ms = deps.clock.now_ms()
    erase = partial(erase_consents, deps.engine, tenant, now_ms=now_ms)
    off_boarding.end_sleep(deps.engine.registry, deps.engine.keyring, tenant, erase=erase, now_ms=now_ms)


def _switched(deps: Deps, tenant: str, now_ms: int) -> bool:
    """Compare and set; whether this caller was the one."""
    try:
        era = deps.engine.keyring.keys(tenant).era
    except KeyDestroyedError:
        era = ""
    won = False

    def off(row: TenantRow | None) -> TenantRow | None:
        nonlocal won
        won = False
        if row is None or row.integration is IntegrationState.DISABLED:
            return None
        if row.integration is not IntegrationState.ENABLED:
            raise not_enabled(
                title=say("The integration is not on, so there is nothing to switch off."),
                next_step=say("See /admin/integration"),
            )
        won = True
        return msgspec.structs.replace(after(row, IntegrationTransition.DISABLE, now_ms), doomed_era=era)

    tables.tenants(deps.engine.registry).change(tenant, "tenant", off)
    return won


def _send(deps: Deps, mailbox: Mailbox, wish: Command) -> None:
    append_command(deps, mailbox, wish)


def _open_prompts(deps: Deps, mailbox: Mailbox, user: str, provider: str) -> int:
    desk = PersonalView(deps, Person(mailbox.tenant, user, mailbox, provider, csrf="", session=""))
    return len(desk.board(desk.read_meetings().meetings.values()).open_prompts)
