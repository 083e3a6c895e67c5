"""Per tenant: data key, hash key, consent key, wrapped by a master key from the environment. Destroying is erasing."""

from __future__ import annotations

from typing import Protocol

from shared.domain.keys import TenantKeys


class Keyring(Protocol):
    """All methods raise StoreUnavailableError when the store cannot be reached. Thread-safe."""

    def keys(self, tenant: str) -> TenantKeys:
        """The tenant's keys. Raises KeyDestroyedError when there are none (any more)."""
        ...

    def create(self, tenant: str) -> TenantKeys:
        """Make keys for a tenant that has none; returns those that stand if it has."""
        ...

    def destroy_data(self, tenant: str) -> None:
        """Destroy data and hash key at once: references, snapshots and states become unreadable. Idempotent."""
        ...

    def destroy_consent(self, tenant: str) -> None:
        """Destroy the consent key: the sealed grants become unreadable. Idempotent."""
        ...

    def rewrap(self) -> int:
        """Wrap everything under the current master key; returns how many keys were under an older one."""
        ...

    def close(self) -> None:
        """Release connections and files."""
        ...
