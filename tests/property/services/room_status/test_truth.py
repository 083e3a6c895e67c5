"""Random histories against a model of the truth: right at every order of events."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import msgspec
import pytest

from services.room_status.deciding import fold as rules
from services.room_status.deciding import meeting_writer, memory, room_transitions
from services.room_status.deciding.outcomes import Ending
from services.room_status.deciding.speaking import Ruling
from shared.contracts.meeting_state import CopyRecord, DateRecord, MeetingRecord, RoomRecord, Word
from shared.domain.identity import Provider
from tests.support.truth import product
from tests.support.truth.history import Play, Step, draw_history, shorten
from tests.support.truth.laws import ALWAYS, SETTLED, declines_as_witnessed
from tests.support.truth.model import ORGANISER, PEOPLE
from tests.support.truth.product import Product

HISTORIES = int(os.environ.get("ROOMSYNC_HISTORIES", "1200"))
"""`make chaos` plays 20,000."""
SEED = int(os.environ.get("ROOMSYNC_TRUTH_SEED", "0"))
"""Where the histories begin; `make chaos` draws it and prints it."""
LENGTH = 50
"""Steps of a history."""
SEARCHED = 1500
"""How many histories are played until a planted fault must have been found: it breaks a law in one to forty of 300."""


def played(under: Product, history: list[Step]) -> Play:
    """The history played to its end, every law held after each commit."""
    play = Play(under)
    for step in history:
        play.do(step)
        for law in ALWAYS:
            assert not list(law(play)), (law.__name__, step)
    play.settle()
    for law in SETTLED:
        assert not list(law(play)), law.__name__
    return play


def hold_laws(play: Callable[[list[Step]], None], people: tuple[str, ...], *, dense: bool = False) -> None:
    """Play this test's share of the histories; the first that breaks a law is shortened and shown."""

    def breaks(history: list[Step]) -> bool:
        try:
            play(history)
        except (AssertionError, BaseExceptionGroup):
            return True
        return False

    for seed in range(SEED, SEED + HISTORIES // 8):
        history = draw_history(seed, people, LENGTH, dense=dense)
        if breaks(history):
            short = shorten(history, breaks)
            print(f"seed {seed}: {short}")
            play(short)


@pytest.mark.proves("M11", "D7", "D8")
@pytest.mark.parametrize("provider", [Provider.MICROSOFT, Provider.GOOGLE])
def test_declines_told_are_declines_witnessed(provider: Provider) -> None:
    """The organiser alone connects, disconnects and is looked at, at any moment: exactly what was witnessed is told."""

    def play(history: list[Step]) -> None:
        assert not list(declines_as_witnessed(played(Product(provider, guests_can_change=False), history)))

    hold_laws(play, (ORGANISER,))


@pytest.mark.proves("M11")
@pytest.mark.parametrize("dense", [False, True], ids=["series", "one date"])
@pytest.mark.parametrize(
    ("provider", "guests_can_change"),
    [(Provider.MICROSOFT, False), (Provider.GOOGLE, False), (Provider.GOOGLE, True)],
)
def test_several_people_in_any_order(provider: Provider, guests_can_change: bool, dense: bool) -> None:
    """Organiser and guests come and go, and their looks are committed in any order: nothing is invented, nothing lost."""

    def play(history: list[Step]) -> None:
        played(Product(provider, guests_can_change=guests_can_change), history)

    hold_laws(play, PEOPLE, dense=dense)


def _forgets(room: object, now_ms: int) -> object:
    """A room out of sight, with everything that was witnessed of it forgotten."""
    return msgspec.structs.replace(_out_of_sight(room, now_ms), answer=None)


def _ends_nothing(date: DateRecord, *_: object, **__: object) -> tuple[DateRecord, tuple[Ending, ...]]:
    """Declines of the date stay open, whatever is seen."""
    return date, ()


def _lowest_id_speaks(
    word: Word, copy: CopyRecord, date: DateRecord | None, record: MeetingRecord, others: Mapping[str, CopyRecord]
) -> Ruling:
    """Whose mailbox has the lowest id speaks of every date, as in 0.1.0."""
    del word, record, others
    return Ruling.APPLIED if date is None or not date.speaker or copy.mailbox <= date.speaker else Ruling.KEPT


def _shared_copy_key(meeting: bytes, mailbox: str) -> bytes:
    """Every copy of a meeting is kept under one key."""
    del mailbox
    return meeting + b"/everybody"


_out_of_sight = rules.out_of_sight
PLANTED = {
    "the mailbox with the lowest id speaks": ("rule", _lowest_id_speaks),
    "declines do not end": ("close_answered", _ends_nothing),
    "what was witnessed is forgotten with the sight of it": ("out_of_sight", _forgets),
    "dates that went are kept": ("_Folding._lets_go", lambda *_: False),
    "a first look silences what was witnessed before": ("answer_room", None),
    "one record holds what all copies say, and its last writer wins": ("copy_key", _shared_copy_key),
}
USERS = {"copy_key": (memory, meeting_writer, product)}
"""The modules that use what is planted, where `rules` does not."""


@pytest.mark.parametrize("fault", PLANTED)
def test_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is worth something: rules that are wrong break a law within a few hundred histories."""
    name, wrong = PLANTED[fault]
    owner, _, attribute = name.rpartition(".")
    if fault.startswith("a first look"):
        plain = rules.answer_room

        def wrong(room, name, word, *rest):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN002, ANN202
            known = None if word.baseline else room
            return plain(known, name, word, *rest)

    for user in USERS.get(attribute, (getattr(rules, owner) if owner else rules,)):
        monkeypatch.setattr(user, attribute, wrong)

    def search() -> None:
        for seed in range(SEARCHED):
            people = (ORGANISER,) if seed % 2 else PEOPLE
            product = Product(Provider.GOOGLE, guests_can_change=True)
            play = played(product, draw_history(seed, people, LENGTH))
            assert people is PEOPLE or not list(declines_as_witnessed(play))

    with pytest.raises((AssertionError, BaseExceptionGroup)):
        search()


def test_a_date_that_is_moved_out_of_the_past_without_its_room_has_lost_it() -> None:
    """One look says so, and none repeats it: the calendar does not change again."""
    history: list[Step] = [
        ("book", 0, "aare"),
        ("connect", "ada"),
        ("look-and-commit", "ada"),
        ("clock", 30 * 60),
        ("move", 0, 26),
        ("uninvite", 0, "aare"),
    ]
    played(Product(Provider.GOOGLE, guests_can_change=False), history)


def test_a_guest_who_shows_a_past_date_at_a_later_time_is_heard_when_the_organiser_leaves() -> None:
    """The organiser was not looked at since the date moved out of the past: its word speaks until it leaves."""
    history: list[Step] = [
        ("book", 0, "aare"),
        ("clock", 30 * 60),
        ("connect", "ada"),
        ("connect", "ben"),
        ("look-and-commit", "ada"),
        ("cancel", 0),
        ("book", 0, "aare"),
        ("look-and-commit", "ben"),
        ("disconnect", "ada"),
    ]
    played(Product(Provider.GOOGLE, guests_can_change=True), history)


def test_planted_fault_of_order_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guest's look from before the decline is committed after it: an older word must not take the decline back."""
    history: list[Step] = [
        ("book", 0, "aare"),
        ("connect", "ada"),
        ("look-and-commit", "ada"),
        ("connect", "ben"),
        ("look-and-commit", "ben"),
        ("answer", 0, "aare", "accepted"),
        ("look", "ben"),
        ("answer", 0, "aare", "declined"),
        ("look-and-commit", "ada"),
        ("commit", "ben"),
        ("repeat", "ada"),
    ]
    played(Product(Provider.GOOGLE, guests_can_change=False), history)
    monkeypatch.setattr(rules, "rule", lambda *_: Ruling.APPLIED)
    with pytest.raises(AssertionError):
        played(Product(Provider.GOOGLE, guests_can_change=False), history)


@pytest.mark.parametrize("said", ["accepted", "declined"])
def test_planted_fault_of_an_old_answer_is_found(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A meeting moves, and the organiser's program keeps what a room said to the earlier time: it has yet to answer."""
    history: list[Step] = [
        ("book", 0, "aare"),
        ("connect", "ada"),
        ("answer", 0, "aare", said),
        ("look-and-commit", "ada"),
        ("move-keeping", 0, 1),
        ("look-and-commit", "ada"),
        ("clock", 5),
        ("look-and-commit", "ada"),
    ]
    played(Product(Provider.MICROSOFT, guests_can_change=False), history)
    plain = room_transitions.answer_to
    monkeypatch.setattr(
        room_transitions, "answer_to", lambda room, name, word: plain(room and _undated(room), name, word)
    )
    with pytest.raises(AssertionError, match=r"nothing_invented|states_are_true"):
        played(Product(Provider.MICROSOFT, guests_can_change=False), history)


def _undated(room: RoomRecord) -> RoomRecord:
    """A room of which nobody knows when it answered."""
    return msgspec.structs.replace(room, answer_given_ms=0, outdated_until_ms=0)


@pytest.mark.parametrize("provider", [Provider.MICROSOFT, Provider.GOOGLE])
def test_planted_fault_of_leaving_is_found(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """A meeting is cancelled while its organiser is away: without what was kept of it, nobody would say that it is gone."""
    history: list[Step] = [
        ("book", 0, "aare"),
        ("connect", "ada"),
        ("look-and-commit", "ada"),
        ("disconnect", "ada"),
        ("cancel", 0),
        ("connect", "ada"),
    ]
    played(Product(provider, guests_can_change=False), history)
    monkeypatch.setattr(product, "meetings_to_keep", lambda *_, **__: {})
    with pytest.raises(AssertionError, match="states_are_true"):
        played(Product(provider, guests_can_change=False), history)


def test_a_guest_shows_a_date_again_that_its_organiser_took_out_before_leaving() -> None:
    """The organiser's last word was that the date is gone; it was restored when nobody looked at the organiser's calendar."""
    history: list[Step] = [
        ("connect", "ben"),
        ("book", 0, "aare"),
        ("connect", "ada"),
        ("look-and-commit", "ada"),
        ("cancel", 0),
        ("look-and-commit", "ada"),
        ("disconnect", "ada"),
        ("book", 0, "aare"),
    ]
    played(Product(Provider.GOOGLE, guests_can_change=False), history)
