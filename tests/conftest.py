"""Shared by every test: real servers, a browser, and which tests run beside which."""

from __future__ import annotations

import os

from tests.support.paths import SAMPLES

pytest_plugins = ["tests.support.scheduling", "tests.support.servers", "tests.support.chromium"]

# Every test speaks to loopback only, and so does every process that it starts.
os.environ.setdefault("SSL_CERT_FILE", str(SAMPLES / "tls" / "nobodys-authority.pem"))
