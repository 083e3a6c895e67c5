"""Destroying keys leaves a record first, one a key, and harms no key made later."""

from __future__ import annotations

import pytest

from shared.contracts import envelope as envelopes
from shared.contracts.erasure import Erasure, KeyClass
from shared.contracts.topics import ERASURES
from shared.errors import KeyDestroyedError, LogUnavailableError
from shared.ports.engine import Engine
from shared.runtime.erasure import erase_consents, erase_data
from tests.support.builders import NOW_MS

TENANT = "t-one"


def recorded(engine: Engine) -> list[Erasure]:
    records = [
        record
        for partition in range(engine.log.partitions)
        for record in engine.log.read(ERASURES.name, partition, engine.log.span(ERASURES.name, partition).begin)
    ]
    return [envelopes.payload_of(envelopes.decode(record.value or b""), Erasure) for record in records]


def test_erasing_data_says_so_on_the_log_and_leaves_the_grants(engine: Engine) -> None:
    keys = engine.keyring.create(TENANT)

    erase_data(engine, TENANT, now_ms=NOW_MS)

    assert recorded(engine) == [Erasure(key_class=KeyClass.DATA, era=keys.era, at_ms=NOW_MS)]
    with pytest.raises(KeyDestroyedError):
        engine.keyring.keys(TENANT)
    assert engine.keyring.consent_key(TENANT) == keys.consent_key


def test_erasing_consents_leaves_the_data(engine: Engine) -> None:
    keys = engine.keyring.create(TENANT)

    erase_consents(engine, TENANT, now_ms=NOW_MS)

    assert [one.key_class for one in recorded(engine)] == [KeyClass.CONSENT]
    with pytest.raises(KeyDestroyedError):
        engine.keyring.consent_key(TENANT)
    assert engine.keyring.keys(TENANT).data_key == keys.data_key


def test_erasing_twice_is_erasing_once(engine: Engine) -> None:
    engine.keyring.create(TENANT)

    erase_data(engine, TENANT, now_ms=NOW_MS)
    erase_data(engine, TENANT, now_ms=NOW_MS + 1)

    assert len(recorded(engine)) == 1


def test_each_successive_key_has_a_record_of_its_own(engine: Engine) -> None:
    eras = set()
    for _ in range(2):
        eras.add(engine.keyring.create(TENANT).era)
        erase_data(engine, TENANT, now_ms=NOW_MS)

    assert {one.era for one in recorded(engine)} == eras


def test_no_key_goes_before_its_record_is_durable(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = engine.keyring.create(TENANT)

    def away(_: object) -> None:
        raise LogUnavailableError

    monkeypatch.setattr(engine.log, "append", away)
    with pytest.raises(LogUnavailableError):
        erase_data(engine, TENANT, now_ms=NOW_MS)

    assert engine.keyring.keys(TENANT) == keys
