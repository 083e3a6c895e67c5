"""The organisation's webhooks, as a page for administrators, and as JSON for them and for its back-end services."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, Response, jsonify

from services.portal.admin.webhooks.endpoints import WebhookList
from services.portal.admin.webhooks.page import register_pages
from services.portal.deps import Deps
from services.portal.frame.bodies import require_object
from services.portal.frame.service_callers import accepts_token, require_right_or_token
from shared.domain.roles import Right

_ONE = "/v1/webhooks/<endpoint>"


def blueprint(deps: Deps) -> Blueprint:
    """The routes below `/v1/webhooks` and `/admin/webhooks`."""
    bp = Blueprint("webhooks", __name__)

    def mine() -> WebhookList:
        return WebhookList(deps, require_right_or_token(deps, Right.MANAGE_WEBHOOKS))

    _endpoints(bp, mine)
    _deliveries(bp, mine)
    register_pages(bp, deps)
    return bp


def _endpoints(bp: Blueprint, mine: Callable[[], WebhookList]) -> None:
    @bp.get("/v1/webhooks")
    @accepts_token
    def webhooks() -> Response:
        return jsonify({"webhooks": mine().all()})

    @bp.post("/v1/webhooks")
    @accepts_token
    def add() -> tuple[Response, HTTPStatus]:
        added, secret = mine().add(require_object('{"url": "https://…"}'))
        return jsonify({**added, "secret": secret}), HTTPStatus.CREATED

    @bp.delete(_ONE)
    @accepts_token
    def remove(endpoint: str) -> tuple[str, HTTPStatus]:
        mine().remove(endpoint)
        return "", HTTPStatus.NO_CONTENT

    @bp.post(f"{_ONE}/secrets")
    @accepts_token
    def add_secret(endpoint: str) -> tuple[Response, HTTPStatus]:
        return jsonify({"secret": mine().add_secret(endpoint)}), HTTPStatus.CREATED

    @bp.delete(f"{_ONE}/secrets/older")
    @accepts_token
    def end_older_secret(endpoint: str) -> tuple[str, HTTPStatus]:
        mine().end_older_secret(endpoint)
        return "", HTTPStatus.NO_CONTENT


def _deliveries(bp: Blueprint, mine: Callable[[], WebhookList]) -> None:
    @bp.post(f"{_ONE}/test")
    @accepts_token
    def test(endpoint: str) -> tuple[Response, HTTPStatus]:
        return jsonify({"id": mine().test(endpoint)}), HTTPStatus.ACCEPTED

    @bp.get(f"{_ONE}/deliveries")
    @accepts_token
    def deliveries(endpoint: str) -> Response:
        return jsonify({"deliveries": mine().deliveries(endpoint)})

    @bp.post(f"{_ONE}/redeliver")
    @accepts_token
    def redeliver(endpoint: str) -> tuple[Response, HTTPStatus]:
        mine().redeliver(endpoint, require_object('{"since": "2026-11-28T09:30:00Z"}, or {"ids": ["d-…"]}'))
        return jsonify({}), HTTPStatus.ACCEPTED

    @bp.post(f"{_ONE}/resume")
    @accepts_token
    def resume(endpoint: str) -> tuple[Response, HTTPStatus]:
        mine().resume(endpoint)
        return jsonify({}), HTTPStatus.ACCEPTED
