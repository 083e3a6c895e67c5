"""The JSON API of a person who is signed in: themselves, their rooms, their prompts."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from flask import Blueprint, Response, jsonify, request

from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person, signed_in
from services.portal.meetings.deciding.shapes import choices_shape, prompt_shape, take_shape
from services.portal.meetings.live_reader import LiveReader
from services.portal.meetings.personal_view import Desk
from services.portal.meetings.presentation import UNNAMED, Showing
from services.portal.meetings.takes import Takes
from services.portal.my_rooms.rebooking import Rebooking
from shared.contracts.rows import ConsentRow, ConsentState, TakeRow, TakeState
from shared.domain.instants import to_rfc3339
from shared.grants.grant import who_mends
from shared.registry import tables

IDEMPOTENCY_HEADER = "Idempotency-Key"
MAX_ROOM_ID_CHARS = 64


def blueprint(deps: Deps, reader: LiveReader) -> Blueprint:
    """The routes below `/v1/me`, without the stream."""
    bp = Blueprint("me", __name__, url_prefix="/v1/me")

    @bp.get("")
    def me() -> Response:
        person = signed_in()
        return jsonify(
            {
                "user": person.user,
                "tenant": person.tenant,
                "provider": person.provider,
                "csrf": person.csrf,
                "csrfHeader": "X-CSRF-Token",
                "connection": connection(deps, person),
            }
        )

    @bp.get("/rooms")
    def rooms() -> Response:
        person = signed_in()
        desk = Desk(deps, person)
        standing = desk.standing()
        board = desk.board(standing.meetings.values())
        shown = Showing(deps, reader, person, desk, board).rooms(tuple(board.rooms.values()))
        return jsonify({"rooms": shown, "rebuilding": standing.rebuilding})

    @bp.get("/prompts")
    def prompts() -> Response:
        person = signed_in()
        desk = Desk(deps, person)
        standing = desk.standing()
        board = desk.board(standing.meetings.values())
        listed = board.open_prompts
        if request.args.get("include") == "closed":
            listed += tuple(prompt for prompt in board.prompts.values() if prompt.closing is not None)
        shown = Showing(deps, reader, person, desk, board).prompts(listed)
        return jsonify({"prompts": shown, "rebuilding": standing.rebuilding})

    @bp.get("/prompts/<prompt_id>/choices")
    def choices(prompt_id: str) -> Response:
        rebooking = _rebooking(deps, reader)
        prompt, *others = rebooking.together(prompt_id, _also(request.args.getlist("also")))
        return jsonify(choices_shape(prompt, rebooking.choices(prompt, *others)))

    @bp.post("/prompts/<prompt_id>/take")
    def take(prompt_id: str) -> tuple[Response, HTTPStatus]:
        key = request.headers.get(IDEMPOTENCY_HEADER, "")
        taken, room = _rebooking(deps, reader).take_all(prompt_id, _named(), _room_id(), key)
        first, *others = [
            {**take_shape(take_id, _as_asked(row), room.name), "href": f"/v1/me/takes/{take_id}"}
            for take_id, row in taken
        ]
        return jsonify({**first, "also": others}), HTTPStatus.ACCEPTED

    @bp.post("/prompts/<prompt_id>/dismiss")
    def dismiss(prompt_id: str) -> Response:
        rebooking = _rebooking(deps, reader)
        first, *others = [prompt_shape(each, None, None, None) for each in rebooking.dismiss_all(prompt_id, _named())]
        return jsonify({**first, "also": others})

    @bp.get("/takes/<take_id>")
    def one_take(take_id: str) -> Response:
        person = signed_in()
        row = Takes(deps, person).find(take_id)
        if row is None:
            raise ProblemError(
                HTTPStatus.NOT_FOUND, "no-such-take", "You asked for no such room.", next_step="See /v1/me/prompts"
            )
        room = tables.rooms(deps.engine.registry).get(person.tenant, row.room)
        return jsonify(take_shape(take_id, row, room.name if room else UNNAMED))

    return bp


def connection(deps: Deps, person: Person) -> dict[str, Any]:
    """
    Where the person's grant stands, and how fresh what we know of their calendar is.

    `none`, `connecting`, `first-sync`, `connected`, `failing`, `suspended`, `revoked`, `sleeping`, `disconnecting`.
    """
    row: ConsentRow | None = tables.consents(deps.engine.registry).get(person.tenant, person.mailbox.id)
    if row is None:
        return {"state": "none", "since": None, "reason": None, "heard": None, "checked": None}
    at_ms = row.first_look_at_ms or row.connected_at_ms
    return {
        "state": _stage(row),
        "since": to_rfc3339(at_ms) if at_ms else None,
        "reason": row.reason or None,
        **_freshness(deps, person),
        **({"mends": who_mends(row.reason)} if row.state in {ConsentState.REVOKED, ConsentState.SUSPENDED} else {}),
    }


def _freshness(deps: Deps, person: Person) -> dict[str, str | None]:
    """To the minute; None where it never was, or not within two days."""
    row = tables.freshness(deps.engine.registry).get(person.tenant, person.mailbox.id)
    heard_ms, checked_ms = (row.heard_at_ms, row.checked_at_ms) if row else (0, 0)
    return {
        "heard": to_rfc3339(heard_ms) if heard_ms else None,
        "checked": to_rfc3339(checked_ms) if checked_ms else None,
    }


def _stage(row: ConsentRow) -> str:
    if row.leaving_at_ms and row.state is not ConsentState.REVOKED:
        return "disconnecting"
    if row.state is not ConsentState.ACTIVE:
        return row.state.value
    return "connected" if row.first_look_at_ms else "first-sync"


def _rebooking(deps: Deps, reader: LiveReader) -> Rebooking:
    person = signed_in()
    return Rebooking(deps, reader, person, Desk(deps, person))


def _room_id() -> str:
    body = request.get_json(silent=True)
    room = body.get("roomId") if isinstance(body, dict) else None
    if not isinstance(room, str) or not room.isascii() or not 0 < len(room) <= MAX_ROOM_ID_CHARS:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "room-missing",
            'The body must be JSON with the room to take: {"roomId": "…"}.',
            next_step="Take one of those listed under the prompt's `choices`.",
        )
    return room


def _named() -> list[str]:
    """Other prompts of the same series that the same wish is for."""
    body = request.get_json(silent=True)
    return _also(body.get("also", []) if isinstance(body, dict) else [])


def _also(named: object) -> list[str]:
    if not isinstance(named, list) or not all(isinstance(each, str) and each.isascii() for each in named):
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "also-not-a-list",
            "`also` names other prompts of the same series: a list of their ids.",
            next_step="See /v1/me/prompts, or leave it out.",
        )
    return named


def _as_asked(row: TakeRow) -> TakeRow:
    """The answer to a wish is that it was asked, however often it is repeated; how it went stands at its `href`."""
    return msgspec.structs.replace(row, state=TakeState.ASKED, reason="")
