"""Decides which facts are findings, and which runbook helps. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from cli.status.facts import Facts, MailboxCounts, ServiceHealth, ServiceLag
from shared.grants.grant import who_mends

LAG_S = 90.0  # positions are durable once a minute at the latest: less may be nothing at all
_PAGE = "docs/runbooks/{}.md"
_AWAY = {
    "log": ("the log, or a part of it", "providers are answered 503 and come back, workers wait", "broker-outage"),
    "view": ("the view's store", 'pages say "rebuilding", nothing is lost', "redis-lost"),
    "registry": ("registry and keyring", "no new look starts, hints wait in the log", "redis-lost"),
}
"""Store → its name, what it means that it is away, and the page."""
_MENDERS = {
    "person": "a rule of the organisation, or the provider itself",
    "administrator": "a rule of the organisation, or the application in its directory",
    "operator": "our own registration; roomsync doctor",
}
"""Who mends a refusal of a single grant → what it is where many are refused for it at once."""
_CONSEQUENCES = frozenset(("readyz", "claims"))  # checks that fail because a store is away


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be."""

    what: str
    runbook: str
    """The page to open."""
    do: str
    """The first thing to do."""


def list_findings(facts: Facts) -> list[Finding]:
    """The worst first: what cannot be reached, who does not run, who is behind, what the calendars suffer."""
    return [
        *_stores(facts),
        *_emptied(facts),
        *_hesitant(facts),
        *(finding for service in facts.services for finding in _service(service, facts.unreachable)),
        *(finding for station in facts.stations.values() for finding in _station(station)),
        *_view(facts),
        *(finding for provider, counts in (facts.watched or {}).items() for finding in _watched(provider, counts)),
        *_consents(facts),
        *_refused_at_once(facts),
        *_letters(facts),
        *_unseen(facts),
    ]


def _stores(facts: Facts) -> Iterator[Finding]:
    for store, why in facts.unreachable.items():
        name, means, page = _AWAY[store]
        what = f"{name} cannot be reached ({why.partition(';')[0]}): {means}"
        yield Finding(what, _page(page), "roomsync doctor")


def _emptied(facts: Facts) -> Iterator[Finding]:
    if facts.emptied:
        what = "the registry knows no organisation, though the log holds mailboxes: it was lost, or this is another one"
        do = "is it the right server or file? If it is: roomsync registry restore FILE, before people sign in again"
        yield Finding(what, _page("redis-lost"), do)


def _hesitant(facts: Facts) -> Iterator[Finding]:
    if facts.hesitant and not facts.unreachable:
        parts = ", ".join(dict.fromkeys(facts.hesitant))
        what = f"a store answered only when asked again ({parts}): one of its servers may be away"
        yield Finding(what, _page("broker-outage"), "roomsync doctor; look at each broker")


def _service(service: ServiceHealth, away: Collection[str]) -> Iterator[Finding]:
    if not service.answers:
        if service.named:
            do = "is the process running? If it runs elsewhere: --service URL"
            yield Finding(f"nothing answers at {service.url}", _page("bad-deploy"), do)
        return
    wrong = {name: word for name, word in service.checks.items() if word != "ok"}
    blamed = {*away, *_CONSEQUENCES} if away else set()
    if not service.ready and not (wrong and wrong.keys() <= blamed):  # else one finding for the store is enough
        words = "; ".join(f"{name}: {word}" for name, word in wrong.items())
        yield Finding(f"{service.name} is not ready ({words})", _page("bad-deploy"), "read its log")
    if service.open_lanes:
        what = (
            f"the breaker of {service.name} is open: notifications of {service.open_lanes} partitions are answered 503"
        )
        yield Finding(what, _page("broker-outage"), "roomsync doctor")


def _station(station: ServiceLag) -> Iterator[Finding]:
    if station.seconds > LAG_S:
        worst = max(station.lags, key=lambda topic: station.of_topic(topic).seconds)
        what = f"{station.service} is {station.seconds:.0f} s behind on {worst} ({station.records} records in all)"
        yield Finding(what, _page("bad-deploy"), f"is {station.service} running? Read its log")


def _view(facts: Facts) -> Iterator[Finding]:
    if facts.rebuilding:
        numbers = ", ".join(map(str, facts.rebuilding))
        yield Finding(
            f"the view of partitions {numbers} is being rebuilt", _page("redis-lost"), "is room-status running?"
        )


def _watched(provider: str, counts: MailboxCounts) -> Iterator[Finding]:
    page = _page("provider-outage")
    if counts.forgotten:
        what = f"{counts.forgotten} people connected at {provider} have no calendar on the log: nobody looks at them"
        yield Finding(what, _page("broker-outage"), "roomsync reconcile --all connects them anew")
    stale = f"{counts.stale} of {counts.held} mailboxes at {provider} were not looked at in time"
    if counts.failing:
        what = f"the last look at {counts.failing} of {counts.held} mailboxes at {provider} failed"
        do = "the provider's own status page; look_postponed in the sync worker's log"
        yield Finding(f"{what}; {stale}" if counts.stale else what, page, do)
    elif counts.stale:
        yield Finding(stale, page, "roomsync reconcile --all --dry-run")
    if counts.unwatched:
        what = f"{counts.unwatched} of {counts.held} mailboxes at {provider} have no live subscription: no push comes"
        yield Finding(what, page, "roomsync reconcile --all")
    if counts.doubted:
        what = f"looks at {counts.doubted} mailboxes at {provider} found changes that no push had announced"
        yield Finding(
            what, page, "the receiver's log; the subscriptions were extended at once, and looks come more often"
        )
    if counts.late:
        what = f"{counts.late} subscriptions at {provider} end within 24 h and were not prolonged when due"
        yield Finding(what, page, "roomsync reconcile --all")


def _consents(facts: Facts) -> Iterator[Finding]:
    for provider, states in (facts.consents or {}).items():
        if count := states.get("failing", 0):
            what = f"{count} grants at {provider} cannot be refreshed at the moment"
            yield Finding(what, _page("provider-outage"), "roomsync doctor: is the client secret still good?")


def _refused_at_once(facts: Facts) -> Iterator[Finding]:
    for tenant, found in (facts.refused_at_once or {}).items():
        what = (
            f"{found.provider} refuses {found.people} of {found.of} grants of {tenant} for one reason ({found.code}):"
            " they are kept, and few are tried meanwhile"
        )
        do = f"mend what {found.code} names: {_MENDERS[who_mends(found.code)]}; nobody has to connect again"
        yield Finding(what, _page("provider-outage"), do)


def _letters(facts: Facts) -> Iterator[Finding]:
    if facts.letters and facts.letters.count:
        what = f"{facts.letters.count} dead letters, the newest {facts.letters.newest_id}: {facts.letters.reason}"
        yield Finding(what, _page("dead-letters-growing"), "roomsync dead-letters list")


def _unseen(facts: Facts) -> Iterator[Finding]:
    """One wrong setting keeps many parts from being read: it is one finding."""
    for why in dict.fromkeys(facts.unseen.values()):
        parts = ", ".join(part for part, each in facts.unseen.items() if each == why)
        yield Finding(f"{parts} could not be read: {why}", _page("bad-deploy"), "roomsync doctor")


def _page(name: str) -> str:
    return _PAGE.format(name)
