"""Beliefs about Graph's service: people, availability, pages and pushes."""

from __future__ import annotations

from shared.domain.instants import DAY_MS
from shared.providers.microsoft.booking import utc
from shared.providers.microsoft.client import SCHEDULES_PER_CALL
from shared.providers.microsoft.trials import events
from shared.providers.trials.service import CannotTryError, ServiceAnswer
from shared.providers.trials.trial import BeliefTrial, TrialContext, wait_for_push

_PUSHED_WITHIN_S = 180.0


def push_latency(context: TrialContext) -> str:
    """Make an event and wait for its push."""
    return wait_for_push(context, lambda: events.create(context), within_s=_PUSHED_WITHIN_S)


def person_id(context: TrialContext) -> str:
    """`/me` against the id of the sign-in."""
    found = context.service.demand("reading one's own profile", "GET", "/me", query={"$select": "id"})
    return "" if found.get("id") == context.access.subject else "/me has another id than the sign-in"


def own_addresses(context: TrialContext) -> str:
    """The addresses of `/me`; of a person who has a mailbox there is one at least."""
    query = {"$select": "mail,userPrincipalName,proxyAddresses"}
    found = context.service.demand("reading one's own profile", "GET", "/me", query=query)
    if not found.get("mail"):
        return "/me does not say where mail reaches the person"
    return "" if found.get("proxyAddresses") else "/me has no proxyAddresses, although the person has mail"


def schedule_twenty(context: TrialContext) -> str:
    """Twenty addresses of which nineteen do not exist, so that nobody's times are read."""
    nobodies = [f"probe-{context.run}-{number}" for number in range(1, SCHEDULES_PER_CALL)]
    answer = _schedule(context, *nobodies)
    if answer.is_success:
        return ""
    if not _schedule(context, nobodies[0]).is_success:
        message = f"an address that Graph does not know is refused: {answer.refusal}"
        raise CannotTryError(message)
    return f"{SCHEDULES_PER_CALL} addresses were refused: {answer.refusal}"


def schedule_unknown_address(context: TrialContext) -> str:
    """One's own address beside one that does not exist."""
    answer = _schedule(context, f"probe-{context.run}")
    if not answer.is_success:
        return f"the whole call was refused: {answer.refusal}"
    own = context.access.address.lower()
    unknown = [one for one in answer.body.get("value") or () if str(one.get("scheduleId")).lower() != own]
    return "" if unknown and all(one.get("error") for one in unknown) else "an unknown address has no error"


def delta_link_last(context: TrialContext) -> str:
    """A first round in pages of one event."""
    events.create(context)
    events.create(context)
    seen = list(events.pages(context, size=1))
    if len(seen) == 1:
        message = "Graph put everything on one page, though one event a page was asked for"
        raise CannotTryError(message)
    early = [page for page in seen[:-1] if page.get("@odata.deltaLink")]
    if early:
        return "a page that is not the last has a delta link"
    return "" if seen[-1].get("@odata.deltaLink") else "the last page has no delta link"


def _schedule(context: TrialContext, *nobodies: str) -> ServiceAnswer:
    """Ask for one's own times, and for those of people of one's domain who do not exist."""
    domain = context.access.address.rpartition("@")[2]
    at_ms = context.start_ms()
    body = {
        "schedules": [context.access.address, *(f"{name}@{domain}" for name in nobodies)],
        "startTime": utc(at_ms),
        "endTime": utc(at_ms + DAY_MS),
        "availabilityViewInterval": 60,
    }
    return context.service.ask("POST", "/me/calendar/getSchedule", body=body)


TRIALS = (
    BeliefTrial("microsoft.push-latency", push_latency, writes=True),  # first: no push of another trial is on its way
    BeliefTrial("microsoft.person-id", person_id, writes=False),
    BeliefTrial("microsoft.own-addresses", own_addresses, writes=False),
    BeliefTrial("microsoft.schedule-twenty", schedule_twenty, writes=False),
    BeliefTrial("microsoft.schedule-unknown-address", schedule_unknown_address, writes=False),
    BeliefTrial("microsoft.delta-link-last", delta_link_last, writes=True),
)
