"""Every code of a problem document with its status: a program that knows the code knows the status."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.support.paths import ROOT

STATUS_OF = {
    "*-invalid": "UNPROCESSABLE_ENTITY",
    "address-too-long": "REQUEST_URI_TOO_LONG",
    "also-not-a-list": "BAD_REQUEST",
    "appointments-full": "CONFLICT",
    "bad-address": "BAD_REQUEST",
    "bad-characters": "BAD_REQUEST",
    "booking-*": "UNPROCESSABLE_ENTITY",
    "calendar-busy": "SERVICE_UNAVAILABLE",
    "calendar-refuses": "CONFLICT",
    "calendar-suspended": "SERVICE_UNAVAILABLE",
    "contact": "UNPROCESSABLE_ENTITY",
    "csrf": "FORBIDDEN",
    "cursor": "BAD_REQUEST",
    "date-far": "UNPROCESSABLE_ENTITY",
    "date-past": "UNPROCESSABLE_ENTITY",
    "directory-refused": "CONFLICT",
    "idempotency-key-missing": "BAD_REQUEST",
    "idempotency-key-reused": "UNPROCESSABLE_ENTITY",
    "integration-on": "CONFLICT",
    "internal": "INTERNAL_SERVER_ERROR",
    "json-missing": "BAD_REQUEST",
    "last-subscription-admin": "CONFLICT",
    "limit": "BAD_REQUEST",
    "link-of-another": "FORBIDDEN",
    "link-only-read": "METHOD_NOT_ALLOWED",
    "log-unavailable": "SERVICE_UNAVAILABLE",
    "no-address": "UNPROCESSABLE_ENTITY",
    "no-candidate": "CONFLICT",
    "no-code": "UNPROCESSABLE_ENTITY",
    "no-organisation": "CONFLICT",
    "no-such-appointment": "NOT_FOUND",
    "no-such-decline": "NOT_FOUND",
    "no-such-delivery": "NOT_FOUND",
    "no-such-link": "NOT_FOUND",
    "no-such-prompt": "NOT_FOUND",
    "no-such-provider": "UNPROCESSABLE_ENTITY",
    "no-such-role": "UNPROCESSABLE_ENTITY",
    "no-such-room": "NOT_FOUND",
    "no-such-take": "NOT_FOUND",
    "no-test": "CONFLICT",
    "no-such-webhook": "NOT_FOUND",
    "none-free": "UNPROCESSABLE_ENTITY",
    "not-allowed": "FORBIDDEN",
    "not-confirmed": "CONFLICT",
    "not-connected": "CONFLICT",
    "not-enabled": "CONFLICT",
    "not-one-series": "UNPROCESSABLE_ENTITY",
    "not-signed-in": "UNAUTHORIZED",
    "nothing-held": "CONFLICT",
    "notifications-invalid": "UNPROCESSABLE_ENTITY",
    "one-organisation": "FORBIDDEN",
    "other-calendar": "CONFLICT",
    "other-organisation": "FORBIDDEN",
    "prompt-*": "CONFLICT",
    "provider-slow": "SERVICE_UNAVAILABLE",
    "public-url": "BAD_REQUEST",
    "read-only-permission": "CONFLICT",
    "rebuilding": "SERVICE_UNAVAILABLE",
    "report-days": "BAD_REQUEST",
    "room-address-fixed": "UNPROCESSABLE_ENTITY",
    "room-invalid": "UNPROCESSABLE_ENTITY",
    "room-is-person": "UNPROCESSABLE_ENTITY",
    "room-known": "CONFLICT",
    "room-missing": "BAD_REQUEST",
    "room-not-offered": "UNPROCESSABLE_ENTITY",
    "rooms-full": "CONFLICT",
    "row-refused": "INTERNAL_SERVER_ERROR",
    "service-token": "UNAUTHORIZED",
    "streams-full": "SERVICE_UNAVAILABLE",
    "take-under-way": "CONFLICT",
    "takes-full": "TOO_MANY_REQUESTS",
    "test-under-way": "CONFLICT",
    "tests-full": "SERVICE_UNAVAILABLE",
    "too-many-requests": "TOO_MANY_REQUESTS",
    "webhook-invalid": "UNPROCESSABLE_ENTITY",
    "webhook-paused": "CONFLICT",
    "webhook-secrets": "CONFLICT",
    "webhooks-full": "CONFLICT",
    "webhooks-off": "CONFLICT",
    "writes-off": "FORBIDDEN",
}
"""Code, as the source writes it, to status. A code with `*` in it names what it is about in that place."""
QUOTAS = {"*-full": {"CONFLICT", "TOO_MANY_REQUESTS"}}
"""One code for each kind of row: some are kept until they are taken away, the others counted by the day."""
OF_OTHERS = {"*"}
"""Not ours: an error of HTTP itself, whose code is the phrase of its status."""


def written_codes() -> Iterator[tuple[str, str, str]]:
    """Code, status and place of every problem that a service makes."""
    for path in sorted((ROOT / "services").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "ProblemError":
                status, code = node.args[:2]
                yield _as_text(code), ast.unparse(status).removeprefix("HTTPStatus."), f"{path.name}:{node.lineno}"


def _as_text(code: ast.expr) -> str:
    match code:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in parts)
        case _:
            return "*"


def test_each_code_has_one_status_and_stands_in_the_table() -> None:
    written = [each for each in written_codes() if each[0] not in OF_OTHERS | QUOTAS.keys()]
    wrong = [f"{place}: {code} is {status}" for code, status, place in written if STATUS_OF.get(code) != status]
    assert wrong == [], "give the code the status of the table, or a new code a line there"
    assert STATUS_OF.keys() - {code for code, _, _ in written} == set()


def test_no_kind_of_row_is_counted_in_both_ways() -> None:
    counted: dict[str, set[str]] = {"reserve": set(), "reserve_today": set()}
    for path in (ROOT / "services").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in counted:
                counted[node.func.attr].add(ast.unparse(node.args[0]))
    assert all(counted.values())
    assert counted["reserve"].isdisjoint(counted["reserve_today"])
