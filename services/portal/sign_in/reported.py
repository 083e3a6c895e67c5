"""An error page of the provider's, as somebody reports it who was shown one and was not led back."""

from __future__ import annotations

from http import HTTPStatus

from services.portal.frame.problems import ProblemError
from services.portal.sign_in.deciding.reported_code import read_reported_code
from shared.language.deciding.sentences import say


def require_reported_code(text: str) -> str:
    """
    Read what somebody copied off an error page.

    Returns:
        The provider's code, and nothing else of it.

    Raises:
        ProblemError: 422, there is none in it.
    """
    code = read_reported_code(text)
    if code is None:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "no-code",
            say("There is no error code of a provider in this."),
            next_step=say(
                "Copy the code off the error page: AADSTS and five digits, or words like redirect_uri_mismatch; or the "
                "page's heading, such as “Need admin approval”."
            ),
        )
    return code
