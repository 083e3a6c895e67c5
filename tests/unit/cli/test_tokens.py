"""Service tokens from the operator's side: made, listed without being shown, rotated, withdrawn."""

from __future__ import annotations

import click
import pytest

from shared.organisations.enrolment import enrol
from shared.organisations.service_tokens import prove_token
from shared.ports.engine import Engine
from shared.ports.registry import Registry
from tests.support.commands import Run


def tenant_of(registry: Registry, token: str) -> str | None:
    """Whose the token is."""
    proven = prove_token(registry, token)
    return proven[0] if proven else None


@pytest.mark.proves("E11")
def test_operator_rotates_a_token_without_an_interruption(run: Run, engine: Engine) -> None:
    tenant = enrol(engine.registry, engine.keyring, provider="google", directory="corp.example", name="Corp")

    def tokens(*arguments: str) -> tuple[int, str]:
        done = run("tokens", *arguments)
        return done.code, done.out.strip()

    first = tokens("make", "--tenant", tenant)[1]
    second = tokens("make", "--tenant", tenant)[1]
    assert tokens("make", "--tenant", tenant) == (1, "")
    names = [line.split()[0] for line in tokens("list", "--tenant", tenant)[1].splitlines()]
    assert len(names) == 2
    assert first not in tokens("list", "--tenant", tenant, "--json")[1]
    assert [tenant_of(engine.registry, token) for token in (first, second)] == [tenant, tenant]

    assert tokens("withdraw", "--tenant", tenant, "--name", names[0])[0] == 0

    assert [tenant_of(engine.registry, token) for token in (first, second)] == [None, tenant]
    for wrong in (["withdraw", "--tenant", tenant, "--name", "none"], ["make", "--tenant", "t-none"]):
        with pytest.raises(click.UsageError, match="roomsync t"):
            tokens(*wrong)
