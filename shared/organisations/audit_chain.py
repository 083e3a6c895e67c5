"""
Appends administrators' acts to the chain of their organisation, and reads it.

A row stands under its number and carries a digest of the row before it; the head says how far the chain reaches. Rows and
head are bound to their places (`shared.engines.bound_registry`), so that nobody makes or alters one without a master key. A
process writes the row first, where none stands, and then moves the head: should it die in between, whoever comes next moves
the head over that row.
"""

from __future__ import annotations

import contextlib
import hashlib

import msgspec

from shared.contracts.rows import AuditHeadRow, AuditRow
from shared.errors import ConflictError, RowRefusedError
from shared.organisations.audit_check import KEPT_MS, Chain, Entry
from shared.ports.registry import Registry
from shared.registry import tables

HEAD = "head"
_MAX_TRIES = 50  # each lost try means that the chain grew; fifty in a row means a fault
_CHAINED = tables.audit.bound_ids or ""
_DIGITS = 12


def append_act(registry: Registry, tenant: str, act: AuditRow) -> int:
    """
    Append an act to the organisation's chain; it is kept for a year.

    Reads and writes a few rows, however long the chain is. Only where no head stands, all rows of the organisation are read once.

    Args:
        registry: Where it stands.
        tenant: The organisation.
        act: What was done; its place in the chain is filled in here.

    Returns:
        The number.

    Raises:
        StoreUnavailableError: the registry is away; the act may stand or not.
        RowRefusedError: the head, or a row beyond it, is not what was written there.
        ConflictError: fifty tries lost in a row.
    """
    for _ in range(_MAX_TRIES):
        head, version = _read_head(registry, tenant)
        if head is None:
            _begin(registry, tenant)
            continue
        number, row_id = head.number + 1, name_row(head.number + 1)
        linked = msgspec.structs.replace(act, before=head.digest, before_at_ms=head.at_ms)
        raw = msgspec.json.encode(linked)
        try:
            registry.put(tables.audit.name, tenant, row_id, raw, expect=0, not_after_ms=act.at_ms + KEPT_MS)
        except ConflictError:
            stands = registry.get(tables.audit.name, tenant, row_id)
            if stands is not None:
                _move_head(registry, tenant, version, number, stands.value)
            continue
        _move_head(registry, tenant, version, number, raw)
        return number
    message = f"the audit of {tenant}: lost {_MAX_TRIES} compare-and-sets in a row; try again"
    raise ConflictError(message)


def read_chain(registry: Registry, tenant: str) -> tuple[Chain, list[AuditRow]]:
    """
    Read what there is of an organisation's audit, rows that are refused left out.

    Returns:
        The chain, to be checked; and the rows of version 0.1.0, which are in no chain.

    Raises:
        StoreUnavailableError: the registry is away.
    """
    head_refused, head = False, None
    try:
        head, _ = _read_head(registry, tenant)
    except RowRefusedError:
        head_refused = True
    entries: dict[int, Entry] = {}
    refused: list[int] = []
    unchained: list[AuditRow] = []
    stored = tables.audit(registry).scan_stored(tenant, lambda error: refused.append(number_of(error.row)))
    for row_id, row, raw in stored:
        number = number_of(row_id)
        if number:
            entries[number] = Entry(row, digest_of(row_id, raw))
        else:
            unchained.append(row)
    return Chain(head, entries, frozenset(refused), head_refused=head_refused), unchained


def read_latest_acts(registry: Registry, tenant: str, since_ms: int, most: int) -> list[AuditRow]:
    """
    Read an organisation's acts since an instant, the latest first. Reads them and one row more, however long the chain is.

    Args:
        registry: Where it stands.
        tenant: The organisation.
        since_ms: Earlier acts are left out, epoch milliseconds.
        most: How many rows are read at the most.

    Raises:
        StoreUnavailableError: the registry is away.
        RowRefusedError: the head is not what was written there. Other rows that are refused are left out.
    """
    head, _ = _read_head(registry, tenant)
    found: list[AuditRow] = []
    for number in range(head.number if head else 0, max(0, (head.number if head else 0) - most), -1):
        with contextlib.suppress(RowRefusedError):
            row = tables.audit(registry).get(tenant, name_row(number))
            if row is None or row.at_ms < since_ms:
                break
            found.append(row)
    return found


def name_row(number: int) -> str:
    """The id of the row at `number`: sorts by it, and behind the rows of version 0.1.0."""
    return f"{_CHAINED}{number:0{_DIGITS}d}"


def number_of(row_id: str) -> int:
    """The number of a row of the chain; 0 for one of version 0.1.0."""
    digits = row_id.removeprefix(_CHAINED)
    return int(digits) if row_id != digits and len(digits) == _DIGITS and digits.isascii() and digits.isdigit() else 0


def digest_of(row_id: str, raw: bytes) -> str:
    """The digest of a row as it is stored, with its place."""
    return hashlib.sha256(row_id.encode() + b"\n" + raw).hexdigest()


def _read_head(registry: Registry, tenant: str) -> tuple[AuditHeadRow | None, int]:
    found = registry.get(tables.audit_heads.name, tenant, HEAD)
    if found is None:
        return None, 0
    return tables.audit_heads(registry).read(tenant, HEAD, found.value), found.version


def _begin(registry: Registry, tenant: str) -> None:
    """Put a head behind whatever stands: the next row begins a chain, and says so by its empty digest."""
    chain, _ = read_chain(registry, tenant)
    last = max(chain.entries, default=0)
    with contextlib.suppress(ConflictError):  # another process has begun it
        tables.audit_heads(registry).add(tenant, HEAD, AuditHeadRow(number=last, digest="", at_ms=0))


def _move_head(registry: Registry, tenant: str, version: int, number: int, raw: bytes) -> None:
    row = tables.audit(registry).read(tenant, name_row(number), raw)
    head = AuditHeadRow(number=number, digest=digest_of(name_row(number), raw), at_ms=row.at_ms)
    with contextlib.suppress(ConflictError):  # another process has moved it
        registry.put(tables.audit_heads.name, tenant, HEAD, msgspec.json.encode(head), expect=version)
