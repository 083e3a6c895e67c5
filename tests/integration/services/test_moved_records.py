"""Somebody who can write to the log puts records under other keys, within one organisation: none is believed there."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path

import msgspec
import pytest

from cli.common.calendars import Calendars
from cli.doctor.checks.check_result import CheckState
from cli.doctor.checks.records import check_records
from cli.reconcile import Reconciliation
from services.notifier.alarms import AlarmSender
from services.notifier.browser_recipients import BrowserRecipients
from services.notifier.calendar_recipients import CalendarRecipients
from services.notifier.channels.port import Notice, SendAttempt, SendOutcome
from services.notifier.chat_recipients import ChatRecipients
from services.notifier.notices import NoticeWriter
from services.notifier.outbox import Outbox
from services.notifier.prompt_reader import PromptReader
from services.notifier.recipients import People
from services.notifier.webhooks.courier import Courier
from services.notifier.webhooks.pause_mails import PauseMails
from services.notifier.webhooks.worker import WebhookOwner
from services.notifier.worker import NotifierOwner, Tools
from services.room_status.view.expected_rows import rows_at
from shared.contracts import envelope as envelopes
from shared.contracts.calendar_state import LEFT_TYPE, MAILBOX_TYPE, REFERENCE_TYPE
from shared.contracts.command import Disconnect
from shared.contracts.dead_letter import DeadLetter
from shared.contracts.envelope import Envelope
from shared.contracts.meeting_state import COPY_TYPE, MEETING_TYPE
from shared.contracts.topics import (
    CALENDAR_STATE,
    MEETING_STATE,
    NOTIFIER,
    OBSERVATIONS,
    POSITION_KEY,
    TOPICS,
    WEBHOOKS,
    Topic,
)
from shared.crypto.links import LinkSigner
from shared.crypto.records import open_envelope
from shared.crypto.sealing import seal
from shared.domain.identity import Mailbox
from shared.domain.instants import DAY_MS
from shared.errors import MalformedRecordError
from shared.organisations.webhooks import add_webhook
from shared.ports.log import NewRecord, Record
from shared.runtime.http_post import HttpPost
from tests.support.office import AARE, BIRS, Inline, Office

SEALED = [topic for topic in TOPICS if topic.sealed]


class Anything(msgspec.Struct):
    """A payload of any type."""


class TakesAll:
    """A channel that accepts every message."""

    name = "mail"

    def send(self, notice: Notice) -> SendAttempt:
        assert notice.address
        return SendAttempt(SendOutcome.ACCEPTED)


class Beside(Office):
    """An office whose log somebody else writes to as well."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.home = home

    def records(self, topic: str) -> list[Record]:
        """What stands on a topic, without tombstones and positions."""
        found = self.engine.log.read(topic, 0, 0, limit=5000)
        return [record for record in found if record.value and record.key != POSITION_KEY]

    def newest(self, topic: str, kind: str) -> dict[bytes, bytes]:
        """Key → its newest record, of one type."""
        found = {record.key: record.value for record in self.engine.log.read(topic, 0, 0, limit=5000)}
        found.pop(POSITION_KEY, None)
        return {key: value for key, value in found.items() if value and envelopes.decode(value).type == kind}

    def rewrite(self, topic: str, change: Callable[[bytes, bytes], bytes]) -> None:
        """Put the bytes that `change` gives for key and bytes in the place of every record of the topic."""
        with sqlite3.connect(self.home / "log.db", timeout=5) as log:
            rows = log.execute(
                "SELECT r.id, r.key, r.value FROM records r JOIN lanes l ON l.lane = r.id >> 40 WHERE l.topic = ?",
                (topic,),
            ).fetchall()
            for row, key, value in rows:
                if value is not None and key != POSITION_KEY:
                    log.execute("UPDATE records SET value = ? WHERE id = ?", (change(key, value), row))

    def swap(self, topic: str, kind: str) -> list[bytes]:
        """Put the newest record of each key of that type under the next such key, and say which keys they are."""
        newest = dict(sorted(self.newest(topic, kind).items()))
        keys, values = list(newest), list(newest.values())
        moved = dict(zip(keys, (*values[1:], values[0]), strict=True))
        self.rewrite(topic, lambda key, value: moved[key] if value == newest.get(key) else value)
        return keys

    def tell_people(self) -> None:
        """Have the notifier send what is due, to a server that takes everything."""
        reader = PromptReader(self.engine, self.clock, lambda _: 0)
        writer = NoticeWriter(self.engine, self.clock, LinkSigner([b"l" * 32]), "https://rooms.contoso.test")
        channels = {"mail": TakesAll()}
        people = People(self.engine.registry, reader, writer, channels)
        chat = ChatRecipients(self.engine, self.clock, reader, "https://rooms.contoso.test")
        alarms = AlarmSender(writer, Outbox(channels, lambda _: Inline()))
        calendars = CalendarRecipients(self.engine.registry, reader, writer, channels)
        browsers = BrowserRecipients(self.engine, reader, writer, channels, key="")
        tools = Tools(reader, people, chat, calendars, browsers, Outbox(channels, lambda _: Inline()), alarms)
        owner = NotifierOwner(self.engine.log.claim(NOTIFIER, 0), self.engine, self.clock, tools, poll_s=0.0)
        for _ in range(4):
            owner.step()

    def send_webhooks(self) -> None:
        """Have the notifier send events to two endpoints at which nobody listens."""
        post = HttpPost(frozenset({"127.0.0.1"}))
        writer = NoticeWriter(self.engine, self.clock, LinkSigner([b"l" * 32]), "https://rooms.contoso.test")
        pauses = PauseMails(self.engine, self.clock, writer, Outbox({}, lambda _: Inline()))
        claim = self.engine.log.claim(WEBHOOKS, 0)
        owner = WebhookOwner(claim, self.engine, self.clock, Courier(post), pauses, poll_s=0.0)
        for _ in range(4):
            owner.step()
        owner.close()

    def letters(self) -> list[DeadLetter]:
        """Every dead letter."""
        return [
            envelopes.payload_of(envelopes.decode(record.value or b""), DeadLetter)
            for record in self.records("dead-letters")
        ]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Beside]:
    """Ada and Ben are connected, look into a calendar of two meetings, one room of which declined; Cleo has left."""
    office = Beside(tmp_path)
    for name in ("ada", "ben", "cleo", "dan"):
        office.connect(name)
    office.calendar.book("e1", **{AARE: "declined"})
    office.calendar.book("e2", **{BIRS: "accepted"})
    look(office)
    for name in ("cleo", "dan"):
        office.send(Disconnect(at_ms=office.clock.at_ms), Mailbox(office.tenant, f"m-{name}"))
    office.settle()
    yield office
    office.engine.close()


def look(office: Office) -> None:
    for name in ("ada", "ben", "cleo", "dan"):
        office.hint(mailbox=Mailbox(office.tenant, f"m-{name}"))
    office.settle()


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_only_topics_that_say_so_hold_sealed_records(office: Beside, topic: Topic) -> None:
    assert topic.sealed == topic.what.endswith("sealed")
    for record in [] if topic.public else office.records(topic.name):
        assert (envelopes.decode(record.value or b"").sealed is not None) == topic.sealed


@pytest.mark.parametrize("topic", SEALED, ids=lambda topic: topic.name)
def test_record_of_any_sealed_topic_opens_under_its_own_key_and_no_other_of_that_topic(
    office: Beside, topic: Topic
) -> None:
    for _ in range(2):
        add_webhook(office.engine.registry, office.engine.keyring, office.tenant, "http://127.0.0.1:9/", (), 0)
    office.clock.at_ms += DAY_MS  # a second day is counted
    office.calendar.book("e3", start_ms=office.clock.at_ms + DAY_MS, **{AARE: "none"})
    office.calendar.book("e4", start_ms=office.clock.at_ms + DAY_MS, **{AARE: "none"})
    look(office)
    for event in ("e3", "e4"):
        office.calendar.book(event, start_ms=office.calendar.events[event].start_ms, **{AARE: "declined"})
    look(office)
    office.tell_people()
    office.send_webhooks()
    by_type = defaultdict[str, list[tuple[bytes, Envelope]]](list)
    for record in office.records(topic.name):
        envelope = envelopes.decode(record.value or b"")
        by_type[envelope.type].append((record.key, envelope))
    strict = dataclasses.replace(office.keys, refuse_unbound=True)
    assert by_type
    for found in by_type.values():
        assert len({key for key, _ in found}) >= 2, "no two keys to be taken for one another"
        for key, envelope in found:
            open_envelope(envelope, strict, Anything, key=key, newest=envelope.v)
        for (key, _), (other, envelope) in permutations(found, 2):
            if key != other:
                with pytest.raises(MalformedRecordError, match="another key"):
                    open_envelope(envelope, office.keys, Anything, key=key, newest=envelope.v)


@pytest.mark.proves("M7")
def test_one_meetings_state_is_not_anothers(office: Beside) -> None:
    told, states = office.declines(), office.states()
    assert len(told) == 1
    office.swap(MEETING_STATE.name, MEETING_TYPE)
    office.restart()
    office.calendar.book("e1", **{AARE: "accepted"})
    office.calendar.book("e2", **{BIRS: "declined"})
    look(office)
    assert (office.declines(), office.states()) == (told, states)
    assert {letter.topic for letter in office.letters()} == {"observations"}
    assert all("another key" in letter.reason for letter in office.letters())
    assert len(refused(office)) == 2


@pytest.mark.proves("M7")
def test_one_copy_of_a_meeting_is_not_anothers(office: Beside) -> None:
    before = office.declines()
    assert len(office.swap(MEETING_STATE.name, COPY_TYPE)) == 4
    office.restart()
    office.calendar.book("e1", **{AARE: "accepted"})
    office.calendar.book("e2", **{BIRS: "declined"})
    look(office)
    assert office.declines() == before
    assert "another key" in office.letters()[0].reason
    assert len(refused(office)) == 4


FOREIGN = (b"odd", b"\xff", b"\xff/m", b"t/\xff", b"\xff/\xff/\xff")


@pytest.mark.proves("M7")
@pytest.mark.parametrize(
    "topic", ["meeting-state", "calendar-state", "observations", "commands", "notifications.graph"]
)
def test_key_that_is_no_text_stops_no_owner_and_no_command(
    office: Beside, topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = office.declines()
    [meeting, _] = office.newest(MEETING_STATE.name, MEETING_TYPE)
    for key in (*FOREIGN, meeting + b"/\xff", office.tenant.encode() + b"/\xff"):
        office.engine.log.append([NewRecord(topic, 0, key, b"{}")])
    office.restart()
    office.calendar.book("e2", **{BIRS: "declined"})
    look(office)
    office.after(3600)

    assert len(office.declines()) == len(told) + 1
    said = capsys.readouterr()
    if topic.endswith("state"):
        assert "state_unreadable" in said.out + said.err
    else:
        assert {letter.topic for letter in office.letters()} == {topic}
    list(check_records(office.engine))
    calendars = Calendars(office.engine)
    calendars.refresh()
    assert len(calendars.states) == 2
    end = office.engine.log.span(MEETING_STATE.name, 0).end
    assert rows_at(office.engine.log, 0, end, office.engine.keyring.keys)


@pytest.mark.proves("M7")
def test_mailbox_whose_own_record_is_damaged_is_named_and_connected_anew_by_the_operator(
    office: Beside, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written over it by itself: the record may be readable again once a key or a setting is put right."""
    ada, ben = (Mailbox(office.tenant, name) for name in ("m-ada", "m-ben"))
    [*_, newest] = [record for record in office.records(CALENDAR_STATE.name) if record.key == ada.key]
    office.rewrite(CALENDAR_STATE.name, lambda _, value: b"\x00" if value == newest.value else value)
    office.restart()
    looks = len(office.calendar.looks)
    look(office)
    assert list(office.sync._held) == [ben]
    said = capsys.readouterr()
    assert f"roomsync reconcile --mailbox {ada.key.decode()}" in said.out + said.err
    assert office.calendar.looks[looks:] == ["incremental"], "Ben's calendar alone is looked at"

    calendars = Calendars(office.engine)
    calendars.refresh()
    assert list(calendars.states) == [ben]
    list(Reconciliation(office.engine, calendars, office.clock, patience_s=0).send([ada], full=False, calls_per_s=99))
    office.settle()

    assert sorted(office.sync._held) == [ada, ben]
    assert office.calendar.looks[-1] == "full"
    assert refused(office) == []


@pytest.mark.proves("M7")
def test_one_mailboxes_state_is_not_anothers(office: Beside) -> None:
    looks = list(office.calendar.looks)
    keys = office.swap(CALENDAR_STATE.name, MAILBOX_TYPE)
    assert keys == [Mailbox(office.tenant, name).key for name in ("m-ada", "m-ben")]
    office.restart()
    assert office.sync._held == {}
    look(office)
    assert office.calendar.looks == looks
    assert len(refused(office)) == 2
    office.connect()  # a look from the beginning writes it anew
    assert [mailbox.id for mailbox in office.sync._held] == ["m-ada"]
    assert len(refused(office)) == 1


@pytest.mark.proves("M7")
@pytest.mark.parametrize("kind", [REFERENCE_TYPE, LEFT_TYPE])
def test_one_event_is_not_anothers_nor_what_somebody_left(office: Beside, kind: str) -> None:
    held = {mailbox: len(each.references) for mailbox, each in office.sync._held.items()}
    left = set(office.sync._left._left)
    assert (list(held.values()), len(left)) == ([2, 2], 2)
    office.swap(CALENDAR_STATE.name, kind)
    office.restart()
    gone = sum(held.values()) - sum(len(each.references) for each in office.sync._held.values())
    assert (gone, len(left) - len(office.sync._left._left)) == ((4, 0) if kind == REFERENCE_TYPE else (0, 2))
    assert len(refused(office)) == (4 if kind == REFERENCE_TYPE else 2)
    if kind == REFERENCE_TYPE:
        before = (office.declines(), office.states())
        look(office)  # in full, and so the calendar's own word is written
        assert {mailbox: len(each.references) for mailbox, each in office.sync._held.items()} == held
        assert (refused(office), (office.declines(), office.states())) == ([], before)


@pytest.mark.proves("M7")
def test_bytes_that_are_no_record_of_ours_stop_no_owner(office: Beside) -> None:
    held = {mailbox: len(each.references) for mailbox, each in office.sync._held.items()}
    office.rewrite(
        CALENDAR_STATE.name,
        lambda _, value: b"\x00" if envelopes.decode(value).type in {REFERENCE_TYPE, LEFT_TYPE} else value,
    )
    office.engine.log.append([NewRecord(CALENDAR_STATE.name, 0, key, b"{}") for key in (b"odd", b"\xff/m")])
    office.restart()
    before = (office.declines(), office.states())
    assert refused(office), "doctor names them"
    look(office)
    assert {mailbox: len(each.references) for mailbox, each in office.sync._held.items()} == held
    assert (office.declines(), office.states()) == before


@pytest.mark.proves("M7")
def test_observation_of_one_meeting_is_not_anothers_and_its_letter_opens_under_its_own_key(office: Beside) -> None:
    told, states = office.declines(), office.states()
    (one, first), (other, second) = sorted(
        office.newest(
            OBSERVATIONS.name, envelopes.decode(office.records(OBSERVATIONS.name)[-1].value or b"").type
        ).items()
    )
    office.engine.log.append(
        [NewRecord(OBSERVATIONS.name, 0, one, second), NewRecord(OBSERVATIONS.name, 0, other, first)]
    )
    office.settle()
    assert (office.declines(), office.states()) == (told, states)
    letters = office.letters()
    assert [letter.key for letter in letters] == [one, other]
    for letter, own in zip(letters, (other, one), strict=True):
        envelope = envelopes.decode(letter.value or b"")
        open_envelope(envelope, office.keys, Anything, key=own, newest=envelope.v)


def unbound(office: Office, key: bytes, value: bytes) -> bytes:
    """A record as an earlier version sealed it, for no key."""
    envelope = envelopes.decode(value)
    plain = open_envelope(envelope, office.keys, msgspec.Raw, key=key, newest=envelope.v)  # type: ignore[type-var]
    sealed = seal(office.keys.data_key, bytes(plain), purpose=f"{envelope.type}/{envelope.tenant}")
    return envelopes.encode(msgspec.structs.replace(envelope, sealed=sealed))


@pytest.mark.proves("M7")
def test_records_of_an_earlier_version_are_read_bound_as_they_change_and_refused_aloud_without_loss(
    office: Beside,
) -> None:
    for topic in SEALED:
        office.rewrite(topic.name, lambda key, value: unbound(office, key, value))
    office.restart()
    assert [(each.state, each.text.split()[1]) for each in check_records(office.engine)] == [
        (CheckState.NOTE, "8"),  # two mailboxes with two events each, and two that left
        (CheckState.NOTE, "9"),  # two meetings, of which two people hold copies, the counts of a day and of two rooms
    ]
    office.calendar.book("e2", **{BIRS: "declined"})
    look(office)
    assert (len(office.declines()), office.letters()) == (2, [])
    fewer = [int(each.text.split()[1]) for each in check_records(office.engine)]
    assert fewer[0] < 8
    assert fewer[1] < 7

    office.engine.keyring._refuse_unbound = True
    office.restart()
    assert {each.state for each in check_records(office.engine)} == {CheckState.WRONG}
    office.calendar.book("e1", **{AARE: "accepted"})
    look(office)
    assert {letter.topic for letter in office.letters()} == {"observations"}
    assert all("UNBOUND_ROWS" in letter.reason for letter in office.letters())

    office.engine.keyring._refuse_unbound = False
    office.restart()
    office.calendar.book("e1", **{AARE: "declined"})
    look(office)
    assert office.states()[-1] == "declined"


def refused(office: Office) -> list[str]:
    """What `roomsync doctor` says of records that nobody believes."""
    return [each.text for each in check_records(office.engine) if each.state is CheckState.WRONG]
