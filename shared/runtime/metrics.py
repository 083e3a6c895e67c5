"""Every metric, once: its name, its labels and what it means. A metric that is not in this file does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics import MetricWrapperBase

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series per counter that nobody reads

REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.2, 3.0, 10.0)
_TELLING = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 90.0, 120.0, 300.0, 900.0, 3600.0)
"""What is promised of telling people is one of these: 10 s on a page, 120 s by mail."""
_ALL: list[MetricWrapperBase] = []


@dataclass(frozen=True, slots=True)
class Described:
    """One line of the table of metrics in the documentation."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    metric = Counter(name, meaning, labels, namespace="roomsync", registry=REGISTRY)
    _ALL.append(metric)
    return metric


def _gauge(name: str, meaning: str, *labels: str) -> Gauge:
    metric = Gauge(name, meaning, labels, namespace="roomsync", registry=REGISTRY)
    _ALL.append(metric)
    return metric


def _histogram(name: str, meaning: str, *labels: str, buckets: tuple[float, ...] = _FAST) -> Histogram:
    metric = Histogram(name, meaning, labels, namespace="roomsync", registry=REGISTRY, buckets=buckets)
    _ALL.append(metric)
    return metric


HOOK_ITEMS = _counter(
    "hook_items",
    "notification items; outcome: accepted (durable), forged (no valid proof), malformed, unavailable (503)",
    "provider",
    "outcome",
)
HOOK_REFUSALS = _counter("hook_refusals", "requests refused whole, by reason", "provider", "reason")
HOOK_SECONDS = _histogram("hook_seconds", "time from a request's arrival in the application to its answer", "provider")
HTTP_REFUSALS = _counter(
    "http_refusals",
    "requests refused before the application saw them (framing, sizes, too many bodies at once)",
    "status",
)
HTTP_CONNECTIONS_ENDED = _counter(
    "http_connections_ended",
    "connections ended by us; reason: late (a deadline passed), crowded (too many connections, in all or of one address)",
    "reason",
)
PORTAL_LIMITED = _counter(
    "portal_limited",
    "requests of the portal answered 429, or 503 for provider-calls; limit: sign-in, test, writes, provider-calls",
    "limit",
)
BREAKER_OPEN = _gauge("breaker_open", "lanes of a breaker that are open: 0 is well", "breaker")
REFUSAL_CIRCUITS_OPEN = _gauge(
    "refusal_circuits_open",
    "organisations, or the deployment, whose grants a token endpoint refuses by the dozen: it is not asked for a while",
    "provider",
)
GAPS = _counter("gaps", "gap commands appended: hints of a partition may have been lost while the log was away")

LOOKS = _counter(
    "looks",
    "looks at mailboxes; kind: full, incremental, none; outcome: committed, empty, retry, revoked",
    "provider",
    "kind",
    "outcome",
)
PROVIDER_CALLS = _counter(
    "provider_calls",
    "calls of a provider's calendar; outcome: ok, busy (limited, away), revoked, expired, gone, conflict, refused, error",
    "provider",
    "operation",
    "outcome",
)
PROVIDER_SECONDS = _histogram(
    "provider_seconds", "duration of provider calls, a look from its first to its last page", "provider", "operation"
)

MAILBOXES = _gauge(
    "mailboxes",
    "mailboxes held, by state: connecting, connected, failing (its last look failed), leaving",
    "partition",
    "provider",
    "state",
)
MAILBOXES_STALE = _gauge(
    "mailboxes_stale", "mailboxes not looked at within twice the reconcile time", "partition", "provider"
)
SUBSCRIPTIONS_DOUBTED = _gauge(
    "subscriptions_doubted",
    "mailboxes of which a look found changes that no push had announced, until a push comes again",
    "partition",
    "provider",
)
SUBSCRIPTION_SHORTEST_LIFE_SECONDS = _gauge(
    "subscription_shortest_life_seconds",
    "remaining life of the subscription that ends soonest; below zero: a watch died silently",
    "partition",
    "provider",
)

ANSWERS_OPENED = _counter(
    "answers_opened",
    "answers that a calendar opened although their attendees stayed, when a room was taken; attendee: room (what it had answered "
    "counts until it answers again), guest",
    "provider",
    "attendee",
)
AUDITED = _counter("audited_dates", "dates to come that were compared with the whole calendar of a mailbox", "provider")
DRIFT = _counter(
    "drift_found",
    "references that differed from the calendar, and were corrected; kind: missing, extra, time, room, answer, identity (found by "
    "comparing), push (mailboxes in which a look found changes that no push had announced)",
    "provider",
    "kind",
)
AUDITS_WAITING = _gauge(
    "audits_waiting",
    "mailboxes whose comparison waits, because the calls of their organisation are used up",
    "partition",
)
ROOM_STATES_UPCOMING = _gauge(
    "room_states_upcoming",
    "rooms that are asked for by dates of the next 24 hours, in the calendars of those who organise them",
    "partition",
    "provider",
)
ROOM_STATES_CONFIRMED = _gauge(
    "room_states_confirmed",
    "those of them whose calendar was looked at in the last 15 minutes",
    "partition",
    "provider",
)

OBSERVATIONS = _counter("observations", "observations committed", "provider")
DECLINES = _counter("declines", "decline events committed")
OUTCOMES = _counter("outcomes", "events committed that say how a decline ended")
COMMIT_SECONDS = _histogram("commit_seconds", "duration of a claim's commit", "service")
RECORDS = _counter("records", "input records handled", "service", "topic")
LAG_RECORDS = _gauge(
    "lag_records", "input offsets not yet passed by the position (markers included)", "service", "partition"
)
LAG_SECONDS = _gauge("lag_seconds", "age of the oldest input not yet passed by the position", "service", "partition")
CLAIMS = _gauge("claims", "partitions this process owns", "service")
INPUT_LOST = _counter(
    "input_lost", "input offsets that retention took before they were read: always an alarm", "service", "topic"
)
STORE_UNAVAILABLE = _counter("store_unavailable", "steps and looks put off because a Redis was away", "service")
DEAD_LETTERS = _counter("dead_letters", "records that could not be handled and were put aside", "service")

PARKED = _counter(
    "parked", "observations of which nothing was applied because a record would exceed its bound: an alarm", "service"
)

MESSAGES = _counter(
    "messages",
    "attempts to tell people of prompts; outcome: accepted, refused (this person for good), later (to be tried again)",
    "channel",
    "outcome",
)
WEBHOOK_ATTEMPTS = _counter(
    "webhook_attempts",
    "events sent to organisations' endpoints; outcome: taken, refused (any other answer), unreachable (none), expired (never sent)",
    "outcome",
)
WEBHOOKS_PAUSED = _counter(
    "webhooks_paused", "endpoints to which nothing is sent until a person resumes them; reason: gone, failing", "reason"
)
TOLD_SECONDS = _histogram(
    "told_seconds",
    "time from a room's answer being seen (and the provider's grace) until it was told; channel: topic, page, mail, chat, webhook",
    "channel",
    buckets=_TELLING,
)
ROOMLESS_UNTOLD = _counter(
    "roomless_untold",
    "meetings that began without a room, of which that was told to nobody before: a room that was pending had said no (an alarm)",
)
DECLINE_INCIDENTS = _counter("decline_incidents", "times at which many rooms of one organisation said no at once")
DECLINE_INCIDENTS_OPEN = _gauge(
    "decline_incidents_open",
    "organisations whose people get no messages because many rooms said no at once",
    "partition",
)
PEOPLE_HELD = _gauge("people_held", "people whose messages wait until such an incident is over", "partition")
PROMPTS_SHOWN = _counter("prompts_shown", "prompts first shown to somebody", "provider")
ROOMS_TAKEN = _counter("rooms_taken", "rebookings asked for on a page, by outcome", "provider", "outcome")
PAGE_SECONDS = _histogram("page_seconds", "time from a page or API request to its answer", "route")
STREAMS = _gauge("streams", "server-sent event streams open")


def render() -> bytes:
    """All metrics of this process in Prometheus' text format (`CONTENT_TYPE`)."""
    return generate_latest(REGISTRY)


def describe_metrics() -> Iterator[Described]:
    """The table of metrics, in the order of this file."""
    for metric in _ALL:
        family = next(iter(metric.describe()))
        name = f"{family.name}_total" if family.type == "counter" else family.name
        yield Described(name, family.type, tuple(metric._labelnames), family.documentation)  # noqa: SLF001
