"""How this process proves itself to the brokers, and they to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Security:
    """As Kafka names it; checked by the settings. The default is plain text without a login: for loopback and private networks."""

    protocol: str = "PLAINTEXT"
    """`PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`."""
    mechanism: str = ""
    """`PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`."""
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    """PEM file of the authority that signed the brokers' certificates; "": those the system trusts."""

    def knobs(self) -> Mapping[str, Any]:
        """The options that the client library needs."""
        found: dict[str, Any] = {"security_protocol": self.protocol}
        if self.protocol.startswith("SASL"):
            found["sasl_mechanism"] = self.mechanism
            found["sasl_plain_username"], found["sasl_plain_password"] = self.username, self.password
        if self.protocol.endswith("SSL"):
            found["ssl_check_hostname"] = True
            found["ssl_cafile"] = self.ca_file or None
        return found


PLAIN_TEXT = Security()
