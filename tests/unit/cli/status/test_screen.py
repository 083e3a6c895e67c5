"""What of the facts is a finding, which page it names, and what is shown of what could not be seen."""

from __future__ import annotations

from typing import Any

import pytest

from cli.status import choose_exit_code
from cli.status.facts import DeadLetterCounts, Facts, Lag, MailboxCounts, ServiceHealth, ServiceLag
from cli.status.findings import list_findings
from cli.status.screen import ago, as_dict, as_text
from shared.contracts.topics import NOTIFICATIONS_GOOGLE, NOTIFICATIONS_GRAPH
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from shared.grants.common_refusal import CommonRefusal
from shared.meetings.confirmed_states import ConfirmedStates
from tests.support.builders import NOW_MS
from tests.support.paths import ROOT

pytestmark = pytest.mark.proves("B14")


def a_station(service: str = "sync-worker", seconds: float = 0.0) -> ServiceLag:
    waiting = Lag(3 if seconds else 0, seconds)
    topics = {NOTIFICATIONS_GRAPH.name: [waiting, Lag(0, 0.0)], NOTIFICATIONS_GOOGLE.name: [Lag(0, 0.0)] * 2}
    return ServiceLag(service, topics)


def the_facts(**changes: Any) -> Facts:
    """A deployment that is well, but for what is said."""
    well: dict[str, Any] = {
        "stations": {name: a_station(name) for name in ("sync-worker", "room-status")},
        "last_push": {"microsoft": NOW_MS - 1000, "google": None},
        "watched": {"microsoft": MailboxCounts(held=2, heard_at_ms=NOW_MS, looked_at_ms=NOW_MS, oldest_look_ms=NOW_MS)},
        "consents": {"microsoft": {"active": 2}},
        "letters": DeadLetterCounts(0),
        "open_prompts": 1,
        "rebuilding": [],
    }
    return Facts(NOW_MS, "embedded", "1.0", **(well | changes))


TROUBLES = {
    "log away": ({"unreachable": {"log": "x"}, "stations": {}, "letters": None}, "broker-outage"),
    "registry away": ({"unreachable": {"registry": "x"}, "consents": None}, "redis-lost"),
    "registry emptied": ({"emptied": True}, "redis-lost"),
    "view away": ({"unreachable": {"view": "x"}, "rebuilding": None}, "redis-lost"),
    "behind": ({"stations": {"sync-worker": a_station(seconds=600)}}, "bad-deploy"),
    "silent service": ({"services": [ServiceHealth("http://a", named=True, answers=False)]}, "bad-deploy"),
    "service not ready": ({"services": [ServiceHealth("http://a", True, True, "portal", "1.0", False)]}, "bad-deploy"),
    "breaker": (
        {"services": [ServiceHealth("http://a", True, True, "webhook-receiver", "1.0", True, open_lanes=2)]},
        "broker-outage",
    ),
    "rebuilding": ({"rebuilding": [1, 2]}, "redis-lost"),
    "stale": ({"watched": {"google": MailboxCounts(held=3, stale=1)}}, "provider-outage"),
    "failing": ({"watched": {"google": MailboxCounts(held=3, failing=1)}}, "provider-outage"),
    "not on the log": ({"watched": {"google": MailboxCounts(held=0, forgotten=3)}}, "broker-outage"),
    "no subscription": ({"watched": {"google": MailboxCounts(held=3, unwatched=1)}}, "provider-outage"),
    "subscription late": ({"watched": {"google": MailboxCounts(held=3, expiring=1, late=1)}}, "provider-outage"),
    "grants": ({"consents": {"google": {"failing": 1}}}, "provider-outage"),
    "refused at once": (
        {"refused_at_once": {"t-1": CommonRefusal("microsoft", "AADSTS53003", 180, 200)}},
        "provider-outage",
    ),
    "dead letters": (
        {"letters": DeadLetterCounts(2, NOW_MS, "commands/0/7", "not an envelope")},
        "dead-letters-growing",
    ),
    "hesitant": ({"hesitant": ["dead letters", "dead letters"]}, "broker-outage"),
    "one cause, many parts": ({"unseen": {"mailboxes": "a wrong key", "prompts": "a wrong key"}}, "bad-deploy"),
    "unseen": ({"unseen": {"prompts": "no answer within 10 s"}, "open_prompts": None}, "bad-deploy"),
}


def test_deployment_that_is_well_has_no_finding() -> None:
    facts = the_facts()
    assert list_findings(facts) == []
    assert choose_exit_code(facts, []) == 0
    assert as_text(facts, []).startswith("ALL WELL")


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_is_one_finding_with_a_page_that_exists(trouble: str) -> None:
    changes, page = TROUBLES[trouble]
    facts = the_facts(**changes)
    [finding] = list_findings(facts)
    assert finding.runbook == f"docs/runbooks/{page}.md"
    assert (ROOT / finding.runbook).exists()
    assert finding.do
    assert finding.what in as_text(facts, [finding])
    assert finding.runbook in as_text(facts, [finding])


def test_what_is_not_reached_outweighs_what_is_found() -> None:
    both = the_facts(
        unreachable={"view": "x"}, rebuilding=None, letters=DeadLetterCounts(1, NOW_MS, "commands/0/7", "y")
    )
    assert choose_exit_code(both, list_findings(both)) == 3
    found = the_facts(letters=DeadLetterCounts(1, NOW_MS, "commands/0/7", "y"))
    assert choose_exit_code(found, list_findings(found)) == 1


def test_what_could_not_be_seen_is_neither_well_nor_nothing() -> None:
    blind = Facts(NOW_MS, "kafka", "1.0", unreachable={"log": "no broker answers", "registry": "refused"})
    text = as_text(blind, list_findings(blind))
    assert text.count("could not be seen") == 7
    shown = as_dict(blind, list_findings(blind))
    names = ("deadLetters", "calendars", "mailboxes", "openPrompts", "oldestHintSeconds", "confirmedStates")
    assert {shown[name] for name in names} == {None}


@pytest.mark.proves("M5")
@pytest.mark.parametrize(
    ("states", "line"),
    [
        (ConfirmedStates(2000, 1999), "99.95 % of 2000 room states within 24 h, in the last 15 minutes"),
        (ConfirmedStates(3, 3, 2), "100 % of 3 room states within 24 h, in the last 15 minutes; 2 out of sight"),
        (ConfirmedStates(out_of_sight=1), "no room state within 24 h; 1 out of sight"),
    ],
)
def test_share_of_confirmed_states_stands_on_the_screen(states: ConfirmedStates, line: str) -> None:
    facts = the_facts(confirmed=states)
    assert f"confirmed        {line}" in as_text(facts, [])
    shown = as_dict(facts, [])["confirmedStates"]
    assert (shown["upcoming"], shown["percent"]) == (states.upcoming, states.percent)


def test_service_at_a_default_port_that_does_not_answer_may_run_elsewhere() -> None:
    facts = the_facts(services=[ServiceHealth("http://127.0.0.1:8101", named=False, answers=False)])
    assert list_findings(facts) == []
    assert "--service URL" in as_text(facts, [])


def test_position_that_is_a_minute_old_is_no_lag() -> None:
    facts = the_facts(stations={"sync-worker": a_station(seconds=55), "room-status": a_station("room-status")})
    assert list_findings(facts) == []
    assert "up to date" in as_text(facts, [])


@pytest.mark.parametrize(
    ("age_ms", "text"),
    [
        (0, "0 s ago"), (119_000, "119 s ago"), (5 * MINUTE_MS, "5 min ago"), (119 * MINUTE_MS, "119 min ago"),
        (5 * HOUR_MS, "5 h ago"), (3 * DAY_MS, "3 d ago"),
    ],
)  # fmt: skip
def test_ages_are_said_as_people_say_them(age_ms: int, text: str) -> None:
    assert ago(NOW_MS - age_ms, NOW_MS) == text
