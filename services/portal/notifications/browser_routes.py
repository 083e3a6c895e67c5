"""The person's browsers that show notices, as JSON and from the forms on the profile."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, after_this_request, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from services.portal.deps import Deps
from services.portal.frame.bodies import require_object
from services.portal.frame.sessions import member
from services.portal.interface.operation import operation
from services.portal.notifications.browsers import NoticeBrowserList, NoticeBrowsersAnswer, NoticeBrowserShape
from services.portal.notifications.current_browser import CurrentBrowser
from services.portal.notifications.deciding.browser_form import BrowserForm
from services.portal.notifications.preferences import LadderPreferences
from shared.domain.roles import Right

_PATH = "/v1/me/browsers"
_EXAMPLE = '{"endpoint": "https://…", "keys": {"p256dh": "…", "auth": "…"}}'


def register_browsers(bp: Blueprint, deps: Deps, preferences: LadderPreferences) -> None:
    """Add the routes below `/v1/me/browsers` and `/profile/browsers`."""
    browsers, current = NoticeBrowserList(deps, preferences), CurrentBrowser(deps)

    @bp.get(_PATH)
    @operation(Right.OWN_CALENDAR)
    def list_browsers() -> NoticeBrowsersAnswer:
        """List the browsers in which one asked for notices, and say what another one subscribes with."""
        person = member()
        return browsers.shown(person.tenant, person.user)

    @bp.post(_PATH)
    @operation(
        Right.OWN_CALENDAR,
        status=HTTPStatus.CREATED,
        body=BrowserForm,
        problems=("browsers-off", "json-missing", "browser-invalid"),
    )
    def add() -> NoticeBrowserShape:
        """Have notices shown in a browser, until it is removed or its person signs out in it; of more than five the oldest goes."""
        person = member()
        agent = request.headers.get("User-Agent", "")
        added = browsers.add(person.tenant, person.user, require_object(_EXAMPLE), agent)

        @after_this_request
        def remember(response: Response) -> Response:
            current.remember(response, person.tenant, person.user, added["id"])
            return response

        return added

    @bp.delete(f"{_PATH}/<browser>")
    @operation(Right.OWN_CALENDAR, problems=("no-such-browser",))
    def remove(browser: str) -> None:
        """Show no more notices in a browser."""
        person = member()
        browsers.remove(person.tenant, person.user, browser)

    @bp.post("/profile/browsers/<browser>/remove")
    def remove_by_form(browser: str) -> AnyResponse:
        person = member()
        browsers.remove(person.tenant, person.user, browser)
        return redirect("/profile?done=browser-removed#notices", HTTPStatus.SEE_OTHER)
