"""Everything that registry and keyring hold, for moving a deployment and for backups: wider than what a service may see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from shared.errors import ConflictError


@dataclass(frozen=True, slots=True, order=True)
class StoredRow:
    """A row of the registry with its place and its deadline."""

    table: str
    tenant: str
    row: str
    value: bytes
    not_after_ms: int | None = None


@dataclass(frozen=True, slots=True, order=True)
class WrappedKey:
    """One key of a tenant as the keyring keeps it: never in the clear."""

    tenant: str
    kind: str
    master: str
    """Which master key wraps it."""
    wrapped: bytes


@runtime_checkable
class WholeRegistry(Protocol):
    """Both engines' registries are this too; only the command line asks for it."""

    def everything(self) -> Sequence[StoredRow]:
        """All live rows of all tables and tenants, in order. Raises StoreUnavailableError."""
        ...


@runtime_checkable
class WholeKeyring(Protocol):
    """Both engines' keyrings are this too; only the command line asks for it."""

    def wrapped(self) -> Sequence[WrappedKey]:
        """All keys of all tenants, in order. Raises StoreUnavailableError."""
        ...

    def adopt(self, keys: Iterable[WrappedKey]) -> int:
        """
        Take over keys of another keyring, and return how many were new here. A key that stands here stays as it is.

        Raises:
            ConfigurationError: one is wrapped by a master key that this ring does not hold; nothing was taken over.
            ConflictError: another key stands in the place of one; nothing was taken over.
            MalformedRecordError: one does not open; nothing was taken over.
        """
        ...


def another_key(key: WrappedKey) -> ConflictError:
    """What `adopt` raises when a different key stands in the place of `key`."""
    return ConflictError(
        f"{key.tenant} has another {key.kind} key here: what either one sealed would be lost; import into an empty keyring"
    )
