"""What the administrators' pages decide: entries, limits, troubles, the room of a test, what a run looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import parse_many
from limits.storage import MemoryStorage, memory
from limits.strategies import STRATEGIES

from services.portal.admin.integration.testflow.deciding.presentation import diagnosis, run_shape
from services.portal.admin.integration.testflow.deciding.room_choice import MOST_ROOMS, place
from services.portal.admin.integration.testflow.deciding.run import (
    SILENT_MS,
    Stage,
    Step,
    TestRun,
    Trouble,
    begin_step,
    end_run,
    finish_step,
    is_silent,
    note_trouble,
)
from services.portal.admin.integration.testflow.deciding.troubles import TROUBLES, about, changed_nothing, trouble_of
from services.portal.admin.integration.testflow.preflight import ERRORS, read
from services.portal.frame import limits
from services.portal.frame.limits import Limit, limit_of
from services.portal.frame.navigation import place as page_of
from services.portal.frame.navigation import role_words, visible
from services.portal.sign_in.refusals import OTHER, Cause, Who, explain_refusal, provider_code
from shared.contracts.rows import IntegrationState
from shared.domain.roles import Role
from shared.domain.sighting import Availability, RoomContact
from shared.errors import (
    ClientRefusedError,
    ConsentRevokedError,
    EventGoneError,
    LogUnavailableError,
    RefusedError,
    RetryableError,
    StoreUnavailableError,
    WebhookUnreachableError,
)

ON, OFF = IntegrationState.ENABLED, IntegrationState.OFF
RUN = TestRun(id="r", user="u", provider="google", stage=Stage.RUNNING, began_at_ms=0, beat_at_ms=0)


@pytest.mark.parametrize(
    ("roles", "state", "paths"),
    [
        ((), ON, ["/", "/day", "/month", "/profile"]),
        ((), OFF, ["/profile"]),
        ((Role.BUILDING_ADMIN,), OFF, ["/profile", "/admin/rooms", "/admin/integration"]),
        (
            (Role.SUBSCRIPTION_ADMIN,),
            OFF,
            ["/profile", "/admin/rooms", "/admin/integration", "/admin/people", "/admin/audit"],
        ),
        (("emperor",), OFF, ["/profile"]),
    ],
)
@pytest.mark.proves("E9", "E10")
def test_entries_are_those_of_right_and_state(roles: Sequence[str], state: IntegrationState, paths: list[str]) -> None:
    assert [each.path for each in visible(roles, state)] == paths


@pytest.mark.proves("E3")
def test_booking_is_in_the_navigation_where_the_deployment_writes() -> None:
    assert "/book" in {each.path for each in visible((), ON, {"writes"})}
    assert "/book" not in {each.path for each in visible((), ON)}
    assert "/book" not in {each.path for each in visible((), OFF, {"writes"})}


@pytest.mark.parametrize(
    ("path", "entry"),
    [("/", "/"), ("/admin/rooms/r-1", "/admin/rooms"), ("/prompts/x", ""), ("/daydream", ""), ("/day", "/day")],
)
def test_page_belongs_to_the_entry_it_lies_under(path: str, entry: str) -> None:
    assert page_of(path) == entry


def test_role_is_called_by_the_most_that_somebody_is() -> None:
    assert role_words([]) == "Employee"
    assert role_words([Role.SUBSCRIPTION_ADMIN, Role.BUILDING_ADMIN]) == "Subscription administrator"


@pytest.mark.parametrize(
    ("step", "error", "code", "said"),
    [
        (
            Step.READ,
            RetryableError("x", provider_status=429, provider_code="tooManyRequests"),
            "provider-busy",
            "429 tooManyRequests",
        ),
        (
            Step.SUBSCRIBE,
            WebhookUnreachableError("x", provider_status=400, provider_code="BadRequest"),
            "webhook-unreachable",
            "400 BadRequest",
        ),
        (
            Step.SUBSCRIBE,
            RefusedError("x", provider_status=400, provider_code="push.webhookUrlNotHttps"),
            "webhook-unreachable",
            "400 push.webhookUrlNotHttps",
        ),
        (Step.READ, RetryableError("validation request"), "provider-busy", ""),
        (
            Step.READ,
            RefusedError("x", provider_status=403, provider_code="notACalendarUser"),
            "no-calendar",
            "403 notACalendarUser",
        ),
        (
            Step.READ,
            RefusedError("x", provider_status=403, provider_code="ErrorAccessDenied"),
            "scope-missing",
            "403 ErrorAccessDenied",
        ),
        (Step.READ, RefusedError("x", provider_status=418, provider_code="Teapot"), "calendar-refused", "418 Teapot"),
        (Step.ROOM, RefusedError("x", provider_status=404, provider_code="x"), "room-invisible", "404 x"),
        (
            Step.READ,
            ClientRefusedError("x", provider_status=401, provider_code="AADSTS7000222"),
            "secret-expired",
            "AADSTS7000222",
        ),
        (Step.READ, ConsentRevokedError("x", code="AADSTS50105"), "user-not-assigned", "AADSTS50105"),
        (
            Step.READ,
            ConsentRevokedError("x", code="InvalidAuthenticationToken"),
            "calendar-refused",
            "InvalidAuthenticationToken",
        ),
        (
            Step.ANSWER,
            ConsentRevokedError("x", code="invalid_grant"),
            "permission-lost",
            "invalid_grant",
        ),
        (Step.ANSWER, ConsentRevokedError("x", code="AADSTS50173"), "permission-lost", "AADSTS50173"),
        (
            Step.ANSWER,
            EventGoneError("x", provider_status=404, provider_code="ErrorItemNotFound"),
            "event-gone",
            "404 ErrorItemNotFound",
        ),
        (Step.PUSH, LogUnavailableError("x"), "service-away", ""),
        (Step.PUSH, StoreUnavailableError("x"), "service-away", ""),
        (Step.PUSH, KeyError("somebody@example.org"), "internal", "KeyError"),
    ],
)
@pytest.mark.proves("E21", "E22")
def test_each_error_becomes_a_code_of_ours_and_a_word_of_the_provider(
    step: Step, error: Exception, code: str, said: str
) -> None:
    assert trouble_of(step, error) == (code, said)
    assert about(code).code == code


@pytest.mark.proves("E21", "E22")
def test_every_code_has_a_meaning_somebody_who_mends_it_and_a_next_step() -> None:
    for code, known in TROUBLES.items():
        assert known.code == code
        assert known.meaning
        assert known.next_step
        assert known.who in set(Who)


@pytest.mark.proves("E24")
@given(st.text(max_size=200))
def test_nothing_of_an_errors_free_text_is_shown(text: str) -> None:
    _, said = trouble_of(Step.READ, RefusedError(f"looking: {text}", provider_status=403, provider_code="Denied"))
    assert said == "403 Denied"


def test_only_a_providers_own_no_means_that_nothing_was_made() -> None:
    assert changed_nothing(RefusedError("x", provider_status=403, provider_code="Denied"))
    assert not changed_nothing(RetryableError("x", provider_status=503))
    assert not changed_nothing(RetryableError("timed out"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<p>Error 400: redirect_uri_mismatch</p>", ("redirect_uri_mismatch", "")),
        ("https://p.example/error?authError=redirect_uri_mismatch%20x", ("redirect_uri_mismatch", "")),
        (
            "https://p.example/signin/oauth/error?authError=ChVyZWRpcmVjdF91cmlfbWlzbWF0Y2ggkAMyAggB&client_id=7",
            ("redirect_uri_mismatch", ""),
        ),
        (
            "https://p.example/signin/oauth/error?flowName=G&authError=Cg5pbnZhbGlkX2NsaWVudBIfVGhlIE9BdXRoIGNsaWVudCB3YXMgbm90IGZvdW5kLiCRAw%3D%3D",
            ("invalid_client", ""),
        ),
        ("https://p.example/signin/oauth/error?authError=%FF%FF%FF_", None),
        ("https://p.example/signin/oauth/error?authError=" + "A" * 9001, None),
        ("AADSTS50011: The redirect URI", ("invalid_request", "AADSTS50011")),
        ("https://p.example/signin?continue=x", None),
    ],
)
@pytest.mark.proves("E21")
def test_error_page_is_read_before_anybody_sees_it(text: str, found: tuple[str, str] | None) -> None:
    assert read(text) == found


@pytest.mark.parametrize("cause", list(Cause))
@pytest.mark.proves("E21")
def test_provider_is_not_said_to_call_it_what_we_do(cause: Cause) -> None:
    assert explain_refusal(cause) is not OTHER
    assert provider_code(cause, "calendar.freebusy") == ""


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.proves("E21")
def test_every_refusal_that_is_read_off_a_providers_page_has_a_meaning(name: str) -> None:
    assert explain_refusal(*(read(f"<p>Error 400: {name}</p>") or ("", ""))) is not OTHER


ROOMS = [RoomContact(f"r{number}@x", f"R{number}") for number in range(3)]


@pytest.mark.parametrize(
    ("answers", "room"),
    [("ubf", "r2@x"), ("ubu", "r1@x"), ("uuu", ""), ("bbb", "r0@x")],
)
def test_free_room_is_booked_else_a_visible_one(answers: str, room: str) -> None:
    words = {"u": Availability.UNKNOWN, "b": Availability.BUSY, "f": Availability.FREE}

    def availability(addresses: Sequence[str], _start_ms: int, _end_ms: int) -> Mapping[str, Availability]:
        return {address.upper(): words[letter] for address, letter in zip(addresses, answers, strict=True)}

    found = place(ROOMS, 0, availability)
    assert (found.room.address if found else "") == room


def test_no_more_rooms_are_asked_for_than_a_provider_takes() -> None:
    asked: list[int] = []

    def availability(addresses: Sequence[str], _start_ms: int, _end_ms: int) -> Mapping[str, Availability]:
        asked.append(len(addresses))
        return {}

    assert place([RoomContact(f"r{number}", "") for number in range(50)], 0, availability) is None
    assert asked == [MOST_ROOMS]


def test_run_that_moved_lately_is_alive() -> None:
    assert not is_silent(RUN, SILENT_MS)
    assert is_silent(RUN, SILENT_MS + 1)
    assert not is_silent(end_run(RUN, 0), SILENT_MS * 9)


@pytest.mark.proves("E22", "E24")
def test_run_is_shown_step_by_step() -> None:
    run = note_trouble(
        begin_step(finish_step(RUN, Step.CONSENT, 1), Step.READ, 2),
        Trouble(step=Step.READ, code="provider-busy", at_ms=3),
    )
    shape = run_shape(end_run(run, 4), interrupted=False)

    assert [each["state"] for each in shape["steps"]][:3] == ["passed", "failed", "not-tried"]
    assert shape["stage"] == "failed"
    assert "trouble: provider-busy at step read" in diagnosis(shape, {"version": "1"})


@pytest.mark.proves("E21")
def test_interruption_is_one_line_whoever_noticed_it() -> None:
    noticed = note_trouble(begin_step(RUN, Step.ANSWER, 1), Trouble(step=Step.ANSWER, code="interrupted", at_ms=2))

    assert [each["code"] for each in run_shape(noticed, interrupted=True)["troubles"]] == ["interrupted"]
    assert [each["code"] for each in run_shape(RUN, interrupted=True)["troubles"]] == ["interrupted"]


class Moments:
    """Stands for the module `time` where the library reads it."""

    now_s = 1_000_000.0

    def time(self) -> float:
        return self.now_s


@given(st.lists(st.integers(0, 3_000), max_size=40))
def test_never_more_than_the_limit_in_one_window(at: list[int]) -> None:
    limit, moments = Limit("writes", 1_000, per_account=3, per_client=9), Moments()
    [rule] = parse_many(limit.rule(limit.per_account))
    counts = STRATEGIES["fixed-window"](MemoryStorage())
    begun_ms: int | None = None
    passed: dict[int, int] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "time", moments)
        for now_ms in sorted(at):
            moments.now_s = 1_000_000 + now_ms / 1_000
            if begun_ms is None or now_ms >= begun_ms + limit.window_ms:
                begun_ms = now_ms
            allowed = counts.hit(rule, "who", limit.name)
            wait_ms = (counts.get_window_stats(rule, "who", limit.name).reset_time - moments.now_s) * 1_000
            assert 0 <= wait_ms <= limit.window_ms
            passed[begun_ms] = passed.get(begun_ms, 0) + allowed
    assert all(count <= limit.per_account for count in passed.values())


def test_reading_is_not_limited_and_each_change_is() -> None:
    assert limit_of("GET", "/admin/integration") is None
    assert limit_of("POST", "/admin/people") is limits.WRITES
    assert limit_of("POST", "/v1/admin/integration/test") is limits.TEST
    assert limit_of("GET", "/auth/login") is limits.SIGN_IN
    assert limit_of("GET", "/profile/connect") is limits.SIGN_IN, "each writes a row"
