"""The organisation's webhooks as pages for administrators: by the same acts as the API's routes."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from services.portal.admin.webhooks.deciding.presentation import DELIVERY_WORDS, STAGE_WORDS
from services.portal.admin.webhooks.deciding.webhook_form import EVENT_TYPES, read_wall_clock
from services.portal.admin.webhooks.endpoints import WebhookList
from services.portal.deps import Deps
from services.portal.frame.service_callers import Caller
from services.portal.frame.sessions import require_right
from services.portal.my_day.parameters import read_zone
from shared.domain.roles import Right

LIST = "/admin/webhooks"
_ONE = f"{LIST}/<endpoint>"


def register_pages(bp: Blueprint, deps: Deps) -> None:
    """The routes below `/admin/webhooks`."""

    def mine() -> WebhookList:
        person = require_right(Right.MANAGE_WEBHOOKS)
        return WebhookList(deps, Caller(person.tenant, person.user))

    _lists(bp, mine)
    _acts(bp, mine)
    _deliveries(bp, mine)


def _lists(bp: Blueprint, mine: Callable[[], WebhookList]) -> None:
    @bp.get(LIST)
    def page() -> str:
        return _show(mine())

    @bp.post(LIST)
    def add_by_form() -> tuple[str, HTTPStatus]:
        webhooks = mine()
        added, secret = webhooks.add({"url": request.form.get("url"), "types": request.form.getlist("types")})
        return _show(webhooks, added["id"], secret), HTTPStatus.CREATED

    @bp.post(f"{_ONE}/secrets")
    def add_secret_by_form(endpoint: str) -> tuple[str, HTTPStatus]:
        webhooks = mine()
        return _show(webhooks, endpoint, webhooks.add_secret(endpoint)), HTTPStatus.CREATED


def _acts(bp: Blueprint, mine: Callable[[], WebhookList]) -> None:
    @bp.post(f"{_ONE}/test")
    def test_by_form(endpoint: str) -> Response:
        mine().test(endpoint)
        return redirect(f"{LIST}/{endpoint}", HTTPStatus.SEE_OTHER)

    @bp.post(f"{_ONE}/resume")
    def resume_by_form(endpoint: str) -> Response:
        mine().resume(endpoint)
        return redirect(LIST, HTTPStatus.SEE_OTHER)

    @bp.post(f"{_ONE}/end-older-secret")
    def end_older_secret_by_form(endpoint: str) -> Response:
        mine().end_older_secret(endpoint)
        return redirect(LIST, HTTPStatus.SEE_OTHER)

    @bp.post(f"{_ONE}/remove")
    def remove_by_form(endpoint: str) -> Response:
        mine().remove(endpoint)
        return redirect(LIST, HTTPStatus.SEE_OTHER)


def _deliveries(bp: Blueprint, mine: Callable[[], WebhookList]) -> None:
    @bp.get(_ONE)
    def deliveries_page(endpoint: str) -> str:
        person, webhooks = require_right(Right.MANAGE_WEBHOOKS), mine()
        return render_template(
            "webhook_deliveries.html",
            webhook=webhooks.one(endpoint),
            deliveries=webhooks.deliveries(endpoint),
            states=DELIVERY_WORDS,
            zone=read_zone()[0].key,
            csrf=person.csrf,
        )

    @bp.post(f"{_ONE}/redeliver")
    def redeliver_by_form(endpoint: str) -> Response:
        since = read_wall_clock(request.form.get("since", ""), read_zone()[0])
        sent = {"since": since, "ids": request.form.getlist("ids")}
        mine().redeliver(endpoint, sent)
        return redirect(f"{LIST}/{endpoint}", HTTPStatus.SEE_OTHER)


def _show(webhooks: WebhookList, new: str = "", secret: str = "") -> str:
    """The list; `secret`: that of the endpoint `new`, which is shown this once."""
    return render_template(
        "webhooks.html",
        webhooks=webhooks.all(),
        types=EVENT_TYPES,
        stages=STAGE_WORDS,
        csrf=require_right(Right.MANAGE_WEBHOOKS).csrf,
        new=new,
        secret=secret,
    )
