"""The agenda and the month, as pages and as JSON."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.deps import Deps
from services.portal.frame.language import current_manner
from services.portal.frame.sessions import Person, anybody, signed_in
from services.portal.interface.operation import CALENDAR_PROBLEMS, operation
from services.portal.meetings.deciding.free_times import OFFICE_HOURS
from services.portal.meetings.live_reader import LiveReader
from services.portal.my_calendar.connection_state import read_connection
from services.portal.my_day.answers import AgendaAnswer, CountedDay, MonthAnswer
from services.portal.my_day.deciding.agenda import COUNTING_RULE, next_month, week_of, weeks
from services.portal.my_day.deciding.day_axis import lay_out_day
from services.portal.my_day.live_answers import ask_calendar, redirect_to_sign_in
from services.portal.my_day.parameters import (
    AgendaQuery,
    MonthQuery,
    read_day,
    read_month,
    read_span,
    read_zone,
    today_in,
)
from services.portal.my_day.places import CHOSEN
from services.portal.my_day.presentation import DayView
from shared.domain.roles import Right
from shared.language.deciding.formats import DAYS_OF_WEEK, name_weekdays
from shared.language.deciding.sentences import say
from shared.registry import tables

_FLASHES = {
    "marked": say("The day is marked."),
    "placed": say("Where you attend from is noted."),
    "booked": say("The meeting stands in your calendar, and the room has been asked. It is pending until it answers."),
}

_BOOKED = say("The meeting stands in your calendar, and {room} has been asked. It is pending until it answers.")


def add(bp: Blueprint, deps: Deps, reader: LiveReader) -> None:
    """Add the routes `/day`, `/month`, `/v1/me/agenda` and `/v1/me/month`."""
    _add_agenda(bp, deps, reader)
    _add_month(bp, deps, reader)


def _add_agenda(bp: Blueprint, deps: Deps, reader: LiveReader) -> None:
    @bp.get("/v1/me/agenda")
    @operation(Right.OWN_CALENDAR, query=AgendaQuery, problems=(*CALENDAR_PROBLEMS, "date-invalid", "days-invalid"))
    def agenda() -> AgendaAnswer:
        """List one's own days, with what stands on each, read from one's calendar now."""
        person = signed_in()
        zone, _ = read_zone()
        first = read_day(request.args.get("from", ""), today_in(deps, zone))
        days = DayView(deps, reader, person, zone).agenda(first, read_span())
        return {"zone": zone.key, "days": days}

    @bp.get("/day")
    def day_page() -> AnyResponse | str:
        if anybody() is None:
            return redirect_to_sign_in()
        person = signed_in()
        zone, known = read_zone()
        first, span = read_day(request.args.get("from", ""), today_in(deps, zone)), read_span()
        monday, view = week_of(first, current_manner().first_day), DayView(deps, reader, person, zone)
        found, trouble = ask_calendar(lambda: view.agenda_and_week(first, span, monday))
        days, week = found or ([], [])
        return render_template(
            "day.html",
            person=person,
            days=days,
            week=week,
            weekdays=name_weekdays(current_manner()),
            axis=lay_out_day(days[0]["items"], first, zone, deps.clock.now_ms()) if days else None,
            office_hours=OFFICE_HOURS,
            trouble=trouble,
            zone=zone.key,
            zone_known=known,
            first=first,
            back=first - timedelta(days=DAYS_OF_WEEK),
            on=first + timedelta(days=DAYS_OF_WEEK),
            today=today_in(deps, zone),
            places=CHOSEN,
            connected=read_connection(deps, person)["state"],
            may_write=deps.settings.may_write,
            flash=_flash(deps, person),
        )


def _flash(deps: Deps, person: Person) -> str:
    """What was done; of a booking with the name of the room that was asked."""
    done, room = request.args.get("done", ""), request.args.get("room", "")
    row = tables.rooms(deps.engine.registry).get(person.tenant, room) if done == "booked" and room else None
    return _BOOKED.format(room=row.name) if row else _FLASHES.get(done, "")


def _add_month(bp: Blueprint, deps: Deps, reader: LiveReader) -> None:
    @bp.get("/v1/me/month")
    @operation(Right.OWN_CALENDAR, query=MonthQuery, problems=(*CALENDAR_PROBLEMS, "date-invalid", "month-invalid"))
    def month() -> MonthAnswer:
        """Count one's own meetings on each day of a month."""
        person = signed_in()
        zone, _ = read_zone()
        first = read_month(today_in(deps, zone))
        counted = DayView(deps, reader, person, zone).count_meetings(first, (next_month(first) - first).days)
        days: list[CountedDay] = [{"date": day.date.isoformat(), "meetings": day.meetings} for day in counted]
        return {"zone": zone.key, "month": f"{first:%Y-%m}", "rule": COUNTING_RULE, "days": days}

    @bp.get("/month")
    def month_page() -> AnyResponse | str:
        if anybody() is None:
            return redirect_to_sign_in()
        person = signed_in()
        zone, known = read_zone()
        first = read_month(today_in(deps, zone))
        view = DayView(deps, reader, person, zone)
        counted, trouble = ask_calendar(lambda: view.count_meetings(first, (next_month(first) - first).days))
        places = view.places([day.date for day in counted or ()])
        return render_template(
            "month.html",
            person=person,
            month=first,
            weekdays=name_weekdays(current_manner()),
            rows=weeks(first, counted, current_manner().first_day) if counted is not None else [],
            place_of={day: place.value for day, place in places.items()},
            total=sum(day.meetings for day in counted or ()),
            rule=COUNTING_RULE,
            trouble=trouble,
            zone=zone.key,
            zone_known=known,
            today=today_in(deps, zone),
            earlier=(first - timedelta(days=1)).strftime("%Y-%m"),
            later=next_month(first).strftime("%Y-%m"),
        )
