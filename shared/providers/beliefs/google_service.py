"""What is believed about Google's service: people, availability, channels, limits, sign-in and tokens. Data only."""

from __future__ import annotations

from shared.providers.beliefs.belief import Belief, Trust

_CLIENT = "shared/providers/google/client.py"
_PARSE = "shared/providers/google/parse.py"
_FAILURES = "shared/providers/google/failures.py"
_CODES = "shared/providers/google/token_codes.py"
_PROFILE = "shared/providers/google/profile.py"
_OPENID = "services/portal/sign_in/openid.py"
_MAILBOX = "services/sync_worker/deciding/mailbox.py"
_GOOGLE_HOOK = "services/webhook_receiver/protocols/google.py"
_PUSH = "developers.google.com/workspace/calendar/api/guides/push"
_FREE_BUSY = "developers.google.com/workspace/calendar/api/v3/reference/freebusy/query"
_TOKENS = "developers.google.com/identity/protocols/oauth2"
_RECEIVER = "it takes a receiver that Google can reach; connecting a person shows it"
_NOT_FORCED = "nobody outside can make the service do it"
_AT_A_PAGE = "it takes a person at Google's own pages"

BELIEFS = (
    Belief(
        key="google.person-id",
        text="The userinfo endpoint names a person by the `sub` that their sign-in carries.",
        source="developers.google.com/identity/openid-connect/openid-connect",
        trust=Trust.DOCUMENTED,
        dependents=(_OPENID,),
        otherwise="One person is two: a sign-in does not find what they connected.",
    ),
    Belief(
        key="google.own-entry",
        text="Whoever is invited by an alias stands under it among the attendees of their own copy, marked `self`.",
        source="developers.google.com/workspace/calendar/api/v3/reference/events, `attendees[].self`; that it holds for an alias:"
        " insanum/gcalcli#621, odoo/odoo#261004",
        trust=Trust.REPORTED,
        dependents=("shared/providers/google/parse.py", "services/sync_worker/looking/own_data.py"),
        otherwise="A colleague who is invited by an alias is shown as a guest.",
        not_tried="it takes a second person, who invites by an alias",
    ),
    Belief(
        key="google.hosted-domain",
        text="`hd` is the domain of the person's own address, also where it is a secondary domain of the organisation.",
        source="developers.google.com/identity/openid-connect/openid-connect says domain of the organisation; users report it",
        trust=Trust.REPORTED,
        dependents=(_OPENID, "shared/organisations/enrolment.py"),
        otherwise="People of a second domain belong to the organisation of the first without being joined to it.",
    ),
    Belief(
        key="google.verified-domains",
        text="`domains.list` names the domains of a super administrator's organisation; those it has shown to own are `verified`.",
        source="developers.google.com/workspace/admin/directory/reference/rest/v1/domains",
        trust=Trust.DOCUMENTED,
        dependents=("shared/providers/google/client.py", "services/portal/admin/integration/domains.py"),
        otherwise="Further domains are not added; the operator joins them.",
        not_tried="it takes an administrator's access",
    ),
    Belief(
        key="google.free-busy-scope",
        text="The scope `calendar.freebusy` is enough to ask for anybody's free and busy times.",
        source=_FREE_BUSY,
        trust=Trust.DOCUMENTED,
        dependents=(_PROFILE, _CLIENT),
        otherwise="Every room shows as unknown, with the advice to connect again.",
    ),
    Belief(
        key="google.secondary-calendars",
        text="No scope of ours lists the calendars that a person owns beside the primary one.",
        source="developers.google.com/workspace/calendar/api/v3/reference/calendarList/list and the discovery document calendar.v3",
        trust=Trust.DOCUMENTED,
        dependents=(_PROFILE, _CLIENT),
        otherwise="Nothing is lost: secondary calendars could be looked at, and are not.",
        not_tried="it would take a second calendar",
    ),
    Belief(
        key="google.free-busy-unknown",
        text="A calendar that one may not see has `errors` in the answer, never just an empty list of busy times.",
        source=_FREE_BUSY,
        trust=Trust.DOCUMENTED,
        dependents=(_PARSE,),
        otherwise="A room that nobody may see is offered as free.",
    ),
    Belief(
        key="google.free-busy-fifty",
        text="One query answers for fifty calendars.",
        source=f"{_FREE_BUSY}, `calendarExpansionMax`",
        trust=Trust.DOCUMENTED,
        dependents=(_CLIENT,),
        otherwise="The rooms beyond Google's limit show as unknown.",
    ),
    Belief(
        key="google.push-latency",
        text="A change in a calendar is pushed within three minutes, mostly within seconds.",
        source="no page bounds it; repository open-sunsama, pull request 58",
        trust=Trust.REPORTED,
        dependents=("services/portal/admin/integration/testflow/__init__.py", _MAILBOX),
        otherwise="Declines are found by the reconciling look, as late as its interval.",
    ),
    Belief(
        key="google.push-drops",
        text="A small share of pushes never comes, and no page bounds how late one may be.",
        source=_PUSH,
        trust=Trust.DOCUMENTED,
        dependents=(_MAILBOX,),
        otherwise="Nothing: the reconciling looks find no change that was not announced.",
        not_tried=_NOT_FORCED,
    ),
    Belief(
        key="google.push-acknowledged",
        text="A push is sent again after 500, 502, 503 and 504 alone; any other answer settles it.",
        source=_PUSH,
        trust=Trust.DOCUMENTED,
        dependents=(_GOOGLE_HOOK, "services/webhook_receiver/app.py"),
        otherwise="A push that could not be kept is lost; the reconciling look finds its change.",
        not_tried=_RECEIVER,
    ),
    Belief(
        key="google.push-token",
        text="Every push repeats the token that its channel was opened with; nothing else in it proves who sent it.",
        source=_PUSH,
        trust=Trust.DOCUMENTED,
        dependents=(_GOOGLE_HOOK,),
        otherwise="Pushes are refused; changes are found by looking at intervals.",
        not_tried=_RECEIVER,
    ),
    Belief(
        key="google.channel-expiry",
        text="The life of a channel is what the answer to `watch` says, whatever was asked for; its end is not announced.",
        source=_PUSH,
        trust=Trust.DOCUMENTED,
        dependents=(_PARSE, _MAILBOX),
        otherwise="A channel is replaced earlier than needed.",
        not_tried=_RECEIVER,
    ),
    Belief(
        key="google.channel-overlap",
        text="Two channels on one calendar live beside each other; each delivers every change.",
        source=_PUSH,
        trust=Trust.DOCUMENTED,
        dependents=(_CLIENT, _MAILBOX),
        otherwise="Replacing a channel fails, and the old one goes on until its end.",
        not_tried=_RECEIVER,
    ),
    Belief(
        key="google.channel-id-once",
        text="A channel id that was ever used is refused with 400 `channelIdNotUnique`.",
        source=f"repository compass-calendar, sync.service; {_PUSH} says that ids are unique",
        trust=Trust.REPORTED,
        dependents=(_FAILURES,),
        otherwise="Nothing: each channel has a new id.",
        not_tried=_RECEIVER,
    ),
    Belief(
        key="google.quota-two-codes",
        text="A limit of calls is refused with 403 or 429; the reason says which limit, the status does not.",
        source="developers.google.com/workspace/calendar/api/guides/errors",
        trust=Trust.DOCUMENTED,
        dependents=(_FAILURES,),
        otherwise="Nothing: both are read by their reason.",
        not_tried="it would use up the tenant's quota",
    ),
    Belief(
        key="google.refresh-token-at-consent",
        text="A refresh token is given at a consent alone, so every connection asks for one.",
        source=f"{_TOKENS}/web-server",
        trust=Trust.DOCUMENTED,
        dependents=(_PROFILE,),
        otherwise="Nothing: a refresh token that comes more often is kept.",
        not_tried=_AT_A_PAGE,
    ),
    Belief(
        key="google.testing-seven-days",
        text="While the consent screen is in *Testing*, a grant ends after seven days, and the answer to its code says so"
        " (`refresh_token_expires_in`).",
        source="developers.google.com/identity/protocols/oauth2, refresh token expiration (insanum/gcalcli#628: it is so); the page"
        " promises the field for consents that are given for a time, and that *Testing* is one of them is assumed",
        trust=Trust.ASSUMED,
        dependents=("shared/grants/oauth.py", "shared/grants/grant.py", "cli/doctor/checks/grants.py"),
        otherwise="The end comes without a warning; the person's page then says to connect again.",
        not_tried="it takes a consent that was given while the registration was in *Testing*",
    ),
    Belief(
        key="google.invalid-grant-says-little",
        text="`invalid_grant` stands for every cause; only its usual sentence says that the token was revoked or has expired.",
        source=f"{_TOKENS}; the sentence from developers.google.com/google-ads/api/docs/get-started/common-errors",
        trust=Trust.REPORTED,
        dependents=(_CODES, "shared/grants/broker.py"),
        otherwise="A grant is tried again for fourteen days although it is over.",
        not_tried="it would take a grant away",
    ),
    Belief(
        key="google.policy-at-refresh",
        text="An administrator's restriction may refuse a refresh (`admin_policy_enforced`) and be lifted again.",
        source=_TOKENS,
        trust=Trust.DOCUMENTED,
        dependents=(_CODES, "shared/grants/broker.py"),
        otherwise="A grant is tried again for fourteen days although it is over.",
        not_tried="it takes an administrator who restricts the client",
    ),
    Belief(
        key="google.auth-error",
        text="Where Google refuses a client it leads to `/signin/oauth/error`, whose `authError` is a Base64 message that begins"
        " with the error's name.",
        source="`accounts.google.com/signin/oauth/error/v2?authError=ChVyZWRpcmVjdF91cmlfbWlzbWF0Y2g…`, with and without `/v2`, in"
        " sources of public repositories: it begins with `redirect_uri_mismatch`",
        trust=Trust.REPORTED,
        dependents=("services/portal/admin/integration/testflow/preflight.py",),
        otherwise="The refusal is seen on Google's own page, and explained from what the person copies off it.",
        not_tried="it takes a registration that is wrong",
    ),
    Belief(
        key="google.own-page-shows-refusals",
        text="Google shows some refusals on its own page alone: `admin_policy_enforced`, `org_internal`, `redirect_uri_mismatch`.",
        source=f"{_TOKENS}/web-server, authorization errors",
        trust=Trust.REPORTED,
        dependents=("services/portal/sign_in/refusals.py",),
        otherwise="A refusal that does come back is shown with its own advice.",
        not_tried=_AT_A_PAGE,
    ),
    Belief(
        key="google.super-administrator",
        text="`isAdmin` of the Directory API is true for super administrators alone.",
        source="developers.google.com/workspace/admin/directory/reference/rest/v1/users",
        trust=Trust.DOCUMENTED,
        dependents=(_CLIENT, "services/portal/admin/integration/directory_proof.py"),
        otherwise="A delegated administrator may claim the organisation.",
        not_tried="it takes an administrator's access",
    ),
)
