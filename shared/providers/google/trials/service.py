"""Beliefs about Google's service; all but pushes are tried by reading alone."""

from __future__ import annotations

from http import HTTPStatus

from shared.domain.instants import DAY_MS, to_rfc3339
from shared.providers.google.client import CALENDARS_PER_CALL
from shared.providers.google.trials import events
from shared.providers.trials.service import CannotTryError, Json
from shared.providers.trials.trial import BeliefTrial, TrialContext, wait_for_push

_PUSHED_WITHIN_S = 180.0
_TOO_MANY = "tooManyCalendarsRequested"


def push_latency(context: TrialContext) -> str:
    """Make an event and wait for its push."""
    return wait_for_push(context, lambda: events.create(context), within_s=_PUSHED_WITHIN_S)


def person_id(context: TrialContext) -> str:
    """The `sub` of userinfo against that of the sign-in."""
    return "" if _person(context).get("sub") == context.access.subject else "userinfo has another sub than the sign-in"


def hosted_domain(context: TrialContext) -> str:
    """`hd` against the person's own address; somebody of a secondary domain shows most."""
    domain, own = str(_person(context).get("hd") or ""), context.access.address.rpartition("@")[2]
    if not domain:
        message = "the person belongs to no organisation: userinfo has no hd"
        raise CannotTryError(message)
    return "" if domain.lower() == own.lower() else f"hd is {domain}, and the person's address is of {own}"


def free_busy_scope(context: TrialContext) -> str:
    """Ask for one's own busy times; the grant holds `calendar.freebusy` and no wider scope that would allow it."""
    answer = context.service.ask("POST", "/freeBusy", body=_question(context, context.access.address))
    return f"it was refused: {answer.refusal}" if answer.status == HTTPStatus.FORBIDDEN else ""


def free_busy_unknown(context: TrialContext) -> str:
    """Ask for somebody who does not exist."""
    nobody = _nobody(context, 0)
    found = _calendars(context, nobody).get(nobody) or {}
    return "" if found.get("errors") else "a calendar that does not exist has no error"


def free_busy_fifty(context: TrialContext) -> str:
    """Fifty calendars, of which forty-nine do not exist."""
    asked = [context.access.address, *(_nobody(context, number) for number in range(1, CALENDARS_PER_CALL))]
    found = _calendars(context, *asked)
    refused = [one for one in found.values() for error in one.get("errors") or () if error.get("reason") == _TOO_MANY]
    if len(found) < CALENDARS_PER_CALL:
        return f"the answer has {len(found)} of {CALENDARS_PER_CALL} calendars"
    return f"{len(refused)} calendars are too many" if refused else ""


def bad_sync_token(context: TrialContext) -> str:
    """Send a token that nobody gave."""
    query = {"syncToken": f"probe-{context.run}", "singleEvents": "true"}
    answer = context.service.ask("GET", "/calendars/primary/events", query=query)
    known = {HTTPStatus.BAD_REQUEST, HTTPStatus.GONE}
    return "" if answer.status in known else f"the answer is {answer.refusal}"


def windowed_sync_token(context: TrialContext) -> str:
    """List a week."""
    *_, last = events.pages(context)
    return "" if last.get("nextSyncToken") else "the last page has no sync token"


def _person(context: TrialContext) -> Json:
    metadata = context.service.demand("reading the OpenID metadata", "GET", context.discovery_url)
    return context.service.demand("reading userinfo", "GET", str(metadata.get("userinfo_endpoint")))


def _calendars(context: TrialContext, *addresses: str) -> Json:
    asked = _question(context, *addresses)
    return dict(context.service.demand("asking for busy times", "POST", "/freeBusy", body=asked).get("calendars") or {})


def _question(context: TrialContext, *addresses: str) -> Json:
    at_ms = context.start_ms()
    times = {"timeMin": to_rfc3339(at_ms), "timeMax": to_rfc3339(at_ms + DAY_MS), "timeZone": "UTC"}
    return {**times, "items": [{"id": address} for address in addresses]}


def _nobody(context: TrialContext, number: int) -> str:
    return f"probe-{context.run}-{number}@{context.access.address.rpartition('@')[2]}"


TRIALS = (
    BeliefTrial("google.push-latency", push_latency, writes=True),  # first: no push of another trial is on its way
    BeliefTrial("google.person-id", person_id, writes=False),
    BeliefTrial("google.hosted-domain", hosted_domain, writes=False),
    BeliefTrial("google.free-busy-scope", free_busy_scope, writes=False),
    BeliefTrial("google.free-busy-unknown", free_busy_unknown, writes=False),
    BeliefTrial("google.free-busy-fifty", free_busy_fifty, writes=False),
    BeliefTrial("google.bad-sync-token", bad_sync_token, writes=False),
    BeliefTrial("google.windowed-sync-token", windowed_sync_token, writes=False),
)
