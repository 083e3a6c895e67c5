"""How the brokers are to be spoken to is checked at the start, and said in one sentence a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.engines.distributed.security import Security
from shared.errors import ConfigurationError
from shared.runtime.settings import load
from shared.runtime.wiring import kafka_security

SASL = {"SASL_MECHANISM": "SCRAM-SHA-512", "SASL_USERNAME": "portal", "SASL_PASSWORD": "secret"}


def environ(**values: str) -> dict[str, str]:
    kafka = {
        "ROOMSYNC_ENGINE": "kafka",
        "ROOMSYNC_VIEW_REDIS_URL": "redis://v",
        "ROOMSYNC_REGISTRY_REDIS_URL": "redis://r",
    }
    return kafka | {f"ROOMSYNC_KAFKA_{name}": value for name, value in {"BOOTSTRAP": "k:9092", **values}.items()}


def test_nothing_said_is_plain_text() -> None:
    assert kafka_security(load({})) == Security()
    assert Security().knobs() == {"security_protocol": "PLAINTEXT"}


def test_a_login_over_tls_reaches_the_client(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.touch()
    secret = tmp_path / "password"
    secret.write_text("secret\n")
    values = environ(SECURITY_PROTOCOL="SASL_SSL", **SASL, CA_FILE=str(ca))
    del values["ROOMSYNC_KAFKA_SASL_PASSWORD"]
    settings = load({**values, "ROOMSYNC_KAFKA_SASL_PASSWORD_FILE": str(secret)})

    assert kafka_security(settings).knobs() == {
        "security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512", "sasl_plain_username": "portal",
        "sasl_plain_password": "secret", "ssl_check_hostname": True, "ssl_cafile": str(ca),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"SECURITY_PROTOCOL": "TLS"}, "must be one of PLAINTEXT"),
        ({"SECURITY_PROTOCOL": "SASL_SSL", **SASL, "SASL_MECHANISM": "GSSAPI"}, "must be one of PLAIN, SCRAM"),
        ({"SECURITY_PROTOCOL": "SASL_SSL", **SASL, "SASL_PASSWORD": ""}, "KAFKA_SASL_PASSWORD is missing"),
        ({"SECURITY_PROTOCOL": "SASL_SSL", **SASL, "SASL_USERNAME": ""}, "KAFKA_SASL_USERNAME is missing"),
        ({**SASL}, "logs in to nobody"),
        ({"SECURITY_PROTOCOL": "SSL", "CA_FILE": "/nowhere.pem"}, "there is no such file"),
        ({"CA_FILE": "/nowhere.pem"}, "checks no certificate"),
        ({"SECURITY_PROTOCOL": "SASL_PLAINTEXT", **SASL, "SASL_MECHANISM": "PLAIN"}, "in the clear"),
    ],
)
def test_a_contradiction_is_said_at_the_start(values: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as raised:
        load(environ(**values))
    assert "secret" not in str(raised.value)


def test_the_password_is_never_shown() -> None:
    settings = load(environ(SECURITY_PROTOCOL="SASL_SSL", **SASL))

    assert settings.shown()["kafka_sasl_password"] == "***"
    assert "secret" not in repr(kafka_security(settings))
