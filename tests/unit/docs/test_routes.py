"""The table of routes beside the applications: it is whole, true of the rights, and strangers find its doors closed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from shared.domain.roles import MATRIX, Right, Role
from tests.support.applications import applications
from tests.support.routes import OTHERS, ROLES, Route, table

TABLE = table()
PORTAL, SIMULATOR = TABLE["portal"], TABLE["simulator"]
WRITING_READS = {"GET /auth/login", "GET /auth/callback"}


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Flask]]:
    with applications(tmp_path_factory.mktemp("apps")) as found:
        yield found


@pytest.mark.parametrize("service", TABLE)
def test_every_route_of_every_application_stands_in_the_table(apps: dict[str, Flask], service: str) -> None:
    assert set(apps) == set(TABLE)
    found = {
        f"{method} {rule.rule}"
        for rule in apps[service].url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert found == {route.name for route in TABLE[service]}


@pytest.mark.parametrize(
    "route", [route for routes in TABLE.values() for route in routes], ids=lambda route: route.name
)
def test_a_right_is_asked_of_the_least_role_that_has_it_and_reading_changes_nothing(route: Route) -> None:
    assert route.who in (*ROLES, *OTHERS)
    if route.right:
        assert route.who == next(role for role in Role if role in MATRIX[Right(route.right)])
    else:
        assert route.who not in {"building-admin", "subscription-admin"}, "more than an employee by some right alone"
    if route.method == "GET" and route.name not in WRITING_READS:
        assert not route.changes


@pytest.mark.parametrize("credentials", ["", "Bearer x", "Basic eDp4"])
@pytest.mark.parametrize(
    "route", [each for each in PORTAL if each.who in (*ROLES, "service")], ids=lambda each: each.name
)
def test_a_stranger_is_sent_to_sign_in_whatever_they_ask(
    apps: dict[str, Flask], route: Route, credentials: str
) -> None:
    headers = {"Authorization": credentials} if credentials else {}
    with apps["portal"].test_client().open(route.path(), method=route.method, headers=headers) as answer:
        assert answer.status_code in ({303, 401} if route.method == "GET" else {401}), answer.text
        if answer.status_code == 303:
            assert answer.headers["Location"].startswith("/auth/login")


@pytest.mark.parametrize(
    "route", [each for each in SIMULATOR if each.who == "provider-token"], ids=lambda each: each.name
)
def test_the_simulated_providers_ask_for_a_token(apps: dict[str, Flask], route: Route) -> None:
    assert apps["simulator"].test_client().open(route.path(), method=route.method).status_code == 401
