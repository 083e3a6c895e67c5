"""People's grants: which end by themselves soon, whatever anybody does."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator

from cli.common.mailboxes import list_readable_tenants
from cli.doctor.checks.check_result import CheckResult, CheckState
from shared.domain.instants import to_rfc3339
from shared.errors import RoomsyncError
from shared.grants.grant import ends_soon
from shared.ports.registry import Registry
from shared.registry.tables import consents


def check_grants(registry: Registry, now_ms: int) -> Iterator[CheckResult]:
    """One finding a provider whose grants end within days."""
    found, first = Counter[str](), dict[str, int]()
    with contextlib.suppress(RoomsyncError):  # that it cannot be reached has been said
        for tenant in list_readable_tenants(registry):
            for _, row in consents(registry).scan_readable(tenant):
                if ends_soon(row, now_ms):
                    found[row.provider] += 1
                    first[row.provider] = min(row.ends_at_ms, first.get(row.provider, row.ends_at_ms))
    for provider, count in sorted(found.items()):
        yield CheckResult(
            "grants",
            CheckState.WRONG,
            f"{count} of {provider} end by themselves, the first at {to_rfc3339(first[provider])}",
            "if the consent screen's publishing status is Testing, set it to In production, or its user type to Internal (in"
            " Testing every grant ends after seven days); then people connect once more",
        )
