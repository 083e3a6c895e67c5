"""What is entered about an administrator: an address and a role that can be given, or which of both is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from services.portal.admin.people.deciding.administrator_form import APPOINTABLE, read_administrator, read_role
from services.portal.frame.problems import ProblemError
from shared.domain.roles import Role


@pytest.mark.parametrize(
    ("address", "read"),
    [
        ("ada@contoso.test", "ada@contoso.test"),
        ("  Ada@Contoso.TEST\u00a0", "ada@contoso.test"),
        ("o'brien+x@contoso.test\n", "o'brien+x@contoso.test"),
    ],
)
@pytest.mark.parametrize("role", APPOINTABLE)
def test_address_and_role_are_read(address: str, read: str, role: Role) -> None:
    assert read_administrator({"address": address, "role": role.value}) == (read, role)
    assert read_role({"role": role.value}) is role


@pytest.mark.parametrize(
    "address",
    [
        "", None, "ada", "@contoso.test", "ada@", "ada @contoso.test", "a@b@contoso.test", "ada@contoso.test\r\nBcc: x@y.test",
        "ada\x00@contoso.test", "Ada <ada@contoso.test>", f"{'a' * 65}@contoso.test", f"ada@{'a.' * 130}test", 7, ["ada@x.test"],
        {"ada@x.test": 1}, "ada@contoso.test" * 10_000,
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: Any) -> None:
    with pytest.raises(ProblemError) as refused:
        read_administrator({"address": address, "role": "building-admin"})
    assert (refused.value.status, refused.value.code) == (422, "no-address")


@pytest.mark.parametrize(
    "role", ["", None, "employee", "emperor", "Building-Admin", 1, ["building-admin"], "x" * 20_000]
)
def test_role_that_cannot_be_given_is_named_first(role: Any) -> None:
    for read in (read_administrator, read_role):
        with pytest.raises(ProblemError) as refused:
            read({"address": "no address", "role": role})
        assert (refused.value.status, refused.value.code) == (422, "no-such-role")


def test_every_role_that_can_be_given_can_be_read() -> None:
    assert [read_role({"role": role.value}) for role in APPOINTABLE] == list(APPOINTABLE)
