"""Per tenant: data key, hash key, consent key, wrapped by a master key from the environment. Destroying is erasing."""

from __future__ import annotations

from typing import Protocol

from shared.domain.keys import TenantKeys


class Keyring(Protocol):
    """All methods raise StoreUnavailableError when the store cannot be reached. Thread-safe."""

    def keys(self, tenant: str) -> TenantKeys:
        """The tenant's keys. Raises KeyDestroyedError when there are none (any more)."""
        ...

    def consent_key(self, tenant: str) -> bytes:
        """
        The key that seals the tenant's grants, also while the data keys are already destroyed (design §8: 120 hours longer).

        Raises KeyDestroyedError when there is none (any more).
        """
        ...

    def create(self, tenant: str) -> TenantKeys:
        """Make whichever keys the tenant lacks and return all; those that stand are kept, so a grant survives re-enabling."""
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
