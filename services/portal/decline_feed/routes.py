"""The decline feed for back-end services that have no Kafka: the same events, page by page, under a service token."""

from __future__ import annotations

import hmac
import re
from http import HTTPStatus
from typing import Annotated, TypedDict

import msgspec
from flask import Blueprint, Response, g, request
from msgspec import Meta

from services.portal.decline_feed.deciding import cursor
from services.portal.decline_feed.decline_log import DeclineIndex, read_page
from services.portal.decline_feed.resolution import ResolvedDecline, resolve_event
from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.service_callers import no_service_token
from services.portal.frame.sessions import bearer_token
from services.portal.interface.operation import Audience, operation
from shared.contracts.room_declined import RoomDeclined
from shared.contracts.topics import ROOM_REJECTIONS
from shared.errors import RowRefusedError
from shared.organisations.enrolment import NOBODY
from shared.organisations.service_tokens import prove_token
from shared.registry import tables
from shared.runtime.refused_rows import log_refused_row

DEFAULT_LIMIT = 100
MAX_LIMIT = 500
FEED_PROBLEMS = ("one-organisation", "log-unavailable")


class FeedQuery(msgspec.Struct):
    """Where to go on, and how far."""

    after: Annotated[str, Meta(max_length=cursor.MAX_CHARS)] = ""
    """The `next` of the last answer; without it the feed begins with the oldest event that is kept."""
    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    """How many events at most."""


class FeedAnswer(TypedDict):
    """Some decline events, and where to go on."""

    items: list[RoomDeclined]
    next: Annotated[str, Meta(examples=["eyJ0b3BpYyI6Ij…"])]
    """Send it as `after`."""
    more: bool
    """Whether there is more to read right now."""
    incomplete: bool
    """Whether events went, by age, that this reader had not read yet."""


def blueprint(deps: Deps) -> Blueprint:
    """The routes below `/v1/room-rejections`."""
    bp = Blueprint("feed", __name__, url_prefix="/v1/room-rejections")
    index: list[DeclineIndex] = []

    @bp.before_request
    def check_token() -> None:
        g.feed_tenant = _prove_token(deps)

    @bp.get("")
    @operation(Audience.SERVICE, answer=FeedAnswer, query=FeedQuery, problems=("cursor", "limit", *FEED_PROBLEMS))
    def page() -> Response:
        """Read the next decline events, oldest first, each as it stands on the topic."""
        log = deps.engine.log
        topic_id = log.topic_id(ROOM_REJECTIONS.name)
        after = _read_cursor(topic_id, log.partitions)
        found = read_page(log, after, _read_limit(), g.feed_tenant)
        return _answer_json(
            {
                "items": [msgspec.Raw(record.value or b"null") for record in found.records],
                "next": cursor.encode(topic_id, found.next),
                "more": found.more,
                "incomplete": found.incomplete,
            }
        )

    @bp.get("/<decline_id>")
    @operation(Audience.SERVICE, answer=ResolvedDecline, problems=("no-such-decline", "not-enabled", *FEED_PROBLEMS))
    def event(decline_id: str) -> Response:
        """
        Put names to a decline event's pseudonyms: the room, its time as last known, and our id of the organiser.

        Once the organisation has switched the integration off, its pseudonyms lead nowhere, on purpose.
        """
        if not index:
            index.append(DeclineIndex(deps.engine.log))  # the log is opened when it is first needed
        found = index[0].find(decline_id)
        if found is None or g.feed_tenant not in {"", found.data.tenant_id}:
            raise ProblemError(
                HTTPStatus.NOT_FOUND,
                "no-such-decline",
                "There is no such decline event.",
                next_step="Events are kept for five days; read the feed: /v1/room-rejections",
            )
        return _answer_json(resolve_event(deps, found))

    return bp


def _prove_token(deps: Deps) -> str:
    """
    Whose declines the sender of this request may read: the organisation of its token; "" for all.

    Raises:
        ProblemError: 401 without a token of ours; 403 for the operator's where it would read several organisations.
    """
    token = bearer_token()
    known = deps.settings.service_token
    if known and hmac.compare_digest(token.encode(), known.encode()):
        return _read_by_operator(deps)
    proven = prove_token(deps.engine.registry, token)
    if proven is None:
        raise no_service_token()
    return proven[0]


def _read_by_operator(deps: Deps) -> str:
    """
    Whose declines the operator's token reads: everything ("") on a machine of its own, or where everything is one organisation's.

    A directory whose row was tampered with may be another organisation's: then the token reads the one alone that is known.

    Raises:
        ProblemError: 403 where it would read several organisations.
        RowRefusedError: no organisation is known for certain.
    """
    if deps.settings.loopback:
        return ""
    refused: list[RowRefusedError] = []
    tenants = {row.tenant for _, row in tables.directories(deps.engine.registry).scan_readable(NOBODY, refused.append)}
    for error in refused:
        log_refused_row(error)
    if refused and not tenants:
        raise refused[0]
    if len(tenants) > 1:
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "one-organisation",
            "This token would read the declines of several organisations.",
            next_step="Have whoever runs this service make one for yours: roomsync tokens make --tenant …",
        )
    return next(iter(tenants)) if refused else ""


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
