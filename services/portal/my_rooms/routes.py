"""My rooms, as a page that works without a script and as JSON: the person, their rooms, their prompts, their takes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, tzinfo
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from flask import Blueprint, Flask, redirect, render_template, request
from msgspec import Meta
from werkzeug.wrappers import Response as AnyResponse

from services.portal.deps import Deps, deps
from services.portal.frame.language import current_manner
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person, anybody, change_token, signed_in
from services.portal.interface.fields import ChangeToken, ProviderName, UserId
from services.portal.interface.operation import CALENDAR_PROBLEMS, WRITING_PROBLEMS, Audience, operation
from services.portal.meetings.deciding.answers import (
    ChoicesAnswer,
    DismissedAnswer,
    PromptsAnswer,
    RoomsAnswer,
    TakenAnswer,
    TakenShape,
    TakeShape,
)
from services.portal.meetings.deciding.filter_form import read_filter
from services.portal.meetings.deciding.shapes import Json, choices_shape, prompt_shape, take_shape
from services.portal.meetings.deciding.words import (
    FLOOR_WORDS,
    OBSERVING_WORDS,
    PAGE_WORDS,
    SECTION_WORDS,
    describe_wait,
)
from services.portal.meetings.live_reader import READS_BUDGET_S, LiveReader
from services.portal.meetings.personal_view import PersonalView
from services.portal.meetings.presentation import UNNAMED
from services.portal.meetings.takes import Takes
from services.portal.my_calendar.connection_state import ConnectionShape, read_connection
from services.portal.my_calendar.deciding.writing_words import Writing
from services.portal.my_calendar.writing import read_writing
from services.portal.my_day.parameters import read_zone
from services.portal.my_rooms.parameters import (
    ALSO_PROBLEMS,
    AlsoBody,
    AlsoQuery,
    ChoicesQuery,
    KeyHeaders,
    PromptsQuery,
    TakeBody,
    read_also,
    read_key,
    read_room_id,
    read_whole_series,
)
from services.portal.my_rooms.rebooking import Rebooking
from services.portal.my_rooms.view import RoomsView
from shared.contracts.rows import TakeRow, TakeState
from shared.domain.instants import SECOND_MS, from_rfc3339
from shared.domain.roles import Right
from shared.language.deciding.formats import write_clock, write_long_day, write_month, write_number, write_short_day
from shared.language.deciding.sentences import join_sentences, say
from shared.meetings.prompts import Closing, Prompt
from shared.registry import tables

TITLES_WAIT_S = 0.6
"""A page comes by then, with the titles that were read; its script fills in the others, or the page asks for itself again."""
_API = "/v1/me"
TAKE_PROBLEMS = (
    *ALSO_PROBLEMS,
    *WRITING_PROBLEMS,
    "room-missing",
    "no-such-room",
    "room-not-offered",
    "idempotency-key-reused",
    "take-under-way",
    "takes-full",
    "prompt-waiting",
    "not-whole-series",
    *(f"prompt-{closing.value}" for closing in Closing),
)


class MeAnswer(ChangeToken):
    """Whoever is signed in."""

    user: UserId
    tenant: Annotated[str, Meta(examples=["t-4f1c2b3a49585766"])]
    """The organisation."""
    provider: ProviderName
    connection: ConnectionShape
    writing: Writing
    """Whether calendars are changed from here."""


_FLASHES = {
    "asked": say("The room is being asked. It is pending until it answers."),
    "dismissed": say("The prompt was put away."),
}


def blueprint(deps: Deps, reader: LiveReader) -> Blueprint:
    """The routes of "My rooms": `/`, `/prompts/…`, and below `/v1/me` all but the stream."""
    bp = Blueprint("my-rooms", __name__)
    _add_reading(bp, deps, reader)
    _add_choosing(bp, deps, reader)
    _add_taking(bp, deps, reader)
    _add_dismissing(bp, deps, reader)
    return bp


def register_filters(app: Flask, *, may_write: bool) -> None:
    """
    Give every template of `app` the words and forms of times that it needs.

    Args:
        app: The application.
        may_write: Whether calendars may be written to: otherwise the pages say that rooms are chosen in the calendar.
    """
    app.jinja_env.globals["words"] = PAGE_WORDS if may_write else PAGE_WORDS | OBSERVING_WORDS
    app.template_filter("until")(lambda text: describe_wait(from_rfc3339(text) - deps().clock.now_ms()))
    app.template_filter("utc_day")(lambda text: write_short_day(_moment(text, UTC), current_manner()))
    app.template_filter("utc_clock")(lambda text: write_clock(_moment(text, UTC), current_manner()))
    app.template_filter("short_day")(lambda text: write_short_day(_moment(text, read_zone()[0]), current_manner()))
    app.template_filter("clock")(lambda text: write_clock(_moment(text, read_zone()[0]), current_manner()))
    app.template_filter("moment")(_write_moment)
    app.template_filter("wall_clock")(lambda text: write_clock(time.fromisoformat(text), current_manner()))
    app.jinja_env.globals["zone_note"] = _zone_note
    app.template_filter("state_word")(lambda state: PAGE_WORDS["states"].get(state, state))
    app.template_filter("place")(describe_place)
    app.jinja_env.globals["describe_floor"] = describe_floor
    app.jinja_env.globals["describe_equipment"] = describe_equipment
    app.template_filter("long_day")(lambda text: write_long_day(date.fromisoformat(text), current_manner()))
    app.template_filter("number")(lambda number: write_number(number, current_manner()))
    app.template_filter("month_name")(lambda day: write_month(day, current_manner()))


def describe_place(choice: Mapping[str, Any]) -> str:
    """`Riverside, floor 4, section East`."""
    return join_sentences(choice["building"] or "", describe_floor(choice["floor"], choice["section"]), between=", ")


def describe_floor(floor: str | None, section: str | None) -> str:
    """`floor 4, section East`."""
    return join_sentences(
        FLOOR_WORDS.format(floor=floor) if floor else "",
        SECTION_WORDS.format(section=section) if section else "",
        between=", ",
    )


def describe_equipment(equipment: Sequence[str], accessible: bool | None) -> str:
    """`Screen · Whiteboard · Wheelchair access`."""
    return join_sentences(*equipment, PAGE_WORDS["wheelchair"] if accessible else "", between=" · ")


def _add_reading(bp: Blueprint, deps: Deps, reader: LiveReader) -> None:
    @bp.get("/")
    def my_rooms() -> AnyResponse | str:
        if anybody() is None:
            return redirect("/auth/login", HTTPStatus.SEE_OTHER)
        return _render_page(deps, reader, signed_in())

    @bp.get(_API)
    @operation(Audience.MEMBER)
    def me() -> MeAnswer:
        """Say who is signed in, with the token that every change carries."""
        person = signed_in()
        return {
            "user": person.user,
            "tenant": person.tenant,
            "provider": person.provider,
            **change_token(person),
            "connection": read_connection(deps, person),
            "writing": read_writing(deps, person),
        }

    @bp.get(f"{_API}/rooms")
    @operation(Right.OWN_CALENDAR)
    def rooms() -> RoomsAnswer:
        """List every room of every date to come."""
        return RoomsView(deps, reader, signed_in()).list_rooms()

    @bp.get(f"{_API}/prompts")
    @operation(Right.OWN_CALENDAR, query=PromptsQuery)
    def prompts() -> PromptsAnswer:
        """List the rooms that declined and what can be done about each."""
        include_closed = request.args.get("include") == "closed"
        return RoomsView(deps, reader, signed_in()).list_prompts(include_closed=include_closed)


def _add_choosing(bp: Blueprint, deps: Deps, reader: LiveReader) -> None:
    @bp.get("/prompts/<prompt_id>")
    def choose(prompt_id: str) -> AnyResponse | str:
        if anybody() is None:
            return redirect(f"/auth/login?next=/prompts/{prompt_id}", HTTPStatus.SEE_OTHER)
        return _render_page(deps, reader, signed_in(), chosen=prompt_id)

    @bp.get(f"{_API}/prompts/<prompt_id>/choices")
    @operation(Right.OWN_CALENDAR, query=ChoicesQuery, problems=(*ALSO_PROBLEMS, *CALENDAR_PROBLEMS, "filter-invalid"))
    def choices(prompt_id: str) -> ChoicesAnswer:
        """
        List the rooms that could be taken instead, nearest first, as free/busy says of them now.

        Where none is as the filters ask, `wider` says which filters to leave out, and what there is then.
        """
        rebooking = _rebooking(deps, reader, signed_in())
        return _describe_choices(rebooking, rebooking.together(prompt_id, read_also()))


def _add_taking(bp: Blueprint, deps: Deps, reader: LiveReader) -> None:
    @bp.post("/prompts/<prompt_id>/take")
    def take_by_form(prompt_id: str) -> AnyResponse:
        rebooking = _rebooking(deps, reader, signed_in())
        take = rebooking.take_series if read_whole_series() else rebooking.take_all
        take(prompt_id, read_also(), request.form.get("roomId", ""), read_key())
        return redirect("/?done=asked", HTTPStatus.SEE_OTHER)

    @bp.post(f"{_API}/prompts/<prompt_id>/take")
    @operation(
        Right.OWN_CALENDAR,
        status=HTTPStatus.ACCEPTED,
        body=TakeBody,
        query=AlsoQuery,
        headers=KeyHeaders,
        problems=TAKE_PROBLEMS,
    )
    def take(prompt_id: str) -> TakenAnswer:
        """
        Ask for another room in the place of the one that declined.

        The answer says that it was asked, however often it is repeated; how it went stands at its `href`.
        """
        rebooking = _rebooking(deps, reader, signed_in())
        take_dates = rebooking.take_series if read_whole_series() else rebooking.take_all
        takes, room = take_dates(prompt_id, read_also(), read_room_id(), read_key())
        taken: list[TakenShape] = [
            {**take_shape(take_id, _as_asked(row), room.name), "href": f"{_API}/takes/{take_id}"}
            for take_id, row in takes
        ]
        return {**taken[0], "also": taken[1:]}

    @bp.get(f"{_API}/takes/<take_id>")
    @operation(Right.OWN_CALENDAR, problems=("no-such-take",))
    def one_take(take_id: str) -> TakeShape:
        """Say how far a request to take a room has come; it is kept for a day."""
        person = signed_in()
        row = Takes(deps, person).find(take_id)
        if row is None:
            raise ProblemError(
                HTTPStatus.NOT_FOUND,
                "no-such-take",
                say("You asked for no such room."),
                next_step=say("See /v1/me/prompts"),
            )
        room = tables.rooms(deps.engine.registry).get(person.tenant, row.room)
        return take_shape(take_id, row, room.name if room else UNNAMED)


def _add_dismissing(bp: Blueprint, deps: Deps, reader: LiveReader) -> None:
    @bp.post("/prompts/<prompt_id>/dismiss")
    def dismiss_by_form(prompt_id: str) -> AnyResponse:
        _rebooking(deps, reader, signed_in()).dismiss_all(prompt_id, read_also())
        return redirect("/?done=dismissed", HTTPStatus.SEE_OTHER)

    @bp.post(f"{_API}/prompts/<prompt_id>/dismiss")
    @operation(Right.OWN_CALENDAR, body=AlsoBody, query=AlsoQuery, problems=ALSO_PROBLEMS)
    def dismiss(prompt_id: str) -> DismissedAnswer:
        """Put a prompt away, for good and for this person alone; doing it again changes nothing."""
        dismissed = _rebooking(deps, reader, signed_in()).dismiss_all(prompt_id, read_also())
        first, *others = [prompt_shape(each, None, None, None) for each in dismissed]
        return {**first, "also": others}


def _render_page(deps: Deps, reader: LiveReader, person: Person, chosen: str = "") -> str:
    wait_s = READS_BUDGET_S if request.args.get("titles") == "wait" else TITLES_WAIT_S
    page = RoomsView(deps, reader, person, wait_s=wait_s).describe_page()
    group = next((each for each in page["prompts"] if chosen in {date["id"] for date in each["dates"]}), None)
    return render_template(
        "rooms.html",
        **page,
        chosen=group["id"] if group else chosen,
        choices=_find_choices(deps, reader, person, chosen, group) if chosen else None,
        key=secrets.token_urlsafe(16),
        flash=_flash(chosen, group),
    )


def _find_choices(
    deps: Deps, reader: LiveReader, person: Person, chosen: str, group: Json | None
) -> ChoicesAnswer | None:
    rebooking = _rebooking(deps, reader, person)
    dates = [date["id"] for date in group["dates"]] if group else []
    prompts = rebooking.together(dates[0] if dates else chosen, dates)
    if not prompts[0].open:
        return None
    return _describe_choices(rebooking, prompts)


def _describe_choices(rebooking: Rebooking, prompts: Sequence[Prompt]) -> ChoicesAnswer:
    wanted = read_filter(request.args)
    found = rebooking.choices(*prompts, wanted=wanted)
    times = rebooking.nearest_times(found, read_zone()[0], *prompts)
    options = rebooking.list_options(wanted)
    return choices_shape(prompts, found, options, rebooking.count_dates_apart(prompts), times)


def _flash(chosen: str, group: Json | None) -> str:
    if chosen and group is None:
        return say("Nothing has to be done for this prompt any more.")
    return _FLASHES.get(request.args.get("done", ""), "")


def _rebooking(deps: Deps, reader: LiveReader, person: Person) -> Rebooking:
    return Rebooking(deps, reader, person, PersonalView(deps, person))


def _as_asked(row: TakeRow) -> TakeRow:
    """The answer to a take is that it was asked, however often it is repeated; how it went stands at its `href`."""
    return msgspec.structs.replace(row, state=TakeState.ASKED, reason="")


def _moment(text: str, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(from_rfc3339(text) // SECOND_MS, tz=zone)


def _write_moment(text: str) -> str:
    """`Mon 5 Jan, 09:05` on the wall clock of whoever looks; in UTC, and saying so, while that is not known."""
    moment, manner = _moment(text, read_zone()[0]), current_manner()
    return f"{write_short_day(moment, manner)}, {write_clock(moment, manner)}{_zone_note()}"


def _zone_note() -> str:
    """What stands behind a time: nothing where it is on the clock of whoever looks."""
    return "" if read_zone()[1] else " UTC"
