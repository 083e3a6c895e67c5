"""Writes the screen as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from cli.status.facts import Facts, MailboxCounts, ServiceHealth, ServiceLag
from cli.status.findings import LAG_S, Finding
from shared.contracts.topics import NOTIFIER, SYNC_WORKER, WEBHOOKS
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, to_rfc3339
from shared.meetings.confirmed_states import ConfirmedStates
from shared.providers.catalogue import PROFILES

_HINTS = tuple(profile.hooks.topic.name for profile in PROFILES.values())
_LABEL = 16


def as_dict(facts: Facts, found: list[Finding]) -> dict[str, Any]:
    """Return the screen as one JSON object; null where something could not be read."""
    return {
        "at": to_rfc3339(facts.now_ms),
        "version": facts.version,
        "engine": facts.engine,
        "ok": not found,
        "findings": [asdict(finding) for finding in found],
        "unreachable": facts.unreachable,
        "unseen": facts.unseen,
        "hesitant": sorted(set(facts.hesitant)),
        "stations": [_station_dict(station) for station in facts.stations.values()],
        "oldestHintSeconds": oldest_hint_s(facts),
        "lastPush": {provider: _instant(at_ms) for provider, at_ms in facts.last_push.items()},
        "calendars": None if facts.watched is None else {
            provider: _watched_dict(counts) for provider, counts in facts.watched.items()
        },
        "mailboxes": facts.consents,
        "registryEmptied": facts.emptied,
        "deadLetters": None if facts.letters is None else {
            "count": facts.letters.count, "newest": facts.letters.newest_id or None,
            "newestAt": _instant(facts.letters.newest_ms), "reason": facts.letters.reason or None,
        },
        "openPrompts": facts.open_prompts,
        "confirmedStates": None if facts.confirmed is None else _confirmed_dict(facts.confirmed),
        "viewRebuilding": facts.rebuilding,
        "services": [_service_dict(service) for service in facts.services],
    }  # fmt: skip


def oldest_hint_s(facts: Facts) -> float | None:
    """Return the age in seconds of the oldest unanswered notification; 0: none waits; None: it could not be read."""
    station = facts.stations.get(SYNC_WORKER.service)
    return max(station.of_topic(topic).seconds for topic in _HINTS) if station else None


def as_text(facts: Facts, found: list[Finding]) -> str:
    """Return the findings with what to do, then the state of every part, a line each."""
    return "\n".join([*_headline(facts, found), "", *_lines(facts)])


def ago(at_ms: int, now_ms: int) -> str:
    """`40 s ago`, `12 min ago`, `3 h ago`, `2 d ago`; "never" for 0."""
    return f"{span(now_ms - at_ms)} ago" if at_ms else "never"


def span(ms: int) -> str:
    """Return a length of time in its largest fitting unit."""
    for unit_ms, name in ((2 * DAY_MS, "d"), (2 * HOUR_MS, "h"), (2 * MINUTE_MS, "min")):
        if ms >= unit_ms:
            return f"{2 * ms // unit_ms} {name}"
    return f"{max(ms, 0) // SECOND_MS} s"


def _headline(facts: Facts, found: list[Finding]) -> Iterator[str]:
    stamp = f"roomsync {facts.version}, engine {facts.engine}, {to_rfc3339(facts.now_ms)}"
    if not found:
        yield f"ALL WELL      {stamp}"
        return
    yield f"{len(found)} FINDING{'S' if len(found) > 1 else ''}".ljust(_LABEL + 1) + stamp
    for finding in found:
        yield f"  ! {finding.what}"
        yield f"      do: {finding.do}   page: {finding.runbook}"


def _lines(facts: Facts) -> Iterator[str]:
    for name in ("sync-worker", "room-status"):
        yield _line(name, _station_text(facts.stations.get(name)))
    for station in (NOTIFIER, WEBHOOKS):
        if station.service in facts.stations:
            yield _line(station.service, _station_text(facts.stations[station.service]))
    hint_s = oldest_hint_s(facts)
    waits = (
        None if hint_s is None else "no notification waits" if not hint_s else f"waits {span(int(hint_s * SECOND_MS))}"
    )
    yield _line("oldest hint", waits)
    for provider in sorted({*facts.last_push, *(facts.watched or {}), *(facts.consents or {})}):
        yield from _provider_lines(facts, provider)
    yield _line("dead letters", _letters_text(facts))
    yield _line("prompts", None if facts.open_prompts is None else f"{facts.open_prompts} open")
    yield _line("confirmed", None if facts.confirmed is None else _confirmed_text(facts.confirmed))
    yield _line("view", _view_text(facts))
    for service in facts.services:
        yield _line(service.name or "service", _service_text(service))


def _line(label: str, text: str | None) -> str:
    return f"{label:{_LABEL}} {'? (could not be seen)' if text is None else text}"


def _station_text(station: ServiceLag | None) -> str | None:
    if station is None:
        return None
    if not station.records:
        return "nothing waits"
    if station.seconds <= LAG_S:
        youngest = span(int(station.seconds * SECOND_MS))
        return f"up to date (its position is noted once a minute: {station.records} records, {youngest})"
    parts = [
        f"{topic} {station.of_topic(topic).records} records, {station.of_topic(topic).seconds:g} s"
        for topic in station.lags
        if station.of_topic(topic).records
    ]
    return "behind: " + "; ".join(parts)


def _provider_lines(facts: Facts, provider: str) -> Iterator[str]:
    push = facts.last_push.get(provider)
    heard = "?" if provider not in facts.last_push else ago(push, facts.now_ms) if push else "none in five days"
    counts = (facts.watched or {}).get(provider)
    yield _line(provider, f"last push {heard}" + (_watched_text(counts, facts.now_ms) if counts else ""))
    states = (facts.consents or {}).get(provider)
    if states:
        yield _line("", "grants: " + ", ".join(f"{count} {state}" for state, count in sorted(states.items())))


def _watched_text(counts: MailboxCounts, now_ms: int) -> str:
    troubles = [
        f"{count} {word}"
        for count, word in (
            (counts.connecting, "connecting"), (counts.failing, "failing"), (counts.stale, "stale"),
            (counts.unwatched, "without subscription"), (counts.forgotten, "more not on the log"),
            (counts.expiring, "subscriptions end within 24 h"),
        )
        if count
    ]  # fmt: skip
    looked = f"last look {ago(counts.looked_at_ms, now_ms)}, the longest ago {ago(counts.oldest_look_ms, now_ms)}"
    return f"; {counts.held} mailboxes ({', '.join(troubles) or 'all well'}); {looked}"


def _letters_text(facts: Facts) -> str | None:
    if facts.letters is None:
        return None
    if not facts.letters.count:
        return "none"
    return f"{facts.letters.count}, the newest {ago(facts.letters.newest_ms, facts.now_ms)}: {facts.letters.newest_id}"


def _view_text(facts: Facts) -> str | None:
    if facts.rebuilding is None:
        return None
    if facts.rebuilding:
        return f"rebuilding partitions {', '.join(map(str, facts.rebuilding))}"
    return "complete"


def _confirmed_text(states: ConfirmedStates) -> str:
    apart = f"; {states.out_of_sight} out of sight" if states.out_of_sight else ""
    if states.percent is None:
        return f"no room state within 24 h{apart}"
    share = f"{states.percent:g} % of {states.upcoming} room states within 24 h, in the last 15 minutes"
    return share + apart


def _confirmed_dict(states: ConfirmedStates) -> dict[str, Any]:
    return {
        "upcoming": states.upcoming, "confirmed": states.confirmed, "percent": states.percent,
        "outOfSight": states.out_of_sight,
    }  # fmt: skip


def _service_text(service: ServiceHealth) -> str:
    if not service.answers:
        hint = "" if service.named else " (if it runs elsewhere: --service URL)"
        return f"no answer at {service.url}{hint}"
    parts = [service.version, "ready" if service.ready else "NOT READY"]
    if service.claims is not None:
        parts.append(f"owns {service.claims} partitions")
    if service.open_lanes is not None:
        parts.append(f"breaker {'OPEN' if service.open_lanes else 'closed'}")
    return f"{', '.join(parts)} at {service.url}"


def _station_dict(station: ServiceLag) -> dict[str, Any]:
    partitions = len(next(iter(station.lags.values())))
    lags = [station.of_partition(number) for number in range(partitions)]
    return {
        "service": station.service,
        "lagRecords": station.records,
        "lagSeconds": station.seconds,
        "topics": {topic: _lag_dict(station, topic) for topic in station.lags},
        "partitions": [
            {"partition": number, "lagRecords": lag.records, "lagSeconds": lag.seconds}
            for number, lag in enumerate(lags)
        ],
    }


def _lag_dict(station: ServiceLag, topic: str) -> Mapping[str, float]:
    return {"lagRecords": station.of_topic(topic).records, "lagSeconds": station.of_topic(topic).seconds}


def _watched_dict(counts: MailboxCounts) -> dict[str, Any]:
    return {
        "held": counts.held, "connecting": counts.connecting, "failing": counts.failing, "stale": counts.stale,
        "notOnTheLog": counts.forgotten, "withoutSubscription": counts.unwatched, "expiringIn24h": counts.expiring,
        "lastHeard": _instant(counts.heard_at_ms), "lastLook": _instant(counts.looked_at_ms),
        "oldestLook": _instant(counts.oldest_look_ms),
    }  # fmt: skip


def _service_dict(service: ServiceHealth) -> dict[str, Any]:
    return {
        "url": service.url, "answers": service.answers, "service": service.name or None,
        "version": service.version or None, "ready": service.ready, "checks": dict(service.checks),
        "openLanes": service.open_lanes, "claims": service.claims,
    }  # fmt: skip


def _instant(at_ms: int | None) -> str | None:
    return to_rfc3339(at_ms) if at_ms else None
