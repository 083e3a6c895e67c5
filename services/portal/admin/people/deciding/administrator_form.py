"""Who is to administer, as somebody enters it, checked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from services.portal.frame.deciding.forms import FieldError, read_form
from services.portal.frame.problems import FieldProblemError
from shared.domain.email_addresses import MAX_CHARS, is_address
from shared.domain.roles import Role
from shared.language.deciding.sentences import say

APPOINTABLE = (Role.SUBSCRIPTION_ADMIN, Role.BUILDING_ADMIN)


RoleName = Literal["subscription-admin", "building-admin"]


class RoleForm(msgspec.Struct, frozen=True):
    """The role that is given or taken."""

    role: RoleName


class AdministratorForm(RoleForm, frozen=True):
    """A role, and whose it is to be."""

    address: Annotated[str, Meta(max_length=MAX_CHARS, examples=["ada@contoso.test"])]


def read_administrator(sent: Mapping[str, Any]) -> tuple[str, Role]:
    """
    Read an address, in lower case, and a role out of a form or a JSON object.

    Raises:
        FieldProblemError: 422, there is no such role to give, or it is no address.
    """
    try:
        form = read_form(sent, AdministratorForm)
    except FieldError as error:
        raise _refuse(error.field) from error
    address = form.address.lower()
    if not is_address(address):
        raise _refuse(field="address")
    return address, Role(form.role)


def read_role(sent: Mapping[str, Any]) -> Role:
    """Read a role that can be given. Raises FieldProblemError (422) for any other word."""
    try:
        return Role(read_form(sent, RoleForm).role)
    except FieldError as error:
        raise _refuse(error.field) from error


def _refuse(field: str) -> FieldProblemError:
    if field == "role":
        return FieldProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "no-such-role",
            say("There is no such role to give."),
            next_step=say("Choose one of: {choices}.").format(choices=", ".join(role.value for role in APPOINTABLE)),
            field="role",
        )
    return FieldProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "no-address",
        say("This is not an e-mail address."),
        next_step=say("Give the address of the work account they sign in with."),
        field="address",
    )
