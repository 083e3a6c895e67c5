"""The organisation's webhooks, as a page for administrators, and as JSON for them and for its back-end services."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, TypedDict

from flask import Blueprint
from msgspec import Meta

from services.portal.admin.webhooks.deciding.presentation import DeliveryShape, WebhookShape
from services.portal.admin.webhooks.deciding.webhook_form import RedeliveryForm, WebhookForm
from services.portal.admin.webhooks.endpoints import WebhookList
from services.portal.admin.webhooks.page import register_pages
from services.portal.deps import Deps
from services.portal.frame.bodies import require_object
from services.portal.frame.service_callers import accepts_token, require_right_or_token
from services.portal.interface.fields import DeclineId, Nothing
from services.portal.interface.operation import operation
from shared.domain.roles import Right

_ONE = "/v1/webhooks/<endpoint>"
_PROBLEMS = ("webhooks-off", "no-such-webhook")
Secret = Annotated[str, Meta(examples=["whsec_…"])]


def blueprint(deps: Deps) -> Blueprint:
    """The routes below `/v1/webhooks` and `/admin/webhooks`."""
    bp = Blueprint("webhooks", __name__)

    def mine() -> WebhookList:
        return WebhookList(deps, require_right_or_token(deps, Right.MANAGE_WEBHOOKS))

    _endpoints(bp, mine)
    _deliveries(bp, mine)
    register_pages(bp, deps)
    return bp


class WebhooksAnswer(TypedDict):
    """The organisation's webhooks, oldest first."""

    webhooks: list[WebhookShape]


class SecretAnswer(TypedDict):
    """A secret, which nobody can read again."""

    secret: Secret
    """Deliveries are signed with it."""


class AddedAnswer(WebhookShape, SecretAnswer, TypedDict):
    """The webhook that was added, with its secret, which nobody can read again."""


class TestAnswer(TypedDict):
    """The event that is sent for a test."""

    id: DeclineId


class DeliveriesAnswer(TypedDict):
    """The latest deliveries of a webhook, the latest first."""

    deliveries: list[DeliveryShape]


def _endpoints(bp: Blueprint, mine: Callable[[], WebhookList]) -> None:
    @bp.get("/v1/webhooks")
    @accepts_token
    @operation(Right.MANAGE_WEBHOOKS, tokens=True, problems=("webhooks-off",))
    def webhooks() -> WebhooksAnswer:
        """List the organisation's webhooks."""
        return {"webhooks": mine().all()}

    @bp.post("/v1/webhooks")
    @accepts_token
    @operation(
        Right.MANAGE_WEBHOOKS,
        tokens=True,
        status=HTTPStatus.CREATED,
        body=WebhookForm,
        problems=("webhooks-off", "json-missing", "webhook-invalid", "webhooks-full"),
    )
    def add() -> AddedAnswer:
        """Add an address that decline events are sent to; its secret is shown this once."""
        added, secret = mine().add(require_object('{"url": "https://…"}'))
        return {**added, "secret": secret}

    @bp.delete(_ONE)
    @accepts_token
    @operation(Right.MANAGE_WEBHOOKS, tokens=True, problems=_PROBLEMS)
    def remove(endpoint: str) -> None:
        """Remove a webhook: nothing is sent to it any more."""
        mine().remove(endpoint)

    @bp.post(f"{_ONE}/secrets")
    @accepts_token
    @operation(Right.MANAGE_WEBHOOKS, tokens=True, status=HTTPStatus.CREATED, problems=(*_PROBLEMS, "webhook-secrets"))
    def add_secret(endpoint: str) -> SecretAnswer:
        """Make a second secret: deliveries are signed with both until the older one is ended."""
        return {"secret": mine().add_secret(endpoint)}

    @bp.delete(f"{_ONE}/secrets/older")
    @accepts_token
    @operation(Right.MANAGE_WEBHOOKS, tokens=True, problems=(*_PROBLEMS, "webhook-secrets"))
    def end_older_secret(endpoint: str) -> None:
        """Sign with the newest secret alone from now on."""
        mine().end_older_secret(endpoint)


def _deliveries(bp: Blueprint, mine: Callable[[], WebhookList]) -> None:
    @bp.post(f"{_ONE}/test")
    @accepts_token
    @operation(Right.MANAGE_WEBHOOKS, tokens=True, status=HTTPStatus.ACCEPTED, problems=(*_PROBLEMS, "webhook-paused"))
    def test(endpoint: str) -> TestAnswer:
        """Send an event for a test; how that went stands among the deliveries."""
        return {"id": mine().test(endpoint)}

    @bp.get(f"{_ONE}/deliveries")
    @accepts_token
    @operation(Right.MANAGE_WEBHOOKS, tokens=True, problems=_PROBLEMS)
    def deliveries(endpoint: str) -> DeliveriesAnswer:
        """List the latest deliveries of a webhook."""
        return {"deliveries": mine().deliveries(endpoint)}

    @bp.post(f"{_ONE}/redeliver")
    @accepts_token
    @operation(
        Right.MANAGE_WEBHOOKS,
        tokens=True,
        status=HTTPStatus.ACCEPTED,
        body=RedeliveryForm,
        problems=(*_PROBLEMS, "json-missing", "webhook-invalid", "no-such-delivery"),
    )
    def redeliver(endpoint: str) -> Nothing:
        """Send events again: everything since an instant, or those with these ids."""
        mine().redeliver(endpoint, require_object('{"since": "2026-11-28T09:30:00Z"}, or {"ids": ["d-…"]}'))
        return {}

    @bp.post(f"{_ONE}/resume")
    @accepts_token
    @operation(Right.MANAGE_WEBHOOKS, tokens=True, status=HTTPStatus.ACCEPTED, problems=_PROBLEMS)
    def resume(endpoint: str) -> Nothing:
        """Send to a paused webhook again, first what has waited."""
        mine().resume(endpoint)
        return {}
