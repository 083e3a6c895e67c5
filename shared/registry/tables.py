"""The one table of tables: what each keeps, which key seals it, what erases it, and whether a restore brings it back."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from shared.contracts.browser_rows import NoticeBrowsersRow
from shared.contracts.chat_rows import ChatChannelsRow
from shared.contracts.erasure import KeyClass
from shared.contracts.index_row import IndexRow
from shared.contracts.rows import (
    AppointmentRow,
    AttendanceRow,
    AuditHeadRow,
    AuditRow,
    BookingRow,
    ConsentRow,
    DeclineIncidentRow,
    DirectoryRow,
    DismissalRow,
    EndingRow,
    FreshnessRow,
    LeaseRow,
    NotificationRow,
    OfficeDayRow,
    RoomImportRow,
    RoomRow,
    ServiceTokensRow,
    SessionRow,
    SignInRow,
    TakeRow,
    TenantConsentRow,
    TenantRow,
    UserRow,
)
from shared.contracts.test_run import TestRun
from shared.contracts.webhook_rows import WebhookDeliveriesRow, WebhooksRow
from shared.errors import RowKeyMissingError, RowRefusedError
from shared.ports.registry import Registry
from shared.registry.indexed_rows import IndexedRows
from shared.registry.rows import ReadRows, Rows

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTable(Generic[T]):
    """
    One table of the registry. Called with a registry, it gives the table's rows there, to be read.

    Off-boarding, backup and restore, the reference and the golden records are derived from these declarations.
    """

    name: str
    row: type[T]
    what: str
    """What a row is, and what its id is; for the reference."""
    sealed_by: KeyClass | None = None
    """Which of the tenant's keys seals what in the row is secret; None: nothing in it is sealed."""
    erased_with: KeyClass | None = None
    """Rows are deleted when this key of their tenant is destroyed, and no restore brings them back afterwards."""
    spared: Callable[[T], bool] | None = None
    """Rows that are kept although their key is destroyed; None: none."""
    restored: bool = True
    """Whether a restore or an import brings rows back."""
    bound_ids: str | None = None
    """How the ids of rows begin that no version has written unbound (`shared.engines.bound_registry`); None: of none."""

    def __call__(self, registry: Registry) -> ReadRows[T]:
        """The rows that `registry` keeps in this table."""
        return ReadRows(registry, self.name, self.row)

    def spares(self, row: T) -> bool:
        """Whether the row is kept when the key that its table is erased with is destroyed."""
        return self.spared is not None and self.spared(row)


class Table(ReadTable[T]):
    """A table that whoever has a registry may write. Called with it, it gives the table's rows there."""

    __slots__ = ()

    def __call__(self, registry: Registry) -> Rows[T]:
        """The rows that `registry` keeps in this table."""
        return Rows(registry, self.name, self.row)

    def past_index(self, registry: Registry) -> Rows[T]:
        """The same, written without an index: for an erasure, which an index goes with."""
        return Rows(registry, self.name, self.row)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedTable(Table[T]):
    """A table whose rows are found by words in them, through an index that is a table itself."""

    index: Table[IndexRow]
    words_of: Callable[[T], Collection[str]]
    """Pure: what a row is found by."""

    def __call__(self, registry: Registry) -> IndexedRows[T]:
        """The rows that `registry` keeps in this table."""
        return IndexedRows(registry, self.name, self.row, index=self.index(registry), words_of=self.words_of)


ADMINISTRATORS = "administrators"
"""The word by which people with rights are found."""


def _has_rights(user: UserRow) -> bool:
    """Administrators outlive the grants: somebody has to be able to switch the integration on again."""
    return bool(user.roles)


def _words_of_person(user: UserRow) -> Collection[str]:
    """The keyed hashes of all addresses that they are known by, and whether they have rights."""
    return user.hashes | ({ADMINISTRATORS} if _has_rights(user) else set())


tenants = Table(name="tenants", row=TenantRow, what="an organisation; id = the word `tenant`")
# Whose a directory is, one function alone writes: `shared.organisations.enrolment`, and a restore.
directories = ReadTable(
    name="directories",
    row=DirectoryRow,
    what="which tenant a provider's organisation is; under the pseudo-tenant `-`, id = `provider:directory`",
)
tenant_consents = Table(
    name="tenant-consents",
    row=TenantConsentRow,
    what="that an administrator's consent for a whole directory was seen; id = provider",
    bound_ids="",
)
people_index = Table(
    name="people-index",
    row=IndexRow,
    what="whose rows in `users` to look at; id = keyed hash of an address, the word `administrators`, or `-` once all are entered",
    erased_with=KeyClass.CONSENT,
    restored=False,  # it follows from `users`, and is made with them
    bound_ids="",
)
users = IndexedTable(
    name="users",
    row=UserRow,
    what="a person who has signed in; id = user",
    sealed_by=KeyClass.CONSENT,
    erased_with=KeyClass.CONSENT,
    spared=_has_rights,
    index=people_index,
    words_of=_words_of_person,
)
consents = Table(
    name="consents",
    row=ConsentRow,
    what="a person's grant; id = mailbox",
    sealed_by=KeyClass.CONSENT,
    erased_with=KeyClass.CONSENT,
)
endings = Table(
    name="endings",
    row=EndingRow,
    what="subscriptions that are still to be ended at the provider; id = mailbox",
    sealed_by=KeyClass.CONSENT,
    erased_with=KeyClass.CONSENT,
)
test_runs = Table(
    name="test-runs",
    row=TestRun,
    what="the organisation's latest test of its integration, and what it has not undone; id = the word `run`",
    sealed_by=KeyClass.CONSENT,
    erased_with=KeyClass.CONSENT,
)
appointments = Table(
    name="appointments",
    row=AppointmentRow,
    what="rights given before a sign-in; id = pseudonym of the address",
    sealed_by=KeyClass.CONSENT,
)
rooms = Table(name="rooms", row=RoomRow, what="a meeting room; id = room")
room_imports = Table(
    name="room-imports",
    row=RoomImportRow,
    what="the rooms that the directory listed, until an administrator imports them; id = the word `latest`",
    erased_with=KeyClass.CONSENT,
    restored=False,  # what the directory listed then says nothing of today
    bound_ids="",
)
audit = Table(
    name="audit",
    row=AuditRow,
    what="what an administrator did; id = `n` and the number in the organisation's chain; of version 0.1.0, the time",
    bound_ids="n",
)
audit_heads = Table(
    name="audit-heads",
    row=AuditHeadRow,
    what="the newest number of the chain of `audit`; id = the word `head`",
    bound_ids="",
)
dismissals = Table(
    name="dismissals", row=DismissalRow, what="a prompt put away; id = prompt/user", erased_with=KeyClass.DATA
)
notifications = Table(
    name="notifications",
    row=NotificationRow,
    what="how a person wants to be told of prompts; id = user",
    erased_with=KeyClass.CONSENT,
    bound_ids="",
)
decline_incidents = Table(
    name="decline-incidents",
    row=DeclineIncidentRow,
    what="the latest time at which many rooms said no at once; id = the word `latest`",
    erased_with=KeyClass.DATA,
    restored=False,  # what was then says nothing of today
    bound_ids="",
)
takes = Table(name="takes", row=TakeRow, what="a room being taken; id = take", erased_with=KeyClass.DATA)
bookings = Table(
    name="bookings",
    row=BookingRow,
    what="the room chosen for a person who left the choice to us; id = request",
    erased_with=KeyClass.DATA,
)
office_days = Table(
    name="office-days",
    row=OfficeDayRow,
    what="where a person works on a day; id = `user/YYYY-MM-DD`",
    erased_with=KeyClass.DATA,
)
attendances = Table(
    name="attendances",
    row=AttendanceRow,
    what="where a person attends a date from; id = `meeting/occurrence/user`",
    erased_with=KeyClass.DATA,
)
freshness = Table(
    name="freshness",
    row=FreshnessRow,
    what="when a calendar was last heard of and checked; id = mailbox",
    erased_with=KeyClass.CONSENT,
    restored=False,  # how fresh something was says nothing of today
)
sessions = Table(
    name="sessions",
    row=SessionRow,
    what="a signed-in browser; id = keyed hash of the cookie's value",
    restored=False,  # whoever has signed out since stays out
)
sign_ins = Table(
    name="sign-ins",
    row=SignInRow,
    what="a sign-in under way; under the pseudo-tenant `-`, id = keyed hash of browser and state",
    restored=False,  # whoever was signing in begins anew
)
service_tokens = Table(
    name="service-tokens",
    row=ServiceTokensRow,
    what="hashes of the tokens of an organisation's back-end services; id = the word `tokens`",
    restored=False,  # what was withdrawn since stays withdrawn
)
webhooks = Table(
    name="webhooks",
    row=WebhooksRow,
    what="where an organisation's events are sent, and the secrets that sign them; id = the word `endpoints`",
    sealed_by=KeyClass.CONSENT,
    erased_with=KeyClass.CONSENT,
    bound_ids="",
)
webhook_deliveries = Table(
    name="webhook-deliveries",
    row=WebhookDeliveriesRow,
    what="what was lately sent to an endpoint; id = `endpoint/partition.page`",
    erased_with=KeyClass.DATA,
    restored=False,  # what was sent since is not known of it
    bound_ids="",
)
chat_channels = Table(
    name="chat-channels",
    row=ChatChannelsRow,
    what="chat channels that are told of rooms that say no; id = the word `channels`",
    sealed_by=KeyClass.CONSENT,
    erased_with=KeyClass.CONSENT,
    bound_ids="",
)
notice_browsers = Table(
    name="notice-browsers",
    row=NoticeBrowsersRow,
    what="browsers in which a person asked for notices; id = user",
    sealed_by=KeyClass.CONSENT,
    erased_with=KeyClass.CONSENT,
    restored=False,  # a browser that was removed since, because it was lost or somebody else's, stays removed
    bound_ids="",
)
leases = Table(
    name="leases",
    row=LeaseRow,
    what="the right of one process to do a piece of work; id = the work",
    restored=False,  # its process is gone
)

TABLES: tuple[ReadTable[Any], ...] = (
    tenants, directories, tenant_consents, users, people_index, consents, endings, test_runs, appointments, rooms,
    room_imports, audit, audit_heads, dismissals, notifications, decline_incidents, takes, bookings, office_days,
    attendances, freshness, sessions, sign_ins, service_tokens, webhooks, webhook_deliveries, chat_channels, notice_browsers,
    leases,
)  # fmt: skip
BY_NAME = {table.name: table for table in TABLES}
INDEXES = frozenset(table.index.name for table in TABLES if isinstance(table, IndexedTable))
"""Tables that follow from others: neither left out nor lost where those come back."""


def may_be_unbound(table: str, row: str) -> bool:
    """Whether a version has written such rows bound to no place: 0.1.0 knew nothing of it."""
    known = BY_NAME.get(table)
    return known is None or known.bound_ids is None or not row.startswith(known.bound_ids)


def erased_with(key: KeyClass) -> tuple[Table[Any], ...]:
    """The tables whose rows go when `key` of their tenant is destroyed."""
    return tuple(table for table in TABLES if isinstance(table, Table) and table.erased_with is key)


def delete_with(registry: Registry, tenant: str, key: KeyClass) -> None:
    """
    Delete the tenant's rows that go with its `key`, which has been destroyed or is about to be. Idempotent.

    A row that is refused goes as well, spared or not: nobody stops an erasure by writing to the store. An index goes whole, of rows
    that are spared as well: it is made again from them.

    Raises:
        StoreUnavailableError: some may stand; repeat it.
    """
    for table in erased_with(key):
        rows = table.past_index(registry)
        refused: list[RowRefusedError] = []
        for row_id, row in list(rows.scan_readable(tenant, refused.append)):
            if not table.spares(row):
                rows.delete(tenant, row_id)
        for error in refused:
            if table.spared is None or not isinstance(
                error, RowKeyMissingError
            ):  # with its key back, it may be a spared one
                rows.delete(tenant, error.row)


def describe_tables() -> str:
    """The reference's table: what is at rest in the registry, as Markdown."""
    lines = ["| table | a row is | sealed by | deleted with | restored |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| `{table.name}` | {table.what} | {_key(table.sealed_by, '')} | {_key(table.erased_with, 'its deadline, or its owner')} |"
        f" {_restored(table)} |"
        for table in TABLES
    ]
    return "\n".join(lines)


def _key(key: KeyClass | None, none: str) -> str:
    return f"the {key} key" if key else none


def _restored(table: ReadTable[Any]) -> str:
    if not table.restored:
        return "never"
    kept = "; administrators always" if table.spared else ""
    return f"while the {table.erased_with} key stands{kept}" if table.erased_with else "always"
