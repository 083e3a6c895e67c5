"""Brokers that speak TLS under an authority of their own, ask for a login, and allow nothing that no rule allows."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.local.processes import HOST

MECHANISM = "SCRAM-SHA-512"
SUPERUSER = "broker"
"""Logs the brokers in at each other, and whoever sets up users and rules."""
_LIFE = dt.timedelta(days=30)
_JAAS = "org.apache.kafka.common.security"


class Secured:
    """Certificates, passwords and the brokers' part of the configuration, in a directory that is made if it is missing."""

    listener = "SECURED"

    def __init__(self, directory: Path) -> None:
        """Make what is missing."""
        self.ca_file = directory / "ca.pem"
        self._keystore = directory / "broker.pem"
        self._password_file = directory / "password"
        if not self._password_file.exists():
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            _make_certificates(self.ca_file, self._keystore)
            _write(self._password_file, secrets.token_hex(16).encode())
        self.password = self._password_file.read_text()
        """The superuser's."""

    def format_options(self) -> list[str]:
        """For `StorageTool format`: the one user that has to be there before anybody can log in."""
        return ["--add-scram", f"{MECHANISM}=[name={SUPERUSER},password={self.password}]"]

    def settings(self) -> str:
        """The environment of somebody who sets up users and rules."""
        values = {
            "SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": MECHANISM, "SASL_USERNAME": SUPERUSER,
            "SASL_PASSWORD_FILE": self._password_file, "CA_FILE": self.ca_file,
        }  # fmt: skip
        return "\n".join(f"ROOMSYNC_KAFKA_{name}={value}" for name, value in values.items())

    def properties(self) -> Mapping[str, object]:
        """What `server.properties` has to say; controllers know no SCRAM and take PLAIN, inside TLS like everything else."""
        name = self.listener.lower()
        plain = f'{_JAAS}.plain.PlainLoginModule required username="{SUPERUSER}" password="{self.password}"'
        scram = f'{_JAAS}.scram.ScramLoginModule required username="{SUPERUSER}" password="{self.password}";'
        return {
            "listener.security.protocol.map": f"CONTROLLER:SASL_SSL,{self.listener}:SASL_SSL",
            "sasl.enabled.mechanisms": MECHANISM,
            "sasl.mechanism.inter.broker.protocol": MECHANISM,
            f"listener.name.{name}.scram-sha-512.sasl.jaas.config": scram,
            "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.controller.plain.sasl.jaas.config": f'{plain} user_{SUPERUSER}="{self.password}";',
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self._keystore,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.ca_file,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:{SUPERUSER}",
        }


def _make_certificates(ca_file: Path, keystore: Path) -> None:
    """An authority that signs one certificate for this machine's loopback, and is then forgotten."""
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer, subject = _name("a test's own authority"), _name(HOST)
    root = (
        _certificate(issuer, issuer, authority.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST)), x509.DNSName("localhost")])
    leaf = (
        _certificate(subject, issuer, key.public_key())
        .add_extension(names, critical=False)
        .sign(authority, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(ca_file, root.public_bytes(pem))
    _write(keystore, private + leaf.public_bytes(pem) + root.public_bytes(pem))


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + _LIFE)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
