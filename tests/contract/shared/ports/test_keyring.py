"""The promises of the Keyring port: made once, destroyed for everybody at once, carried over to a new master key."""

from __future__ import annotations

import pytest

from shared.crypto.master import new_key, parse
from shared.errors import ConfigurationError, KeyDestroyedError
from shared.ports.engine import Engine
from shared.ports.keyring import Keyring
from tests.contract.conftest import EngineFactory
from tests.contract.deployments import Deployment


@pytest.fixture
def keyring(engine: Engine) -> Keyring:
    return engine.keyring


def test_keys_are_made_once_and_are_the_same_for_everybody(
    keyring: Keyring, engine_factory: EngineFactory, tenant: str
) -> None:
    made = keyring.create(tenant)
    assert made.consent_key is not None
    assert len({made.data_key, made.hash_key, made.consent_key}) == 3
    assert {len(key) for key in (made.data_key, made.hash_key, made.consent_key)} == {32}
    other_process = engine_factory().keyring
    assert other_process.keys(tenant) == keyring.keys(tenant) == keyring.create(tenant) == made
    assert other_process.consent_key(tenant) == made.consent_key


def test_a_tenant_without_keys_is_told_so(keyring: Keyring, tenant: str) -> None:
    with pytest.raises(KeyDestroyedError):
        keyring.keys(tenant)
    with pytest.raises(KeyDestroyedError):
        keyring.consent_key(tenant)


def test_tenants_have_keys_of_their_own(keyring: Keyring, tenant: str) -> None:
    mine, theirs = keyring.create(tenant), keyring.create(f"{tenant}-other")
    assert not {mine.data_key, mine.hash_key, mine.consent_key} & {theirs.data_key, theirs.hash_key, theirs.consent_key}
    keyring.destroy_data(tenant)
    keyring.destroy_consent(tenant)
    assert keyring.keys(f"{tenant}-other") == theirs


def test_destroyed_data_keys_are_gone_for_every_process_while_grants_can_still_be_opened(
    keyring: Keyring, engine_factory: EngineFactory, tenant: str
) -> None:
    other_process = engine_factory().keyring
    made = other_process.create(tenant)
    other_process.keys(tenant)
    keyring.destroy_data(tenant)
    keyring.destroy_data(tenant)
    with pytest.raises(KeyDestroyedError):
        other_process.keys(tenant)
    assert other_process.consent_key(tenant) == made.consent_key


def test_enabling_again_makes_new_data_keys_and_keeps_the_grants(keyring: Keyring, tenant: str) -> None:
    made = keyring.create(tenant)
    keyring.destroy_data(tenant)
    again = keyring.create(tenant)
    assert again.consent_key == made.consent_key
    assert not {again.data_key, again.hash_key} & {made.data_key, made.hash_key}


def test_a_destroyed_consent_key_leaves_the_data_readable(keyring: Keyring, tenant: str) -> None:
    made = keyring.create(tenant)
    keyring.destroy_consent(tenant)
    keyring.destroy_consent(tenant)
    with pytest.raises(KeyDestroyedError):
        keyring.consent_key(tenant)
    left = keyring.keys(tenant)
    assert (left.data_key, left.hash_key, left.consent_key) == (made.data_key, made.hash_key, None)


def test_destroying_what_never_was_is_no_error(keyring: Keyring, tenant: str) -> None:
    keyring.destroy_data(tenant)
    keyring.destroy_consent(tenant)


def test_keys_are_carried_over_to_a_new_master_key(
    keyring: Keyring, engine_factory: EngineFactory, deployment: Deployment, tenant: str
) -> None:
    made = keyring.create(tenant)
    newest = new_key()
    rotated = engine_factory(master=f"{newest},{deployment.master}").keyring
    assert rotated.keys(tenant) == made
    assert rotated.rewrap() >= 1
    assert rotated.rewrap() == 0
    only_new = engine_factory(master=newest).keyring
    assert only_new.keys(tenant) == made
    assert only_new.consent_key(tenant) == made.consent_key
    with pytest.raises(ConfigurationError):
        keyring.keys(tenant)
    engine_factory(master=f"{deployment.master},{newest}").keyring.rewrap()
    assert keyring.keys(tenant) == made


def test_another_master_key_of_the_same_name_is_a_wrong_setting_and_no_damaged_record(
    keyring: Keyring, engine_factory: EngineFactory, deployment: Deployment, tenant: str
) -> None:
    made = keyring.create(tenant)
    name = parse(deployment.master).current
    wrong = engine_factory(master=f"{name}:{new_key().partition(':')[2]}").keyring
    for ask in (wrong.keys, wrong.consent_key, wrong.create):
        with pytest.raises(ConfigurationError, match="ROOMSYNC_MASTER_KEY"):
            ask(tenant)
    assert keyring.keys(tenant) == made
