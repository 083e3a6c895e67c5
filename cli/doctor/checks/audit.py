"""The audit of each organisation: whether its chain is whole, and where it is broken."""

from __future__ import annotations

from collections.abc import Iterator

from cli.common.mailboxes import list_readable_tenants
from cli.doctor.checks.check_result import CheckResult, CheckState
from shared.errors import RoomsyncError
from shared.organisations.audit_chain import read_chain
from shared.organisations.audit_check import check_chain
from shared.ports.registry import Registry
from shared.runtime.redaction import mask_text

_NAMED = 20
"""Broken places of one organisation that are named."""
_NEXT = (
    "find out who writes to the store; each act also stands in the portal's log (`administrator_acted`, with its entry), and"
    " `roomsync registry restore` brings missing entries back from a backup"
)


def check_audit(registry: Registry, now_ms: int) -> Iterator[CheckResult]:
    """One line for all chains that are whole, and one for each place where one is broken."""
    whole = 0
    try:
        for tenant in list_readable_tenants(registry):
            findings = check_chain(read_chain(registry, tenant)[0], now_ms)
            whole += not findings
            for finding in findings[:_NAMED]:
                text = f"the record of what administrators of {tenant} did is not whole. {finding.as_text()}"
                yield CheckResult("audit", CheckState.WRONG, text, _NEXT)
    except RoomsyncError as error:
        yield CheckResult("audit", CheckState.AWAY, mask_text(str(error)), "mend the registry, then run this again")
        return
    if whole:
        yield CheckResult("audit", CheckState.OK, f"the records of {whole} organisations are whole")
