"""The browsers in which a person asked for notices: what they see of them, and add and remove there."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, TypedDict

from msgspec import Meta

from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.interface.fields import Instant, NoticeBrowserId
from services.portal.notifications.deciding.browser_agent import read_agent
from services.portal.notifications.deciding.browser_form import read_browser
from services.portal.notifications.preferences import LadderPreferences
from shared.contracts.browser_rows import NoticeBrowser
from shared.domain.instants import to_rfc3339
from shared.domain.webhook_address import hosts_of
from shared.language.deciding.sentences import say
from shared.organisations import notice_browsers
from shared.organisations.notice_browsers import NewNoticeBrowser


class NoticeBrowserShape(TypedDict):
    """A browser in which the person asked for notices."""

    id: NoticeBrowserId
    """The first sixteen hexadecimal digits of the SHA-256 of its endpoint, so that a page finds its own browser."""
    name: Annotated[str, Meta(examples=["Firefox"])] | None
    """Null: its kind is not known."""
    system: Annotated[str, Meta(examples=["Windows"])] | None
    """What it runs on. Null: that is not known."""
    addedAt: Instant
    goneAt: Instant | None
    """When its push service said that it takes no more: notices have to be asked for in it anew."""
    outdated: bool
    """Whether it was added for an earlier `applicationServerKey`: it takes no notice until they are asked for in it anew."""


class NoticeBrowsersAnswer(TypedDict):
    """The browsers in which the person asked for notices, oldest first."""

    available: bool
    """Whether this deployment shows notices in browsers."""
    applicationServerKey: Annotated[str, Meta(examples=["BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx…"])] | None
    """What a browser is given to subscribe with, in base64url. Null: not available."""
    browsers: list[NoticeBrowserShape]


class NoticeBrowserList:
    """Those of one person at a time. Every method raises StoreUnavailableError and RowRefusedError."""

    def __init__(self, deps: Deps, preferences: LadderPreferences) -> None:
        self._engine = deps.engine
        self._clock = deps.clock
        self._preferences = preferences
        settings = deps.settings
        self._key = settings.push_public_key
        self._available = settings.shows_in_browsers
        self._hosts, self._allowed = hosts_of(settings.push_hosts), hosts_of(settings.webhook_allowed_hosts)

    def shown(self, tenant: str, user: str) -> NoticeBrowsersAnswer:
        """A person's browsers, and what one more is to subscribe with."""
        known = notice_browsers.list_browsers(self._engine.registry, tenant, user)
        return {
            "available": self._available,
            "applicationServerKey": self._key or None,
            "browsers": [self._shape(each) for each in known],
        }

    def add(self, tenant: str, user: str, sent: Mapping[str, Any], agent: str) -> NoticeBrowserShape:
        """
        Add a browser, or put one that is known in its own place anew; with one too many the oldest goes.

        Whoever had switched such notices off has them on again: they asked for them just now.

        Args:
            tenant: Of the person.
            user: The person.
            sent: What the browser's `PushSubscription` writes of itself.
            agent: Its `User-Agent`.

        Raises:
            ProblemError: 409 where this deployment shows none; 422, naming the field.
            KeyDestroyedError: the organisation was switched off for good.
        """
        if not self._available:
            raise _switched_off()
        target, kind = read_browser(sent, self._hosts, self._allowed), read_agent(agent)
        new = NewNoticeBrowser(target, self._key, kind.name, kind.system)
        engine, now_ms = self._engine, self._clock.now_ms()
        added = notice_browsers.add_browser(engine.registry, engine.keyring, tenant, user, new, now_ms)
        self._preferences.allow_browsers(tenant, user)
        return self._shape(added)

    def remove(self, tenant: str, user: str, browser: str) -> None:
        """
        Remove a browser: nothing more is shown in it. Also where this deployment shows none any more.

        Raises:
            ProblemError: 404, it is none of this person's.
        """
        if not notice_browsers.remove_browser(self._engine.registry, tenant, user, browser):
            raise ProblemError(
                HTTPStatus.NOT_FOUND,
                "no-such-browser",
                say("You have asked for notices in no such browser."),
                next_step=say("See which there are on your profile: /profile"),
            )

    def _shape(self, browser: NoticeBrowser) -> NoticeBrowserShape:
        return {
            "id": browser.id,
            "name": browser.name or None,
            "system": browser.system or None,
            "addedAt": to_rfc3339(browser.made_at_ms),
            "goneAt": to_rfc3339(browser.ended_at_ms) if browser.ended_at_ms else None,
            "outdated": browser.key != self._key,
        }


def _switched_off() -> ProblemError:
    return ProblemError(
        HTTPStatus.CONFLICT,
        "browsers-off",
        say("Notices in browsers are not set up here."),
        next_step=say("Ask whoever operates roomsync to set ROOMSYNC_PUSH_PUBLIC_KEY."),
    )
