"""After the fix and a redrive the end is as if the record had never failed, and nothing overtakes newer facts."""

from __future__ import annotations

import base64

import click
import pytest

from shared.contracts.change_notification import HintKind
from shared.contracts.command import Reconcile, TakeRoom
from shared.contracts.rows import TakeRow, TakeState
from shared.errors import RetryableError
from shared.registry import tables
from tests.support.commands import Run
from tests.support.office import AARE, BIRS, PausedPool
from tests.support.spoilt_log import Poisoned

pytestmark = pytest.mark.proves("B12")
FINDING = 1


def both(office: Poisoned, healthy: Poisoned) -> None:
    """The same story begins in two offices."""
    for each in (office, healthy):
        each.connect()
        each.after(5)


def say(office: Poisoned, *, spoilt: bool, **rooms: str) -> None:
    """A meeting changes, a hint comes, the look's observation is appended; then room-status reads it, or what is left of it."""
    office.calendar.book(**rooms)
    office.hint()
    for _ in range(4):
        office.sync.step()
    if spoilt:
        office.spoil("observations")
    office.settle()


def redriven(office: Poisoned, run: Run) -> None:
    assert run("dead-letters", "list").code == FINDING
    assert run("dead-letters", "redrive", "--all").code == 0
    office.after(1)
    assert run("dead-letters", "list").code == 0


@pytest.mark.parametrize("answer", ["declined", "accepted", "none"])
def test_observation_that_was_lost_is_said_again(office: Poisoned, healthy: Poisoned, run: Run, answer: str) -> None:
    both(office, healthy)
    for each in (office, healthy):
        say(each, spoilt=each is office, **{AARE: answer})
        each.after(5)
    assert office.ends() != healthy.ends()

    redriven(office, run)
    healthy.after(1)
    assert office.ends() == healthy.ends()


def test_nothing_newer_is_overtaken(office: Poisoned, healthy: Poisoned, run: Run) -> None:
    both(office, healthy)
    for each in (office, healthy):
        say(each, spoilt=False, **{AARE: "none"})
        each.after(5)
        say(each, spoilt=each is office, **{AARE: "tentative"})
        each.after(5)
        say(each, spoilt=False, **{AARE: "accepted"})
        each.after(5)

    redriven(office, run)
    healthy.after(1)
    assert office.ends() == healthy.ends()
    assert office.states()[-1] == "accepted"


def test_lost_word_that_a_meeting_is_gone_is_said_again(office: Poisoned, healthy: Poisoned, run: Run) -> None:
    both(office, healthy)
    for each in (office, healthy):
        say(each, spoilt=False, **{AARE: "accepted"})
        each.after(5)
        each.calendar.events.clear()
        each.hint()
        for _ in range(4):
            each.sync.step()
        if each is office:
            each.spoil("observations")
        each.settle()

    redriven(office, run)
    healthy.after(1)
    assert office.ends() == healthy.ends()


def test_what_a_baseline_said_stays_quiet(office: Poisoned, healthy: Poisoned, run: Run) -> None:
    for each in (office, healthy):
        each.calendar.book(**{AARE: "declined"})
        each.grant()
        for _ in range(4):
            each.sync.step()
        if each is office:
            each.spoil("observations")
        each.settle()
        each.after(5)

    redriven(office, run)
    healthy.after(1)
    assert office.ends() == healthy.ends()
    assert office.declines() == []


def test_decline_that_followed_a_lost_baseline_is_announced(office: Poisoned, healthy: Poisoned, run: Run) -> None:
    for each in (office, healthy):
        each.calendar.book(**{AARE: "accepted"})
        each.grant()
        for _ in range(4):
            each.sync.step()
        if each is office:
            each.spoil("observations")
        each.settle()
        each.after(5)
        each.calendar.book(**{AARE: "declined"})  # no hint of it comes

    redriven(office, run)
    healthy.hint()
    healthy.after(1)
    assert office.ends() == healthy.ends()
    assert len(office.declines()) == 1


def test_lost_withdrawal_is_made_good(office: Poisoned, healthy: Poisoned, run: Run) -> None:
    both(office, healthy)
    for each in (office, healthy):
        say(each, spoilt=False, **{AARE: "accepted"})
        each.revoke()
        each.hint()
        for _ in range(4):
            each.sync.step()
        if each is office:
            each.spoil("observations")
        each.settle()

    redriven(office, run)
    healthy.after(1)
    assert office.ends() == healthy.ends()


def test_hint_that_was_lost_costs_nothing_but_time(office: Poisoned, healthy: Poisoned, run: Run) -> None:
    both(office, healthy)
    for each in (office, healthy):
        each.calendar.book(**{AARE: "declined"})
        each.hint()
        if each is office:
            each.spoil("notifications.graph")
        each.settle()
    assert office.declines() == []

    redriven(office, run)
    healthy.after(1)
    assert office.ends() == healthy.ends()


def test_lost_news_of_a_removed_subscription_ends_with_a_live_one(office: Poisoned, run: Run) -> None:
    office.connect()
    office.calendar.subscriptions.clear()
    office.hint(HintKind.SUBSCRIPTION_REMOVED)
    office.spoil("notifications.graph")
    office.settle()
    assert not office.calendar.subscriptions

    redriven(office, run)
    assert len(office.calendar.subscriptions) == 1


def test_lost_wish_to_connect_is_read_off_the_registry(office: Poisoned, healthy: Poisoned, run: Run) -> None:
    for each in (office, healthy):
        each.calendar.book(**{AARE: "accepted"})
        each.grant()
        if each is office:
            each.spoil("commands")
        each.settle()
    assert office.calendar.looks == []

    redriven(office, run)
    healthy.after(1)
    assert office.ends() == healthy.ends()


def test_lost_wish_to_look_is_a_look(office: Poisoned, healthy: Poisoned, run: Run) -> None:
    both(office, healthy)
    for each in (office, healthy):
        each.calendar.book(**{AARE: "declined"})
        each.send(Reconcile(at_ms=each.clock.at_ms))
        if each is office:
            each.spoil("commands")
        each.settle()

    redriven(office, run)
    healthy.after(1)
    assert office.ends() == healthy.ends()


def test_room_is_not_taken_behind_the_back_of_its_person(office: Poisoned, run: Run) -> None:
    office.connect()
    say(office, spoilt=False, **{AARE: "declined"})
    room = office.keys.room(BIRS)
    take = TakeRoom(at_ms=office.clock.at_ms, take_id="t-1", event_id="e1", declined_room_id="r-1", room_id=room)
    row = TakeRow(user="u-ada", prompt="p-1", room=room, state=TakeState.ASKED, at_ms=office.clock.at_ms)
    tables.takes(office.engine.registry).put(office.tenant, "t-1", row)
    office.send(take)
    genuine = office.spoil("commands")
    office.settle()
    office.mend_letter(genuine)  # what only another version could not read

    redriven(office, run)
    given_back = tables.takes(office.engine.registry).get(office.tenant, "t-1")
    assert given_back is not None
    assert (given_back.state, "once more" in given_back.reason) == (TakeState.FAILED, True)
    assert [call for call in office.calendar.calls if call.startswith("swap")] == []


def test_letter_is_redriven_even_while_its_mailbox_waits_for_an_appointment(office: Poisoned, run: Run) -> None:
    office.connect()
    office.after(5)
    say(office, spoilt=True, **{AARE: "declined"})
    office.calendar.look_failures = [RetryableError("later", retry_after_s=60)]
    office.hint()
    office.settle()
    redriven(office, run)
    office.sync._commit({}, {})  # as any other mailbox's look would, before the owner dies
    office.restart()
    office.settle()
    assert office.declines() == []
    office.after(120)
    assert len(office.declines()) == 1


def test_letter_written_twice_is_one_and_dropping_takes_it_off_the_list(office: Poisoned, run: Run) -> None:
    office.connect()
    office.hint()
    office.spoil("notifications.graph")
    office.sync.step()
    office.restart()
    office.settle()
    [letter] = run("dead-letters", "list", "--json").lines
    assert letter["attempts"] == 2

    assert run("dead-letters", "drop", letter["id"], "--dry-run").code == 0
    assert len(run("dead-letters", "list", "--json").lines) == 1
    assert run("dead-letters", "drop", letter["id"]).code == 0
    assert run("dead-letters", "list", "--json").lines == []


def test_letter_is_redriven_although_a_look_is_under_way(office: Poisoned, run: Run) -> None:
    office.connect()
    office.after(5)
    say(office, spoilt=False, **{AARE: "none"})
    say(office, spoilt=True, **{AARE: "declined"})
    office.calendar.events.clear()
    office.hint()
    office.settle()
    pool = PausedPool()
    office.restart(pool)
    office.hint()
    office.sync.step()
    assert run("dead-letters", "redrive", "--all").code == 0
    for _ in range(4):
        office.sync.step()
        pool.release()
    office.settle()
    assert len(office.engine.log.read("observations", 0, 0)) == 4  # none, declined (spoilt), gone, gone again


def test_what_is_sealed_stays_sealed_and_people_stay_unnamed(office: Poisoned, run: Run) -> None:
    office.connect()
    office.after(5)
    say(office, spoilt=False, **{AARE: "declined"})
    sealed = bytes(office.engine.log.read("observations", 0, 0)[-1].value or b"")
    say(office, spoilt=True, **{AARE: "accepted"})
    office.mend_letter(sealed)
    office.hint()
    office.spoil("notifications.graph", b'{"v": "x", "ada@contoso.test": "is leaving"}')
    office.send(Reconcile(at_ms=office.clock.at_ms))
    office.spoil("commands", sealed)  # an observation among the commands
    office.settle()
    letters = run("dead-letters", "list", "--json").lines
    shown = [run("dead-letters", "show", letter["id"]) for letter in letters]

    told = " ".join(each.out for each in shown)
    assert "1 dates, baseline False" in told
    assert "written under another key" in told
    assert "is leaving" not in told
    assert "ada@" not in told
    assert AARE not in told
    assert "is leaving" not in run("dead-letters", "list").out
    [hint] = [letter["id"] for letter in letters if letter["id"].startswith("notifications.graph")]
    raw = run("dead-letters", "show", hint, "--bytes", "--json").lines[0]["bytes"]
    assert b"is leaving" in base64.b64decode(raw)


def test_letter_that_is_not_there_is_a_wrong_usage(office: Poisoned, run: Run) -> None:
    office.connect()
    for arguments in (("show", "commands/0/7"), ("redrive", "commands/0/7"), ("drop",), ("redrive", "x", "--all")):
        with pytest.raises(click.UsageError):
            run("dead-letters", *arguments)
