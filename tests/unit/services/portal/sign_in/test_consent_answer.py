"""What an answer of the page for a tenant-wide consent says, whoever wrote it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.portal.sign_in.deciding.consent_answer import missing, read_answer
from services.portal.sign_in.deciding.reported_code import read_reported_code

DIRECTORY = "0b6f4c1e-9a0d-4a59-8f2c-5a1f0f3e2d11"
GOOD = {
    "admin_consent": "True",
    "tenant": DIRECTORY.upper(),
    "scope": "https://graph.microsoft.com/Calendars.Read openid",
}


@pytest.mark.proves("B27")
def test_good_answer_names_the_directory_and_the_permissions_without_their_resource() -> None:
    found = read_answer(GOOD)
    assert (found.granted, found.directory, found.scopes) == (True, DIRECTORY, ("Calendars.Read", "openid"))
    assert read_answer({**GOOD, "scope": ""}).scopes == ()


@pytest.mark.proves("B27")
@pytest.mark.parametrize(
    "change",
    [
        {"error": "access_denied"},
        {"admin_consent": ""},
        {"admin_consent": "False"},
        {"tenant": ""},
        {"tenant": "contoso.example"},
        {"tenant": f"{DIRECTORY}x"},
    ],
)
def test_anything_else_grants_nothing(change: dict[str, str]) -> None:
    found = read_answer({**GOOD, **change})
    assert not found.granted
    assert found.scopes == ()


@pytest.mark.proves("B27")
@given(st.dictionaries(st.sampled_from([*GOOD, "error", "error_description", "error_subcode"]), st.text()))
def test_whatever_is_sent_is_read_within_bounds(answer: dict[str, str]) -> None:
    found = read_answer({**GOOD, **answer})
    assert len(found.scopes) <= 50
    assert all(len(each) <= 100 and each.isascii() for each in found.scopes)


@pytest.mark.proves("B27")
def test_long_answer_is_cut() -> None:
    found = read_answer({**GOOD, "scope": " ".join(f"S{number}" for number in range(5_000))})
    assert len(found.scopes) == 50
    assert len(read_answer({"error": "e" * 10_000, "error_description": "d" * 10_000}).description) == 4_000


@pytest.mark.proves("B27")
@pytest.mark.parametrize(
    ("asked", "granted", "left_out"),
    [
        (["Calendars.ReadWrite"], ["calendars.readwrite"], ()),
        (["Calendars.Read"], ["Calendars.ReadWrite"], ()),
        (["Calendars.ReadWrite"], ["Calendars.Read"], ("Calendars.ReadWrite",)),
        (["https://graph.microsoft.com/Place.Read.All"], [], ("Place.Read.All",)),
    ],
)
def test_right_to_write_includes_the_one_to_read(asked: list[str], granted: list[str], left_out: tuple[str]) -> None:
    assert missing(asked, granted) == left_out


@pytest.mark.proves("B27")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Error 400: redirect_uri_mismatch", "redirect_uri_mismatch"),
        ("Need admin approval\nroomsync needs permission", "consent_required"),
        ("NEEDS ADMIN APPROVAL", "consent_required"),
        ("Approval required AADSTS90094: x", "AADSTS90094"),
        ("it broke", None),
        ("", None),
        (" " * 5_000 + "AADSTS90094", None),
    ],
)
def test_code_is_found_in_what_somebody_copied(text: str, code: str | None) -> None:
    assert read_reported_code(text) == code
