"""Every code of a problem document with its status: a program that knows the code knows the status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus

STATUS_OF: Mapping[str, HTTPStatus] = {
    "*-invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "address-too-long": HTTPStatus.REQUEST_URI_TOO_LONG,
    "also-not-a-list": HTTPStatus.BAD_REQUEST,
    "appointments-full": HTTPStatus.CONFLICT,
    "bad-address": HTTPStatus.BAD_REQUEST,
    "bad-characters": HTTPStatus.BAD_REQUEST,
    "booking-*": HTTPStatus.UNPROCESSABLE_ENTITY,
    "browser-invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "browsers-off": HTTPStatus.CONFLICT,
    "calendar-busy": HTTPStatus.SERVICE_UNAVAILABLE,
    "calendar-refuses": HTTPStatus.CONFLICT,
    "calendar-suspended": HTTPStatus.SERVICE_UNAVAILABLE,
    "chat-busy": HTTPStatus.SERVICE_UNAVAILABLE,
    "chat-full": HTTPStatus.CONFLICT,
    "chat-invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "chat-off": HTTPStatus.CONFLICT,
    "contact": HTTPStatus.UNPROCESSABLE_ENTITY,
    "csrf": HTTPStatus.FORBIDDEN,
    "cursor": HTTPStatus.BAD_REQUEST,
    "date-far": HTTPStatus.UNPROCESSABLE_ENTITY,
    "date-past": HTTPStatus.UNPROCESSABLE_ENTITY,
    "directory-in-use": HTTPStatus.CONFLICT,
    "directory-refused": HTTPStatus.CONFLICT,
    "filter-invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "idempotency-key-missing": HTTPStatus.BAD_REQUEST,
    "idempotency-key-reused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "integration-on": HTTPStatus.CONFLICT,
    "internal": HTTPStatus.INTERNAL_SERVER_ERROR,
    "json-missing": HTTPStatus.BAD_REQUEST,
    "language-invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "last-subscription-admin": HTTPStatus.CONFLICT,
    "limit": HTTPStatus.BAD_REQUEST,
    "link-of-another": HTTPStatus.FORBIDDEN,
    "link-only-read": HTTPStatus.METHOD_NOT_ALLOWED,
    "log-unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "no-address": HTTPStatus.UNPROCESSABLE_ENTITY,
    "no-candidate": HTTPStatus.CONFLICT,
    "no-code": HTTPStatus.UNPROCESSABLE_ENTITY,
    "no-organisation": HTTPStatus.CONFLICT,
    "no-such-appointment": HTTPStatus.NOT_FOUND,
    "no-such-browser": HTTPStatus.NOT_FOUND,
    "no-such-chat-channel": HTTPStatus.NOT_FOUND,
    "no-such-decline": HTTPStatus.NOT_FOUND,
    "no-such-delivery": HTTPStatus.NOT_FOUND,
    "no-such-directory": HTTPStatus.NOT_FOUND,
    "no-such-link": HTTPStatus.NOT_FOUND,
    "no-such-preview": HTTPStatus.NOT_FOUND,
    "no-such-prompt": HTTPStatus.NOT_FOUND,
    "no-such-provider": HTTPStatus.UNPROCESSABLE_ENTITY,
    "no-such-role": HTTPStatus.UNPROCESSABLE_ENTITY,
    "no-such-room": HTTPStatus.NOT_FOUND,
    "no-such-take": HTTPStatus.NOT_FOUND,
    "no-such-webhook": HTTPStatus.NOT_FOUND,
    "no-test": HTTPStatus.CONFLICT,
    "none-free": HTTPStatus.UNPROCESSABLE_ENTITY,
    "not-allowed": HTTPStatus.FORBIDDEN,
    "not-confirmed": HTTPStatus.CONFLICT,
    "not-connected": HTTPStatus.CONFLICT,
    "not-enabled": HTTPStatus.CONFLICT,
    "not-one-series": HTTPStatus.UNPROCESSABLE_ENTITY,
    "not-whole-series": HTTPStatus.CONFLICT,
    "not-signed-in": HTTPStatus.UNAUTHORIZED,
    "nothing-held": HTTPStatus.CONFLICT,
    "notifications-invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "one-organisation": HTTPStatus.FORBIDDEN,
    "other-calendar": HTTPStatus.CONFLICT,
    "other-organisation": HTTPStatus.FORBIDDEN,
    "own-directory": HTTPStatus.CONFLICT,
    "preview-stale": HTTPStatus.CONFLICT,
    "prompt-*": HTTPStatus.CONFLICT,
    "provider-slow": HTTPStatus.SERVICE_UNAVAILABLE,
    "public-url": HTTPStatus.BAD_REQUEST,
    "read-only-permission": HTTPStatus.CONFLICT,
    "rebuilding": HTTPStatus.SERVICE_UNAVAILABLE,
    "report-days": HTTPStatus.BAD_REQUEST,
    "room-address-fixed": HTTPStatus.UNPROCESSABLE_ENTITY,
    "room-invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "room-is-person": HTTPStatus.UNPROCESSABLE_ENTITY,
    "room-known": HTTPStatus.CONFLICT,
    "room-missing": HTTPStatus.BAD_REQUEST,
    "room-not-offered": HTTPStatus.UNPROCESSABLE_ENTITY,
    "rooms-full": HTTPStatus.CONFLICT,
    "row-refused": HTTPStatus.INTERNAL_SERVER_ERROR,
    "service-token": HTTPStatus.UNAUTHORIZED,
    "streams-full": HTTPStatus.SERVICE_UNAVAILABLE,
    "take-under-way": HTTPStatus.CONFLICT,
    "takes-full": HTTPStatus.TOO_MANY_REQUESTS,
    "test-under-way": HTTPStatus.CONFLICT,
    "tests-full": HTTPStatus.SERVICE_UNAVAILABLE,
    "too-many-requests": HTTPStatus.TOO_MANY_REQUESTS,
    "webhook-invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "webhook-paused": HTTPStatus.CONFLICT,
    "webhook-secrets": HTTPStatus.CONFLICT,
    "webhooks-full": HTTPStatus.CONFLICT,
    "webhooks-off": HTTPStatus.CONFLICT,
    "writes-off": HTTPStatus.FORBIDDEN,
}
"""Code, as the source writes it, to status. A code with `*` in it names what it is about in that place."""
QUOTAS: Mapping[str, HTTPStatus] = {
    "attendances-full": HTTPStatus.CONFLICT,
    "bookings-full": HTTPStatus.TOO_MANY_REQUESTS,
}
"""Codes that the source writes as `*-full`: some rows are kept until they are taken away, the others counted by the day."""
OF_HTTP: Mapping[str, HTTPStatus] = {
    "not-found": HTTPStatus.NOT_FOUND,
    "request-entity-too-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}
"""Errors of HTTP itself that an operation can answer: the code is the phrase of its status."""


def status_of(code: str) -> HTTPStatus:
    """
    Find the status that goes with a code.

    Raises:
        KeyError: no such code is in the tables above; give it a line there.
    """
    exact = STATUS_OF.get(code) or QUOTAS.get(code) or OF_HTTP.get(code)
    if exact is not None:
        return exact
    return STATUS_OF[next((pattern for pattern in STATUS_OF if _fits(code, pattern)), code)]


def _fits(code: str, pattern: str) -> bool:
    before, star, after = pattern.partition("*")
    return bool(star) and code.startswith(before) and code.endswith(after)


def by_status(codes: Iterable[str]) -> dict[HTTPStatus, list[str]]:
    """Group codes under their statuses, both in order. Raises KeyError as `status_of`."""
    found: dict[HTTPStatus, list[str]] = {}
    for code in sorted(set(codes), key=lambda code: (status_of(code), code)):
        found.setdefault(status_of(code), []).append(code)
    return found
