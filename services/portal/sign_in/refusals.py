"""Why a sign-in did not happen: the providers' codes, what they mean, and who can fix it. One table for both."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import RoomsyncError
from shared.language.deciding.sentences import say

_AADSTS = re.compile(r"AADSTS(\d{5,7})")
_MAX_ERROR_CHARS = 200


class Who(StrEnum):
    """Whose turn it is."""

    YOU = "You"
    IT = "Your organisation's IT administrator"
    ADMINISTRATOR = "Your subscription administrator"
    OPERATOR = "Whoever runs this service"


WHO_WORDS = {
    Who.YOU: say("You"),
    Who.IT: say("Your organisation's IT administrator"),
    Who.ADMINISTRATOR: say("Your subscription administrator"),
    Who.OPERATOR: say("Whoever runs this service"),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason, for a page that is the same for both providers."""

    code: str
    """Ours: stays the same whatever a provider renames."""
    meaning: str
    who: Who
    next_step: str


class Cause(StrEnum):
    """Reasons of our own, beside those that the providers name."""

    STATE = "state"
    ID_TOKEN = "id-token"  # noqa: S105  # the name of a reason
    NO_DIRECTORY = "no-directory"
    NO_ADDRESS = "no-address"
    SCOPE_MISSING = "scope-missing"
    NO_REFRESH_TOKEN = "no-refresh-token"  # noqa: S105  # the name of a reason
    NO_ACCESS_TOKEN = "no-access-token"  # noqa: S105  # the name of a reason
    NOT_ENABLED = "not-enabled"
    OTHER_CALENDAR = "other-calendar"
    GUEST = "guest"
    DIRECTORY_UNPROVEN = "directory-unproven"
    DIRECTORY_TAKEN = "directory-taken"
    OTHER_DIRECTORY = "other-directory"
    OTHER_PERSON = "other-person"


class RefusedSignInError(RoomsyncError):
    """The provider, or we, refused the sign-in."""

    def __init__(
        self, error: str, description: str = "", *, subcode: str = "", contact: str = "", provider: str = ""
    ) -> None:
        """
        Keep what is known of a refusal.

        Args:
            error: The provider's error name, or a `Cause`.
            description: The provider's, which may carry a code.
            subcode: Microsoft's second error name.
            contact: Whom people are told to ask.
            provider: Who refused; "" for us.
        """
        super().__init__(error)
        self.error = error
        self.description = description
        self.subcode = subcode
        self.contact = contact
        self.provider = provider


_APPROVAL = Refusal(
    "admin-approval-required",
    say("Your organisation lets nobody use this application before an administrator has approved it."),
    Who.IT,
    say("Ask them to approve the application for the listed permissions, then try again."),
)
_BARE = Refusal(
    "declined-or-approval",
    say(
        "Permission was not given: it was declined, or your organisation lets nobody give it before an administrator has approved "
        "this application. The provider says the same in both cases."
    ),
    Who.IT,
    say(
        "If you declined, try again and accept. If you were told that an administrator's approval is needed, do not try again: "
        "send your administrator the link for it."
    ),
)
_DECLINED = Refusal(
    "access-denied",
    say("Permission to read and change your own calendar was not given."),
    Who.YOU,
    say(
        "Try again and accept. If you were not even asked, your organisation lets some people only use this application: ask your "
        "IT administrator."
    ),
)
_ASSIGNMENT = Refusal(
    "user-not-assigned",
    say("Your organisation allows this application for some people only, and you are not among them."),
    Who.IT,
    say("Ask them to assign you to the application."),
)
_REDIRECT = Refusal(
    "redirect-wrong",
    say("The address people return to is not registered for this application."),
    Who.OPERATOR,
    say("Register the address PUBLIC_URL/auth/callback at the provider, exactly."),
)
_SECRET = Refusal(
    "secret-expired",
    say(
        "This service could not prove itself to the provider: its client id or secret is wrong, or the secret has expired."
    ),
    Who.OPERATOR,
    say("Compare the client id; if it is right, make a new client secret at the provider and set it here."),
)
_POLICY = Refusal(
    "sign-in-policy",
    say("A rule of your organisation wants more of this sign-in: another factor, a managed device, or another place."),
    Who.YOU,
    say("Meet the rule and sign in again; if you cannot, ask your IT administrator."),
)
_BLOCKED = Refusal(
    "policy-blocks-app",
    say("An administrator of your organisation restricts which applications may use calendars, and this one may not."),
    Who.IT,
    say(
        "Ask them to allow this application, by its client id: at Microsoft under Conditional Access and Enterprise "
        "applications, at Google under API controls."
    ),
)
_EXPIRED = Refusal("code-expired", say("The sign-in took too long, or was already used."), Who.YOU, say("Try again."))
_BUSY = Refusal("provider-busy", say("The provider was busy or away just now."), Who.YOU, say("Try again in a moment."))
_UNKNOWN_APP = Refusal(
    "application-unknown",
    say("The application is not known, or was removed or disabled, in your organisation."),
    Who.IT,
    say("Ask them to add and approve the application again."),
)
_SCOPES = Refusal(
    "permissions-unknown",
    say("The provider does not accept the permissions that were asked for."),
    Who.OPERATOR,
    say("Compare the permissions of the application's registration with those on the sign-in page."),
)

_ONE_TENANT = Refusal(
    "registered-for-one-tenant",
    say("The application is registered for one tenant of Entra alone, and was looked for among those of every tenant."),
    Who.OPERATOR,
    say(
        "Set ROOMSYNC_MICROSOFT_DIRECTORY to the id of that tenant, or register the application for accounts in any directory."
    ),
)

_BY_AADSTS = {
    "50194": _ONE_TENANT,
    "90094": _APPROVAL,
    "65001": _APPROVAL,
    "65004": _DECLINED,
    "50105": _ASSIGNMENT,
    "50011": _REDIRECT,
    "7000215": _SECRET,
    "7000222": _SECRET,
    "50076": _POLICY,
    "50079": _POLICY,
    "53000": _POLICY,
    "53001": _POLICY,
    "53002": _POLICY,
    "53003": _BLOCKED,
    "700016": _UNKNOWN_APP,
    "700011": _UNKNOWN_APP,
    "70001": _UNKNOWN_APP,
    "7000112": _UNKNOWN_APP,
    "70008": _EXPIRED,
    "54005": _EXPIRED,
    "70011": _SCOPES,
    "90033": _BUSY,
    "90006": _BUSY,
    "90024": _BUSY,
}
_BY_ERROR = {
    "access_denied": _DECLINED,
    "consent_required": _APPROVAL,
    "interaction_required": _POLICY,
    "admin_policy_enforced": _BLOCKED,
    "org_internal": Refusal(
        "other-organisation",
        say("This application is registered for the people of another organisation only."),
        Who.OPERATOR,
        say("Make the application external at the provider, or sign in with an account of its own organisation."),
    ),
    "redirect_uri_mismatch": _REDIRECT,
    "deleted_client": Refusal(
        "registration-gone",
        say("This application's registration at the provider was deleted."),
        Who.OPERATOR,
        say("Register the application anew at the provider, and set its client id and secret here."),
    ),
    "invalid_client": _SECRET,
    "unauthorized_client": _UNKNOWN_APP,
    "invalid_scope": _SCOPES,
    "invalid_grant": _EXPIRED,
    "temporarily_unavailable": _BUSY,
    "server_error": _BUSY,
    Cause.STATE: Refusal(
        "sign-in-expired",
        say("This sign-in was not begun in this browser, was already used, or took more than ten minutes."),
        Who.YOU,
        say("Sign in again."),
    ),
    Cause.ID_TOKEN: Refusal(
        "identity-not-proven",
        say("The provider's word about who you are could not be verified."),
        Who.OPERATOR,
        say("Check the clocks and the provider's addresses in the settings, then sign in again."),
    ),
    Cause.NO_DIRECTORY: Refusal(
        "personal-account",
        say("This account does not belong to an organisation."),
        Who.YOU,
        say("Sign in with your work account."),
    ),
    Cause.NO_ADDRESS: Refusal(
        "no-address",
        say("The provider named no verified e-mail address for this account."),
        Who.IT,
        say("Ask them to give the account a mailbox."),
    ),
    Cause.SCOPE_MISSING: Refusal(
        "scope-missing",
        say("A permission that is needed was left out: your calendar cannot be read without it."),
        Who.YOU,
        say("Try again and leave every permission ticked."),
    ),
    Cause.NO_REFRESH_TOKEN: Refusal(
        "no-lasting-permission",
        say("The provider gave permission for an hour only."),
        Who.OPERATOR,
        say("Allow offline access for this application, then try again."),
    ),
    Cause.NO_ACCESS_TOKEN: _BUSY,
    Cause.OTHER_CALENDAR: Refusal(
        "other-calendar",
        say(
            "Your organisation uses another calendar system with this application: only one can be connected at a time."
        ),
        Who.ADMINISTRATOR,
        say("Sign in with the other calendar system, or ask them which one is in use."),
    ),
    Cause.GUEST: Refusal(
        "guest-account",
        say("This account is a guest in the organisation's directory, and belongs to another one."),
        Who.YOU,
        say("Sign in with the account of your own organisation."),
    ),
    Cause.DIRECTORY_UNPROVEN: Refusal(
        "directory-unproven",
        say(
            "The directory of this account has not been joined with your organisation, and its account does not administer it."
        ),
        Who.OPERATOR,
        say(
            "Whoever runs this service joins the two (roomsync tenants join); at Microsoft, a global administrator of the "
            "directory may do the test instead; at Google, a super administrator shows it on the test's page of permissions."
        ),
    ),
    Cause.DIRECTORY_TAKEN: Refusal(
        "directory-taken",
        say("The organisation of this account is set up here already, apart from yours."),
        Who.ADMINISTRATOR,
        say("Sign in with an account of your own organisation; if both are one, whoever runs this service joins them."),
    ),
    Cause.OTHER_DIRECTORY: Refusal(
        "other-directory",
        say("This account belongs to another organisation than the one that was set up here for this calendar system."),
        Who.YOU,
        say("Sign in with an account of the organisation whose calendars are to be connected."),
    ),
    Cause.OTHER_PERSON: Refusal(
        "other-person",
        say("The account that gave the permission is not the one you are signed in with."),
        Who.YOU,
        say("Choose your own account at the provider, or sign out here and sign in with the other one."),
    ),
    Cause.NOT_ENABLED: Refusal(
        "not-enabled",
        say("This is not switched on for your organisation."),
        Who.ADMINISTRATOR,
        say("Ask your subscription administrator to switch it on."),
    ),
}
OTHER = Refusal(
    "sign-in-refused",
    say("The provider refused the sign-in for a reason that is not in our list."),
    Who.OPERATOR,
    say("Look the provider's code up in its documentation."),
)

BY_CODE = {each.code: each for each in (*_BY_AADSTS.values(), *_BY_ERROR.values(), _BARE, OTHER)}
"""Our code → the reason."""
APPROVABLE = frozenset({_APPROVAL.code, _BARE.code})
"""Our codes of what an administrator's consent for everybody may mend."""
_CANCEL = "cancel"


def explain_refusal(error: str, description: str = "", subcode: str = "") -> Refusal:
    """
    The reason behind a provider's error name and description.

    Microsoft's own number, where it gives one, says more than OAuth's name: `access_denied` alone may be a person or a policy,
    and with the subcode `cancel` and no number it is one of the two (`microsoft.bare-refusal` in docs/beliefs.md).
    """
    for number in _AADSTS.findall(description):
        if number in _BY_AADSTS:
            return _BY_AADSTS[number]
    if (error, subcode) == ("access_denied", _CANCEL):
        return _BARE
    return _BY_ERROR.get(error, OTHER)


def provider_code(error: str, description: str = "") -> str:
    """What the provider itself calls it, fit to be shown and searched for: names and numbers, no free text; "" for what is ours."""
    if error in set(Cause):
        return ""
    number = _AADSTS.search(description)
    name = re.sub(r"[^A-Za-z0-9_-]", "", error[:_MAX_ERROR_CHARS])[:40]
    return f"{name} {number.group(0)}" if number and number.group(0) != name else name
