"""A registry, a keyring, a clock and a token endpoint that live in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from shared.contracts.rows import IntegrationState, TenantRow, UserRow
from shared.crypto.sealing import seal
from shared.domain.identity import Mailbox
from shared.domain.keys import TenantKeys
from shared.errors import ConflictError, KeyDestroyedError
from shared.grants.broker import ConsentBroker
from shared.grants.oauth import Granted, Outcome, TokenRequest
from shared.ports.registry import Versioned
from shared.registry.tables import tenants, users
from shared.runtime.settings import Settings

TENANT = "t-one"
MAILBOX = Mailbox(TENANT, "mb-ana")


class MemoryRegistry:
    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], Versioned] = {}
        self.before_put: Callable[[], None] | None = None
        self._lock = threading.Lock()

    def get(self, table: str, tenant: str, row: str) -> Versioned | None:
        return self.rows.get((table, tenant, row))

    def put(
        self,
        table: str,
        tenant: str,
        row: str,
        value: bytes,
        *,
        expect: int | None = None,
        not_after_ms: int | None = None,  # noqa: ARG002 - a deadline is the store's business, proved in its contract
    ) -> int:
        if self.before_put:
            hook, self.before_put = self.before_put, None
            hook()
        with self._lock:
            found = self.rows.get((table, tenant, row))
            version = found.version if found else 0
            if expect is not None and expect != version:
                message = "somebody wrote first"
                raise ConflictError(message)
            self.rows[table, tenant, row] = Versioned(value, version + 1)
            return version + 1

    def delete(self, table: str, tenant: str, row: str) -> None:
        self.rows.pop((table, tenant, row), None)

    def get_many(self, table: str, tenant: str, rows: Collection[str]) -> Mapping[str, Versioned]:
        return {row: found for row in rows if (found := self.rows.get((table, tenant, row)))}

    def scan(self, table: str, tenant: str) -> Iterator[tuple[str, Versioned]]:
        return ((key[2], found) for key, found in sorted(self.rows.items()) if key[:2] == (table, tenant))

    def scan_named(self, table: str, tenant: str, owner: str) -> Iterator[tuple[str, Versioned]]:
        return (
            each
            for each in self.scan(table, tenant)
            if f"/{each[0]}/".startswith(f"/{owner}/") or each[0].endswith(f"/{owner}")
        )

    def close(self) -> None: ...


class MemoryKeyring:
    def __init__(self) -> None:
        self.consents: dict[str, bytes] = {}

    def keys(self, tenant: str) -> TenantKeys:
        return TenantKeys(tenant, b"d" * 32, b"h" * 32, self.consent_key(tenant))

    def consent_key(self, tenant: str) -> bytes:
        if tenant not in self.consents:
            message = "destroyed"
            raise KeyDestroyedError(message)
        return self.consents[tenant]

    def create(self, tenant: str) -> TenantKeys:
        self.consents.setdefault(tenant, tenant.encode().ljust(32, b"."))
        return self.keys(tenant)

    def destroy_data(self, tenant: str) -> None: ...

    def destroy_consent(self, tenant: str) -> None:
        self.consents.pop(tenant, None)

    def rewrap(self) -> int:
        return 0

    def close(self) -> None: ...


@dataclass
class ManualClock:
    at_ms: int = 1_795_000_000_000

    def now_ms(self) -> int:
        return self.at_ms


@dataclass
class ScriptedEndpoint:
    """Answers from a list; when it is used up, with numbered tokens."""

    answers: list[Outcome] = field(default_factory=list)
    asked: list[TokenRequest] = field(default_factory=list)
    before_answer: Callable[[], None] | None = None

    def ask(self, request: TokenRequest) -> Outcome:
        self.asked.append(request)
        if self.before_answer:
            self.before_answer()
        if self.answers:
            return self.answers.pop(0)
        return Granted(f"access-{len(self.asked)}", 3599.0, f"refresh-{len(self.asked)}")


@dataclass
class House:
    """One tenant with one person, Ana, and two processes' brokers over the same rows."""

    registry: MemoryRegistry
    keyring: MemoryKeyring
    clock: ManualClock
    endpoint: ScriptedEndpoint
    broker: ConsentBroker
    other: ConsentBroker


SETTINGS = Settings(
    microsoft_client_id="roomsync",
    microsoft_client_secret="s3cret",
    microsoft_login_url="http://127.0.0.1:1/login",
    google_client_id="g-roomsync",
    google_client_secret="g-s3cret",
    google_token_url="http://127.0.0.1:1/token",
    call_timeout_s=1.0,
)


@pytest.fixture
def house() -> House:
    registry, keyring, clock, endpoint = MemoryRegistry(), MemoryKeyring(), ManualClock(), ScriptedEndpoint()
    keys = keyring.create(TENANT)
    tenants(registry).put(
        TENANT,
        "tenant",
        TenantRow(name="Contoso", provider="microsoft", directory="d-1", integration=IntegrationState.ENABLED),
    )
    assert keys.consent_key
    address = seal(keys.consent_key, b"ana@contoso.example", purpose=f"user/{TENANT}/u-ana")
    users(registry).put(
        TENANT,
        "u-ana",
        UserRow(provider="microsoft", subject="oid-ana", address_sealed=address, person="p-ana", mailbox=MAILBOX.id),
    )
    made = [ConsentBroker(registry, keyring, SETTINGS, clock, endpoint) for _ in range(2)]
    return House(registry, keyring, clock, endpoint, *made)
