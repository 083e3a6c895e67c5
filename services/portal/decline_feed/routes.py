"""The decline feed for back-end services that have no Kafka: the same events, page by page, under a service token."""

from __future__ import annotations

import hmac
import re
from http import HTTPStatus

import msgspec
from flask import Blueprint, Response, request

from services.portal.decline_feed.deciding import cursor
from services.portal.decline_feed.decline_log import DeclineIndex, read_page
from services.portal.decline_feed.resolution import resolve_event
from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from shared.contracts.topics import ROOM_REJECTIONS

DEFAULT_LIMIT = 100
MAX_LIMIT = 500


def blueprint(deps: Deps) -> Blueprint:
    """The routes below `/v1/room-rejections`."""
    bp = Blueprint("feed", __name__, url_prefix="/v1/room-rejections")
    index: list[DeclineIndex] = []

    @bp.before_request
    def check_token() -> None:
        _check_token(deps.settings.service_token)

    @bp.get("")
    def page() -> Response:
        log = deps.engine.log
        topic_id = log.topic_id(ROOM_REJECTIONS.name)
        after = _read_cursor(topic_id, log.partitions)
        found = read_page(log, after, _read_limit())
        return _answer_json(
            {
                "items": [msgspec.Raw(record.value or b"null") for record in found.records],
                "next": cursor.encode(topic_id, found.next),
                "more": found.more,
                "incomplete": found.incomplete,
            }
        )

    @bp.get("/<decline_id>")
    def event(decline_id: str) -> Response:
        if not index:
            index.append(DeclineIndex(deps.engine.log))  # the log is opened when it is first needed
        found = index[0].find(decline_id)
        if found is None:
            raise ProblemError(
                HTTPStatus.NOT_FOUND,
                "no-such-decline",
                "There is no such decline event.",
                next_step="Events are kept for five days; read the feed: /v1/room-rejections",
            )
        return _answer_json(resolve_event(deps, found))

    return bp


def _check_token(token: str) -> None:
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    proven = bool(token) and hmac.compare_digest(sent.strip().encode(), token.encode())
    if scheme.lower() != "bearer" or not proven:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "service-token",
            "This interface needs a service token.",
            next_step="Send Authorization: Bearer with the token set as ROOMSYNC_SERVICE_TOKEN.",
        )


def _read_cursor(topic_id: str, partitions: int) -> dict[int, int]:
    text = request.args.get("after", "")
    found = cursor.decode(text, topic_id, partitions) if text else {}
    if found is None:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "cursor",
            "This cursor is not one of ours, or the feed has been made anew since.",
            next_step="Start again without `after`; events have ids to deduplicate by.",
        )
    return found


def _read_limit() -> int:
    text = request.args.get("limit", str(DEFAULT_LIMIT))
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 0 < int(text) <= MAX_LIMIT:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "limit",
            f"`limit` must be a number from 1 to {MAX_LIMIT}.",
            next_step="Leave it out for 100.",
        )
    return int(text)


def _answer_json(value: object) -> Response:
    return Response(msgspec.json.encode(value), content_type="application/json")
