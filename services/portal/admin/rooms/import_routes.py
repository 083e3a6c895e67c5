"""Importing the directory's rooms in two steps, on pages and in JSON: what it would do is shown, then done as it was shown."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.admin.rooms.deciding.plan_shapes import ImportBody, ImportedAnswer, PreviewAnswer, preview_shape
from services.portal.admin.rooms.deciding.room_plan import RoomPlan
from services.portal.admin.rooms.directory_import import RoomImport, find_listing
from services.portal.admin.rooms.pending_listing import PendingListing
from services.portal.admin.rooms.room_list import RoomList
from services.portal.deps import Deps
from services.portal.frame.bodies import read_object
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person, require_right
from services.portal.interface.operation import LEAVING_PROBLEMS, operation
from services.portal.sign_in.departure import LeadingAnswer, leading_answer, leading_page
from shared.domain.instants import to_rfc3339
from shared.domain.roles import Right
from shared.language.deciding.sentences import say

_API = "/v1/admin/rooms/import"
_PREVIEW_PROBLEMS = ("no-such-preview", "rooms-full")


def add_import(bp: Blueprint, deps: Deps, room_import: RoomImport) -> None:
    """Add the routes below `/admin/rooms/import` and `/v1/admin/rooms/import`."""
    _add_pages(bp, deps, room_import)
    _add_api(bp, deps, room_import)


def _add_pages(bp: Blueprint, deps: Deps, room_import: RoomImport) -> None:
    @bp.post("/admin/rooms/import")
    def import_by_form() -> AnyResponse:
        return leading_page(room_import.depart(), say("to list the organisation's rooms"))

    @bp.get("/admin/rooms/import/<preview>")
    def preview_listing(preview: str) -> str:
        return _render_preview(deps, require_right(Right.CHANGE_ROOMS), preview)

    @bp.post("/admin/rooms/import/<preview>")
    def import_listing(preview: str) -> AnyResponse:
        person = require_right(Right.CHANGE_ROOMS)
        try:
            _import(deps, person, preview, request.form.get("plan", ""))
        except ProblemError as error:
            if error.code != "preview-stale":
                raise
            return make_response(_render_preview(deps, person, preview, error), error.status)
        return redirect("/admin/rooms?done=imported", HTTPStatus.SEE_OTHER)


def _add_api(bp: Blueprint, deps: Deps, room_import: RoomImport) -> None:
    @bp.post(_API)
    @operation(Right.CHANGE_ROOMS, answer=LeadingAnswer, problems=LEAVING_PROBLEMS)
    def begin_import() -> AnyResponse:
        """
        Begin to import the directory's rooms: the answer says where the browser is to be sent.

        Once it is back, a preview stands at this address: nothing has been changed until that is imported.
        """
        return leading_answer(room_import.depart())

    @bp.get(_API)
    @operation(Right.CHANGE_ROOMS, problems=_PREVIEW_PROBLEMS)
    def latest_preview() -> PreviewAnswer:
        """Show what the import would do that was begun last, by whomever of the organisation."""
        person = require_right(Right.CHANGE_ROOMS)
        return _describe_preview(deps, person, PendingListing(deps, person.tenant).latest())

    @bp.get(f"{_API}/<preview>")
    @operation(Right.CHANGE_ROOMS, problems=_PREVIEW_PROBLEMS)
    def one_preview(preview: str) -> PreviewAnswer:
        """Show what an import would do to the list of rooms as it stands now."""
        return _describe_preview(deps, require_right(Right.CHANGE_ROOMS), preview)

    @bp.post(f"{_API}/<preview>")
    @operation(Right.CHANGE_ROOMS, body=ImportBody, problems=(*_PREVIEW_PROBLEMS, "preview-stale"))
    def import_previewed(preview: str) -> ImportedAnswer:
        """
        Import the directory's rooms as a preview shows it.

        If the list has changed since, nothing is done: the preview says something else by then, and has another `plan`.
        """
        plan = _import(deps, require_right(Right.CHANGE_ROOMS), preview, str(read_object().get("plan") or ""))
        return {"new": len(plan.new), "changed": len(plan.changed)}


def _render_preview(deps: Deps, person: Person, preview: str, stale: ProblemError | None = None) -> str:
    plan = RoomList(deps, person).plan_listing(find_listing(deps, person, preview))
    return render_template("rooms_listing.html", person=person, plan=plan, preview=preview, stale=stale)


def _describe_preview(deps: Deps, person: Person, preview: str) -> PreviewAnswer:
    plan = RoomList(deps, person).plan_listing(find_listing(deps, person, preview))
    return preview_shape(preview, plan, to_rfc3339(PendingListing(deps, person.tenant).ends_ms()))


def _import(deps: Deps, person: Person, preview: str, plan_name: str) -> RoomPlan:
    """
    Do what a preview showed, and forget it.

    Raises:
        ProblemError: 404, it is not there any more; 409, the list has changed since, so that it shows something else.
    """
    book = RoomList(deps, person)
    plan = book.plan_listing(find_listing(deps, person, preview))
    if plan.name != plan_name:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "preview-stale",
            say("The list of rooms has changed since you looked at what the import would do, so nothing was imported."),
            next_step=say("Look at it again, and import it with its new `plan`: {href}").format(
                href=f"{_API}/{preview}"
            ),
        )
    book.import_plan(plan)
    PendingListing(deps, person.tenant).drop()
    return plan
