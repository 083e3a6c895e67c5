"""Whether many of an organisation are refused for one reason, as any process reads it off their rows."""

from __future__ import annotations

from shared.contracts.rows import ConsentRow, ConsentState
from shared.grants.common_refusal import CommonRefusal, find_common_refusal

CODE = "AADSTS53003"


def rows(count: int, state: ConsentState, reason: str = "", provider: str = "microsoft") -> list[ConsentRow]:
    return [ConsentRow(user=f"u-{n}", provider=provider, subject="s", state=state, reason=reason) for n in range(count)]


def test_five_and_a_fifth_are_many() -> None:
    assert find_common_refusal(rows(4, ConsentState.SUSPENDED, CODE)) is None
    five = rows(5, ConsentState.SUSPENDED, CODE)
    assert find_common_refusal([*five, *rows(20, ConsentState.ACTIVE)]) == CommonRefusal("microsoft", CODE, 5, 25)
    assert find_common_refusal([*five, *rows(21, ConsentState.ACTIVE)]) is None


def test_reasons_of_their_own_are_no_common_one() -> None:
    each = [row for number in range(9) for row in rows(1, ConsentState.SUSPENDED, f"code-{number}")]
    assert find_common_refusal(each) is None
    assert find_common_refusal([*each, *rows(6, ConsentState.SUSPENDED, CODE)]) == CommonRefusal(
        "microsoft", CODE, 6, 15
    )


def test_what_is_over_or_asleep_does_not_count() -> None:
    assert find_common_refusal(rows(9, ConsentState.REVOKED, CODE)) is None
    assert find_common_refusal(rows(9, ConsentState.SLEEPING, CODE)) is None


def test_people_of_the_other_calendar_system_are_not_among_them() -> None:
    mixed = [*rows(5, ConsentState.SUSPENDED, CODE), *rows(500, ConsentState.ACTIVE, provider="google")]
    assert find_common_refusal(mixed) == CommonRefusal("microsoft", CODE, 5, 5)
