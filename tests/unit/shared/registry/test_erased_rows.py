"""Which rows go when a key of their tenant is destroyed: as the table of tables says, for every table."""

from __future__ import annotations

import msgspec
import pytest

from shared.contracts.erasure import KeyClass
from shared.contracts.rows import IntegrationState, TenantRow
from shared.grants.sleep import SLEEP_MS
from shared.organisations.enrolment import enrol
from shared.organisations.off_boarding import end_sleep, finish_erasure
from shared.ports.engine import Engine
from shared.registry import tables
from tests.contract.golden.kinds import example
from tests.support.builders import NOW_MS

SPECIAL = {"tenants", "directories", "leases"}


@pytest.fixture
def tenant(engine: Engine) -> str:
    """An organisation with a row in every table."""
    name = enrol(engine.registry, engine.keyring, provider="google", directory="corp.example", name="Corp")
    for table in tables.TABLES:
        if table.name not in SPECIAL:
            table(engine.registry).put(name, "x", example(table.row))
    return name


def row_ids(engine: Engine, tenant: str) -> set[str]:
    return {
        table.name for table in tables.TABLES if table.name not in SPECIAL and any(table(engine.registry).scan(tenant))
    }


def switched_off(engine: Engine, tenant: str, era: str = "") -> None:
    def off(row: TenantRow | None) -> TenantRow | None:
        assert row is not None
        return msgspec.structs.replace(
            row, integration=IntegrationState.DISABLED, sleep_until_ms=NOW_MS + SLEEP_MS, doomed_era=era
        )

    tables.tenants(engine.registry).change(tenant, "tenant", off)


def everything() -> set[str]:
    return {table.name for table in tables.TABLES} - SPECIAL


def gone_with(key: KeyClass) -> set[str]:
    return {table.name for table in tables.erased_with(key)}


def test_the_rows_of_the_data_key_go_when_it_is_destroyed(engine: Engine, tenant: str) -> None:
    switched_off(engine, tenant, engine.keyring.keys(tenant).era)

    done = finish_erasure(
        engine.registry, engine.keyring, tenant, erase=lambda: engine.keyring.destroy_data(tenant), now_ms=NOW_MS
    )

    assert done
    assert row_ids(engine, tenant) == everything() - gone_with(KeyClass.DATA)


@pytest.mark.parametrize("administrator", [False, True])
def test_the_rows_of_the_consent_key_go_when_it_is_destroyed(engine: Engine, tenant: str, administrator: bool) -> None:
    switched_off(engine, tenant)
    if not administrator:
        user = example(tables.users.row)
        tables.users(engine.registry).put(tenant, "x", msgspec.structs.replace(user, roles=()))

    done = end_sleep(
        engine.registry,
        engine.keyring,
        tenant,
        erase=lambda: engine.keyring.destroy_consent(tenant),
        now_ms=NOW_MS + SLEEP_MS,
    )

    assert done
    assert row_ids(engine, tenant) == everything() - gone_with(KeyClass.CONSENT) | (
        {"users"} if administrator else set()
    )
