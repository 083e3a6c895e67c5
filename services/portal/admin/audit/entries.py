"""What administrators did: written down with every act, kept a year, shown to those who may see it."""

from __future__ import annotations

from dataclasses import dataclass

from services.portal.deps import Deps
from services.portal.frame.sessions import Person
from shared.contracts.rows import AuditRow
from shared.organisations.audit_chain import append_act, read_chain
from shared.organisations.audit_check import ChainFinding, check_chain
from shared.runtime.logging import get_logger

_log = get_logger()


def record(deps: Deps, person: Person, act: str, about: str = "", outcome: str = "done") -> None:
    """
    Write down what `person` did.

    Args:
        deps: Where to.
        person: Who did it.
        act: A word of ours: `integration.enabled`, `room.entered`.
        about: An id of ours, never a name or address.
        outcome: `done`, `refused`, or a code of ours.

    Raises:
        StoreUnavailableError: it is not written; say so rather than act unseen.
    """
    record_for(deps, person.tenant, person.user, act, about, outcome)


def record_for(deps: Deps, tenant: str, user: str, act: str, about: str = "", outcome: str = "done") -> None:
    """The same where nobody is waiting at a page: an act that goes on after its request was answered."""
    now_ms = deps.clock.now_ms()
    row = AuditRow(at_ms=now_ms, user=user, act=act, about=about, outcome=outcome)
    number = append_act(deps.engine.registry, tenant, row)
    _log.info("administrator_acted", tenant=tenant, entry=number, user=user, act=act, about=about, outcome=outcome)


@dataclass(frozen=True, slots=True)
class Acts:
    """What an organisation's administrators did, as far as it stands."""

    newest: list[tuple[int, AuditRow]]
    """Number in the chain, 0 for an act of before it, and the act; newest first."""
    findings: list[ChainFinding]
    """Where the chain is broken, in the order of its entries."""


def read_acts(deps: Deps, tenant: str) -> Acts:
    """The organisation's acts of a year, and whether all of them are there. Raises StoreUnavailableError."""
    chain, unchained = read_chain(deps.engine.registry, tenant)
    acts = [(number, entry.row) for number, entry in chain.entries.items()] + [(0, row) for row in unchained]
    acts.sort(key=lambda each: (each[0], each[1].at_ms), reverse=True)
    findings = check_chain(chain, deps.clock.now_ms())
    for finding in findings:
        _log.error("audit_chain_broken", tenant=tenant, first=finding.first, last=finding.last, fault=finding.fault)
    return Acts(acts, findings)
