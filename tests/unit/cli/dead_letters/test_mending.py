"""What mends which dead letter, where no office is needed to see it; and what is told of bytes."""

from __future__ import annotations

import msgspec
import pytest

from cli.dead_letters.remedy import LostObservation, NoRemedy, Remedy, choose_remedy
from cli.dead_letters.summary import describe_outline
from shared.contracts import command
from shared.contracts import envelope as envelopes
from shared.contracts.command import Command, Connect, Disconnect, Gap, Reconcile, Sleep
from shared.contracts.dead_letter import DeadLetter
from shared.contracts.envelope import Envelope
from shared.contracts.rows import ConsentRow, ConsentState
from shared.domain.identity import Mailbox
from tests.support.builders import NOW_MS

ADA = Mailbox("t-1", "m-ada")
HOUR_AGO_MS = NOW_MS - 3_600_000


def a_letter(topic: str = "commands", *, key: bytes = ADA.key, value: bytes | None = b"\x00") -> DeadLetter:
    return DeadLetter(
        topic=topic, partition=0, offset=7, key=key, value=value, reason="x", service="y", failed_at_ms=NOW_MS
    )


def encode_command(wanted: Command) -> bytes:
    payload = msgspec.Raw(msgspec.json.encode(wanted))
    return envelopes.encode(Envelope(id="c-1", type=command.TYPE, tenant="t-1", payload=payload))


def a_consent(state: ConsentState, connected_at_ms: int = HOUR_AGO_MS) -> ConsentRow:
    return ConsentRow(user="u", provider="google", subject="s", state=state, connected_at_ms=connected_at_ms)


def remedy(
    letter: DeadLetter, consent: ConsentRow | None = None, lost: LostObservation | None = None
) -> Remedy | NoRemedy:
    return choose_remedy(
        letter, consent_of=lambda _: consent, lost=lambda *_: lost or LostObservation((), NOW_MS), now_ms=NOW_MS
    )


def only_command_of(found: Remedy | NoRemedy) -> Command:
    assert isinstance(found, Remedy)
    [(mailbox, found_command)] = found.commands
    assert mailbox == ADA
    assert found_command.at_ms == NOW_MS  # a command of now, never the old one
    return found_command


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        (ConsentState.CONNECTING, Connect), (ConsentState.ACTIVE, Reconcile), (ConsentState.FAILING, Reconcile),
        (ConsentState.SLEEPING, Sleep), (ConsentState.REVOKED, Disconnect), (None, Disconnect),
    ],
)  # fmt: skip
def test_unreadable_command_makes_what_the_registry_says_true(
    state: ConsentState | None, wanted: type[Command]
) -> None:
    assert isinstance(only_command_of(remedy(a_letter(), a_consent(state) if state else None)), wanted)


def test_command_to_leave_holds_unless_its_person_came_back() -> None:
    letter = a_letter(value=encode_command(Disconnect(at_ms=HOUR_AGO_MS)))
    assert isinstance(only_command_of(remedy(letter, a_consent(ConsentState.ACTIVE, HOUR_AGO_MS - 1))), Disconnect)
    assert isinstance(only_command_of(remedy(letter, a_consent(ConsentState.ACTIVE, HOUR_AGO_MS + 1))), Reconcile)


def test_command_to_connect_of_a_grant_that_is_gone_connects_nobody() -> None:
    letter = a_letter(value=encode_command(Connect(at_ms=HOUR_AGO_MS)))
    assert isinstance(only_command_of(remedy(letter, None)), Disconnect)


def test_gap_is_told_again_and_a_full_look_stays_full() -> None:
    assert isinstance(only_command_of(remedy(a_letter(value=encode_command(Gap(at_ms=1))))), Gap)
    full = only_command_of(
        remedy(a_letter(value=encode_command(Reconcile(at_ms=1, full=True))), a_consent(ConsentState.ACTIVE))
    )
    assert isinstance(full, Reconcile)
    assert full.full


@pytest.mark.parametrize(("topic", "prolong"), [("notifications.graph", True), ("notifications.google", False)])
def test_only_what_may_have_been_news_of_the_subscription_prolongs_it(topic: str, prolong: bool) -> None:
    asked = only_command_of(remedy(a_letter(topic)))
    assert isinstance(asked, Reconcile)
    assert (asked.prolong, asked.full) == (prolong, False)


@pytest.mark.parametrize(
    ("said", "first_look_ms", "appended_ms", "quiet"),
    [(True, 1, 9, True), (False, 9, 1, False), (None, 5, 5, True), (None, 5, 6, False), (None, 0, 6, True)],
)
def test_baseline_is_told_by_the_observation_or_by_when_it_was_appended(
    said: bool | None, first_look_ms: int, appended_ms: int, quiet: bool
) -> None:
    consent = msgspec.structs.replace(a_consent(ConsentState.ACTIVE), first_look_at_ms=first_look_ms)
    letter = a_letter("observations", key=b"t-1/meeting")
    asked = only_command_of(remedy(letter, consent, LostObservation({ADA}, appended_ms, said)))
    assert isinstance(asked, Reconcile)
    assert (asked.full, asked.meetings, asked.quiet) == (True, ("meeting",), quiet)


@pytest.mark.parametrize(
    "letter",
    [
        a_letter(key=b"nobody"), a_letter(key=b"\xff\xfe/x"), a_letter("repairs"), a_letter("dead-letters"),
        a_letter("observations", key=b"t-1/meeting"),
    ],
)  # fmt: skip
def test_what_names_nobody_can_only_be_dropped(letter: DeadLetter) -> None:
    found = remedy(letter)
    assert isinstance(found, NoRemedy)
    assert "drop" in found.why


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"\x00", "not JSON"),
        (b"[1]", "JSON, but a list instead of an object"),
        (b'{"id": "x", "payload": {"subject": "Ada is leaving"}}', "id: str, payload {subject: str}"),
        (b'{"ada@contoso.test": 1}', "***: int"),
        (b"", "not JSON"),
    ],
)
def test_outline_names_fields_and_tells_nothing_of_anybody(value: bytes, text: str) -> None:
    assert describe_outline(value) == text
