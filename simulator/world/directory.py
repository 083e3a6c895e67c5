"""Who and what exists: tenants, people and rooms, found by id or by address."""

from __future__ import annotations

from simulator.world.errors import NotThereError, TakenError
from simulator.world.ids import Ids
from simulator.world.model import Mailbox, Provider, Room, RoomRules, Tenant, User

_SUB_DIGITS = 21


class Directory:
    """Guarded by the world's lock."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self.tenants: dict[str, Tenant] = {}
        self.users: dict[str, User] = {}
        self.rooms: dict[str, Room] = {}
        self._by_address: dict[str, Mailbox] = {}

    def add_tenant(
        self,
        provider: Provider,
        name: str,
        domain: str,
        *,
        auto_replace: bool = False,
        secondary_domains: tuple[str, ...] = (),
        unverified_domains: tuple[str, ...] = (),
    ) -> Tenant:
        """A new organisation; its id is an Entra GUID, or the domain at Google. Raises TakenError."""
        tenant_id = domain.lower() if provider == "google" else self._ids.guid("tenant", domain.lower())
        if tenant_id in self.tenants:
            message = f"tenant {domain} exists already"
            raise TakenError(message)
        tenant = Tenant(tenant_id, provider, name, domain.lower(), auto_replace, secondary_domains, unverified_domains)
        self.tenants[tenant_id] = tenant
        return tenant

    def add_user(
        self,
        tenant_id: str,
        name: str,
        address: str,
        time_zone: str = "UTC",
        *,
        sign_in_name: str = "",
        aliases: tuple[str, ...] = (),
    ) -> User:
        """A person with an empty mailbox, reached by all of these addresses. Raises NotThereError, TakenError."""
        tenant = self.tenant(tenant_id)
        address = self._free(address)
        sign_in_name = self._free(sign_in_name) if sign_in_name else ""
        aliases = tuple(self._free(alias) for alias in aliases)
        named = ("user", address)
        user_id = self._ids.digits(_SUB_DIGITS, *named) if tenant.provider == "google" else self._ids.guid(*named)
        user = User(user_id, tenant.id, tenant.provider, name, address, time_zone, sign_in_name, aliases)
        self.users[user.id] = user
        self._by_address |= dict.fromkeys(user.addresses, user)
        return user

    def add_room(
        self,
        tenant_id: str,
        name: str,
        address: str,
        *,
        capacity: int = 8,
        building: str = "",
        floor: str = "",
        rules: RoomRules | None = None,
        equipment: tuple[str, ...] = (),
        accessible: bool | None = None,
    ) -> Room:
        """A room with an empty mailbox. Raises NotThereError, TakenError."""
        tenant = self.tenant(tenant_id)
        address = self._free(address)
        room_id = self._ids.guid("room", address)
        room = Room(room_id, tenant.id, tenant.provider, name, address, capacity, building, floor, rules or RoomRules())
        room.equipment, room.accessible = equipment, accessible
        self.rooms[room.id] = self._by_address[address] = room
        return room

    def tenant(self, tenant_id: str) -> Tenant:
        """By id, domain or name. Raises NotThereError."""
        for tenant in self.tenants.values():
            if tenant_id in {tenant.id, tenant.domain, tenant.name}:
                return tenant
        message = f"no tenant {tenant_id}: POST /sim/v1/tenants first"
        raise NotThereError(message)

    def find(self, key: str) -> Mailbox | None:
        """A person or room by id or address, or None."""
        return self.users.get(key) or self.rooms.get(key) or self._by_address.get(key.lower())

    def mailbox(self, key: str) -> Mailbox:
        """A person or room by id or address. Raises NotThereError."""
        found = self.find(key)
        if found is None:
            message = f"no user or room {key}"
            raise NotThereError(message)
        return found

    def user(self, key: str) -> User:
        """A person by id or address. Raises NotThereError."""
        found = self.find(key)
        if not isinstance(found, User):
            message = f"no user {key}"
            raise NotThereError(message)
        return found

    def room(self, key: str) -> Room:
        """A room by id or address. Raises NotThereError."""
        found = self.find(key)
        if not isinstance(found, Room):
            message = f"no room {key}"
            raise NotThereError(message)
        return found

    def rooms_of(self, tenant_id: str) -> list[Room]:
        """The rooms of one tenant, in the order they were made."""
        return [room for room in self.rooms.values() if room.tenant_id == tenant_id]

    def _free(self, address: str) -> str:
        address = address.lower()
        if address in self._by_address:
            message = f"{address} exists already"
            raise TakenError(message)
        return address
