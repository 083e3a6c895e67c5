"""
Gives up one of an organisation's directories: its people are let in no more, are signed out, and lose roles and connection.

`shared.organisations.enrolment.join` is the counterpart.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

import msgspec

from shared.contracts.rows import IntegrationState, TenantRow, UserRow
from shared.domain.identity import Provider
from shared.errors import KeyDestroyedError, MalformedRecordError, RefusedError
from shared.grants.sleep import is_awake
from shared.grants.vault import ConsentVault
from shared.organisations.enrolment import NOBODY, begin_leaving, finish_leaving, join
from shared.ports.keyring import Keyring
from shared.ports.registry import Registry
from shared.providers.catalogue import profile_of
from shared.registry import tables

Disconnect = Callable[[str, UserRow], None]
"""User id, and the person: has their calendar disconnected, as they would themselves. Idempotent."""
_Member = tuple[str, UserRow, bool]
"""User id, the person, and whether they are known to be of the directory; else they may be."""
_IN_USE = (IntegrationState.ENABLED, IntegrationState.TESTING)


@dataclass(frozen=True, slots=True)
class JoinedDirectory:
    """A provider's organisation, as a tenant's own."""

    provider: Provider
    name: str
    """Entra tenant id, or Google Workspace domain, as `directories` writes it."""
    leaving: bool = field(default=False, compare=False)
    """Whether it is being given up: nobody is let in from it any more."""


class Obstacle(StrEnum):
    """Why a directory is not given up."""

    NOT_THEIRS = "not-theirs"
    LAST = "last"
    """An organisation without any directory would be found by nobody, and be swept by no worker."""
    IN_USE = "in-use"
    """The integration connects its calendars, and those of no other one."""


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom giving a directory up concerns, counted now."""

    people: int
    """Of the directory, who have signed in: they cannot any more."""
    connected: int
    """Of these, whose calendar is connected, or sleeps."""
    administrators: int
    """Of these, who have a role: they lose it."""
    unknown: int
    """Of whom it is not known: signed out, and still connected. Signing in again says which directory they are of."""


def directories_of(registry: Registry, tenant: str) -> list[JoinedDirectory]:
    """The organisation's directories, those that are being given up as well, by provider and name."""
    rows = tables.directories(registry).scan_readable(NOBODY)
    parts = sorted((name.partition(":"), bool(row.leaving_at_ms)) for name, row in rows if row.tenant == tenant)
    return [JoinedDirectory(Provider(provider), name, leaving) for (provider, _, name), leaving in parts]


def find_obstacle(row: TenantRow, theirs: Collection[JoinedDirectory], directory: JoinedDirectory) -> Obstacle | None:
    """
    Why the organisation cannot give the directory up; None when it can. Pure.

    One that is being given up already takes the place of no other.

    Args:
        row: The organisation's.
        theirs: `directories_of` it.
        directory: The one to be given up.
    """
    if directory not in theirs:
        return Obstacle.NOT_THEIRS
    rest = [each for each in theirs if each != directory and not each.leaving]
    if not rest:
        return Obstacle.LAST
    if row.integration not in _IN_USE or row.provider != directory.provider:
        return None
    others = any(each.provider == directory.provider for each in rest)
    if profile_of(directory.provider).several_directories:
        return None if others else Obstacle.IN_USE
    return Obstacle.IN_USE if row.directory.lower() == directory.name.lower() or not others else None


class DirectoryMembers:
    """The people of one of an organisation's directories. Every method raises StoreUnavailableError."""

    def __init__(self, registry: Registry, keyring: Keyring, tenant: str, directory: JoinedDirectory) -> None:
        """Nothing is read before it is asked for."""
        self._registry = registry
        self._vault = ConsentVault(keyring)
        self._tenant = tenant
        self._directory = directory

    def count(self) -> Concerned:
        """Count whom giving it up concerns."""
        return self._count(list(self._members()))

    def _count(self, members: Sequence[_Member]) -> Concerned:
        theirs = [row for _, row, known in members if known]
        consents = tables.consents(self._registry)
        found = [consents.get(self._tenant, row.mailbox) for row in theirs]
        return Concerned(
            people=len(theirs),
            connected=sum(row is not None and (is_awake(row) or bool(row.asleep_until_ms)) for row in found),
            administrators=sum(bool(row.roles) for row in theirs),
            unknown=len(members) - len(theirs),
        )

    def may_include(self, user: str) -> bool:
        """Whether a person is of it, or nothing says that they are of another one."""
        row = tables.users(self._registry).get(self._tenant, user)
        return row is not None and self._directory_of(user, row) in {"", self._directory.name.lower()}

    def give_up(self, disconnect: Disconnect, now_ms: int) -> Concerned:
        """
        Let nobody in from it any more, and end what its people have here. Repeat it when it was interrupted.

        Args:
            disconnect: Called for each person of it.
            now_ms: The present.

        Returns:
            Whom it concerned.

        Raises:
            RefusedError: another one was given up at the same time, so that none would be left; this one stays.
        """
        theirs = {"provider": self._directory.provider.value, "directory": self._directory.name}
        begin_leaving(self._registry, self._tenant, **theirs, now_ms=now_ms)
        self._require_another(theirs)
        members = list(self._members())
        concerned = self._count(members)
        users = tables.users(self._registry)
        for user, _, known in members:
            users.change(self._tenant, user, _without_rights if known else _signed_out)
        for user, row, known in members:
            if known:
                disconnect(user, row)
        self._choose_another()
        finish_leaving(self._registry, self._tenant, **theirs)
        return concerned

    def _require_another(self, theirs: Mapping[str, str]) -> None:
        """Two who give up one each have both asked before the other began: whoever looks now sees it, and takes theirs back."""
        row = tables.tenants(self._registry).get(self._tenant, "tenant")
        joined = directories_of(self._registry, self._tenant)
        if row is None or find_obstacle(row, joined, self._directory) in {None, Obstacle.NOT_THEIRS}:
            return
        join(self._registry, self._tenant, **theirs)
        message = f"{self._directory.name} stays: the organisation has no other directory in its place any more"
        raise RefusedError(message)

    def _members(self) -> Iterator[_Member]:
        """Whoever is of the directory, and whoever may be."""
        for user, row in tables.users(self._registry).scan_readable(self._tenant):
            name = self._directory_of(user, row)
            if name in {"", self._directory.name.lower()}:
                yield user, row, bool(name)

    def _directory_of(self, user: str, row: UserRow) -> str | None:
        """Which directory a person is of; "" where nothing says it, None for one of the other calendar system."""
        if row.provider != self._directory.provider:
            return None
        return row.directory or self._guess(user, row)

    @cached_property
    def _others(self) -> Sequence[str]:
        """As `_read_others`, once for all people that are looked through."""
        return self._read_others()

    def _read_others(self) -> Sequence[str]:
        """The names of the organisation's other directories in the same calendar system."""
        theirs = directories_of(self._registry, self._tenant)
        return [each.name for each in theirs if each != self._directory and each.provider == self._directory.provider]

    def _guess(self, user: str, row: UserRow) -> str:
        """Of a person who has not signed in since directories are noted; "" where nothing says it."""
        if not profile_of(self._directory.provider).several_directories:
            return "" if self._others else self._directory.name.lower()
        try:
            return self._vault.address_of(self._tenant, user, row).rpartition("@")[2].lower()
        except (KeyDestroyedError, MalformedRecordError):
            return ""

    def _choose_another(self) -> None:
        """The organisation's row names one that it has."""
        gone, rest = self._directory, self._read_others()

        def named(row: TenantRow | None) -> TenantRow | None:
            if row is None or row.provider != gone.provider or row.directory.lower() != gone.name.lower():
                return None
            return msgspec.structs.replace(row, directory=min(rest, default=""))

        tables.tenants(self._registry).change(self._tenant, "tenant", named)


def _signed_out(row: UserRow | None) -> UserRow | None:
    return msgspec.structs.replace(row, session_epoch=row.session_epoch + 1, sessions=()) if row else None


def _without_rights(row: UserRow | None) -> UserRow | None:
    return msgspec.structs.replace(row, session_epoch=row.session_epoch + 1, sessions=(), roles=()) if row else None
