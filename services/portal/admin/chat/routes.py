"""The organisation's chat channels, as a page for administrators, and as JSON for them and for its back-end services."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TypedDict

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from services.portal.admin.chat.channels import ChatChannelList
from services.portal.admin.chat.deciding.chat_form import ChatForm
from services.portal.admin.chat.deciding.presentation import PRODUCT_WORDS, ChatChannelShape, ChatTestShape
from services.portal.deps import Deps
from services.portal.frame.bodies import require_object
from services.portal.frame.service_callers import Caller, accepts_token, require_right_or_token
from services.portal.frame.sessions import require_right
from services.portal.interface.operation import operation
from services.portal.my_day.parameters import ZONE_COOKIE
from shared.domain.roles import Right
from shared.runtime.chat_post import chat_post_from

LIST = "/admin/chat"
_API = "/v1/chat-channels"
_EXAMPLE = '{"product": "slack", "name": "#rooms", "url": "https://hooks.slack.com/services/…"}'
Mine = Callable[[], ChatChannelList]


class ChatChannelsAnswer(TypedDict):
    """The organisation's chat channels, oldest first."""

    channels: list[ChatChannelShape]


def blueprint(deps: Deps) -> Blueprint:
    """The routes below `/v1/chat-channels` and `/admin/chat`."""
    bp = Blueprint("chat", __name__)
    post = chat_post_from(deps.settings)

    def of_caller() -> ChatChannelList:
        return ChatChannelList(deps, require_right_or_token(deps, Right.MANAGE_WEBHOOKS), post)

    def of_person() -> ChatChannelList:
        person = require_right(Right.MANAGE_WEBHOOKS)
        return ChatChannelList(deps, Caller(person.tenant, person.user), post)

    _interface(bp, of_caller)
    _pages(bp, of_person)
    return bp


def _interface(bp: Blueprint, mine: Mine) -> None:
    @bp.get(_API)
    @accepts_token
    @operation(Right.MANAGE_WEBHOOKS, tokens=True, problems=("chat-off",))
    def channels() -> ChatChannelsAnswer:
        """List the organisation's chat channels."""
        return {"channels": mine().all()}

    @bp.post(_API)
    @accepts_token
    @operation(
        Right.MANAGE_WEBHOOKS,
        tokens=True,
        status=HTTPStatus.CREATED,
        body=ChatForm,
        problems=("chat-off", "json-missing", "chat-invalid", "chat-full"),
    )
    def add() -> ChatChannelShape:
        """Add a chat channel that is told of rooms that say no; its address is never shown whole again."""
        return mine().add(require_object(_EXAMPLE))

    @bp.delete(f"{_API}/<channel>")
    @accepts_token
    @operation(Right.MANAGE_WEBHOOKS, tokens=True, problems=("chat-off", "no-such-chat-channel"))
    def remove(channel: str) -> None:
        """Remove a chat channel: nothing is posted to it any more."""
        mine().remove(channel)

    @bp.post(f"{_API}/<channel>/test")
    @accepts_token
    @operation(Right.MANAGE_WEBHOOKS, tokens=True, problems=("chat-busy", "chat-off", "no-such-chat-channel"))
    def test(channel: str) -> ChatTestShape:
        """Post a test message now, and say what the product answered."""
        return mine().test(channel)


def _pages(bp: Blueprint, mine: Mine) -> None:
    @bp.get(LIST)
    def page() -> str:
        return _show(mine())

    @bp.post(LIST)
    def add_by_form() -> Response:
        mine().add({**request.form, "reminders": "reminders" in request.form})
        return redirect(LIST, HTTPStatus.SEE_OTHER)

    @bp.post(f"{LIST}/<channel>/test")
    def test_by_form(channel: str) -> str:
        channels = mine()
        return _show(channels, channel, channels.test(channel))

    @bp.post(f"{LIST}/<channel>/remove")
    def remove_by_form(channel: str) -> Response:
        mine().remove(channel)
        return redirect(LIST, HTTPStatus.SEE_OTHER)


def _show(channels: ChatChannelList, tested: str = "", result: ChatTestShape | None = None) -> str:
    """The list; `result`: how the test of the channel `tested` went."""
    return render_template(
        "chat.html",
        channels=channels.all(),
        products=PRODUCT_WORDS,
        zone=request.cookies.get(ZONE_COOKIE, ""),
        csrf=require_right(Right.MANAGE_WEBHOOKS).csrf,
        tested=tested,
        result=result,
    )
