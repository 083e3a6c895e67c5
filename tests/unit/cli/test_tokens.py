"""Service tokens from the operator's side: made, listed without being shown, rotated, withdrawn."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cli.main import roomsync
from shared.crypto.master import new_key
from shared.organisations.enrolment import enrol
from shared.organisations.service_tokens import tenant_of_token
from shared.runtime.settings import load
from shared.runtime.wiring import open_engine


@pytest.mark.proves("E11")
def test_operator_rotates_a_token_without_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"ROOMSYNC_HOME": str(tmp_path / "home"), "ROOMSYNC_MASTER_KEY": new_key()}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    engine = open_engine(load(environ))
    tenant = enrol(engine.registry, engine.keyring, provider="google", directory="corp.example", name="Corp")

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(roomsync, ["tokens", *arguments], standalone_mode=False, catch_exceptions=False)
        return done.return_value, done.stdout.strip()

    try:
        first = run("make", "--tenant", tenant)[1]
        second = run("make", "--tenant", tenant)[1]
        assert run("make", "--tenant", tenant) == (1, "")
        names = [line.split()[0] for line in run("list", "--tenant", tenant)[1].splitlines()]
        assert len(names) == 2
        assert first not in run("list", "--tenant", tenant, "--json")[1]
        assert [tenant_of_token(engine.registry, token) for token in (first, second)] == [tenant, tenant]

        assert run("withdraw", "--tenant", tenant, "--name", names[0])[0] == 0

        assert [tenant_of_token(engine.registry, token) for token in (first, second)] == [None, tenant]
        for wrong in (["withdraw", "--tenant", tenant, "--name", "none"], ["make", "--tenant", "t-none"]):
            with pytest.raises(click.UsageError, match="roomsync t"):
                run(*wrong)
    finally:
        engine.close()
