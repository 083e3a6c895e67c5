"""One simulator for all, one office a test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.runtime.serving import serve_in_background
from tests.integration.services.portal.office import Browser, Office, Simulator, an_office, simulator_process


@pytest.fixture(scope="session")
def simulator_url() -> Iterator[str]:
    """The provider simulator, in a process of its own."""
    with simulator_process() as url:
        yield url


@pytest.fixture
def domain() -> str:
    """An organisation's domain of this test's own: the simulator outlives tests."""
    return f"x{uuid.uuid4().hex[:8]}.test"


@pytest.fixture
def simulator(simulator_url: str, domain: str) -> Iterator[Simulator]:
    """With one organisation per provider; Ada and Ben in each, who have given their consent."""
    found = Simulator(simulator_url)
    for provider, where in (("microsoft", domain), ("google", f"g.{domain}")):
        tenant = found.post("tenants", provider=provider, name="Contoso", domain=where)
        for name in ("Ada", "Ben"):
            user = found.post("users", tenant=tenant["id"], name=name, address=f"{name.lower()}@{where}")
            found.post(f"users/{user['id']}/consents", granted=True)
    yield found
    found.faults(oauth={})


@pytest.fixture
def office(tmp_path: Path, simulator: Simulator) -> Iterator[Office]:
    """A portal at its first day."""
    with an_office(tmp_path / "home", simulator) as found:
        yield found


@pytest.fixture
def address(office: Office) -> Iterator[str]:
    """Where the office's portal is served, for browsers; streams that are open end with it."""
    server = serve_in_background(office.app, "portal", threads=8, ready=False)
    yield server.url
    office.deps.stop.set()
    server.close()


@pytest.fixture
def ada(office: Office, domain: str) -> Browser:
    """Signed in."""
    return office.signed_in(f"ada@{domain}")


@pytest.fixture
def ben(office: Office, domain: str) -> Browser:
    """A colleague, signed in as well."""
    return office.signed_in(f"ben@{domain}")
