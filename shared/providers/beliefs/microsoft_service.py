"""What is believed about Graph's service: people, availability, subscriptions, limits, sign-in and tokens. Data only."""

from __future__ import annotations

from shared.providers.beliefs.belief import Belief, Trust

_CLIENT = "shared/providers/microsoft/client.py"
_ROUNDS = "shared/providers/microsoft/delta_rounds.py"
_CALLS = "shared/providers/microsoft/subscription_calls.py"
_PARSE = "shared/providers/microsoft/parse.py"
_FAILURES = "shared/providers/microsoft/failures.py"
_CODES = "shared/providers/microsoft/token_codes.py"
_SUBSCRIPTIONS = "shared/providers/microsoft/subscriptions.py"
_OPENID = "services/portal/sign_in/openid.py"
_MAILBOX = "services/sync_worker/deciding/mailbox.py"
_GRAPH_HOOK = "services/webhook_receiver/protocols/graph.py"
_WEBHOOKS = "learn.microsoft.com/graph/change-notifications-delivery-webhooks"
_RECEIVER = "it takes a receiver that Graph can reach; connecting a person shows it"
_NOT_FORCED = "nobody outside can make the service do it"

BELIEFS = (
    Belief(
        key="microsoft.person-id",
        text="`/me` names a person by the id that their sign-in carries as `oid`.",
        source="learn.microsoft.com/entra/identity-platform/id-token-claims-reference",
        trust=Trust.DOCUMENTED,
        dependents=(_OPENID, _SUBSCRIPTIONS),
        otherwise="A subscription of ours that stands in the way of a new one is not found, and not ended.",
    ),
    Belief(
        key="microsoft.own-addresses",
        text="`/me` shows a person's mail address and all that reach them (`proxyAddresses`), with `User.Read` alone, if selected.",
        source="learn.microsoft.com/graph/api/resources/user, `proxyAddresses`; that `User.Read` shows one's own full profile:"
        " learn.microsoft.com/graph/permissions-reference",
        trust=Trust.DOCUMENTED,
        dependents=(_CLIENT, "services/portal/sign_in/own_addresses.py", "shared/organisations/addresses.py"),
        otherwise="A colleague who is invited by an alias is shown as a guest; an appointment by it finds nobody.",
    ),
    Belief(
        key="microsoft.default-calendar",
        text="`/me/calendarView` shows the default calendar alone, and a subscription to `/me/events` is for it alone.",
        source="learn.microsoft.com/graph/api/user-list-calendarview",
        trust=Trust.DOCUMENTED,
        dependents=(_ROUNDS,),
        otherwise="Nothing: further calendars are looked at as well.",
        not_tried="it would take a second calendar",
    ),
    Belief(
        key="microsoft.schedule-twenty",
        text="`getSchedule` answers for twenty addresses in one call.",
        source="learn.microsoft.com/graph/outlook-get-free-busy-schedule",
        trust=Trust.DOCUMENTED,
        dependents=(_CLIENT,),
        otherwise="No room can be offered: the call for twenty is refused.",
    ),
    Belief(
        key="microsoft.schedule-unknown-address",
        text="`getSchedule` answers 200 with an error in place of the schedule of an address that it does not know.",
        source="learn.microsoft.com/graph/api/calendar-getschedule",
        trust=Trust.DOCUMENTED,
        dependents=(_PARSE,),
        otherwise="One wrong address in the list of rooms hides up to nineteen others.",
    ),
    Belief(
        key="microsoft.places-paging",
        text="The list of rooms may lack its next link; it is at its end when a page is empty.",
        source="learn.microsoft.com/answers, question 1021419",
        trust=Trust.REPORTED,
        dependents=(_CLIENT,),
        otherwise="Nothing: one page more than needed is asked for.",
        not_tried="it takes Place.Read.All, which people do not give",
    ),
    Belief(
        key="microsoft.push-latency",
        text="A change in a calendar is pushed within three minutes, mostly within one.",
        source="learn.microsoft.com/graph/change-notifications-overview, latency",
        trust=Trust.DOCUMENTED,
        dependents=("services/portal/admin/integration/testflow/__init__.py", _MAILBOX),
        otherwise="Declines are found by the reconciling look, as late as its interval.",
    ),
    Belief(
        key="microsoft.push-lost",
        text="Notifications stop at times for an hour and more without any sign.",
        source="learn.microsoft.com/answers, question 5825832",
        trust=Trust.REPORTED,
        dependents=(_MAILBOX,),
        otherwise="Nothing: the reconciling looks find no change that was not announced.",
        not_tried=_NOT_FORCED,
    ),
    Belief(
        key="microsoft.push-bundled",
        text="One push may carry items of several subscriptions and organisations; each has its own `clientState`.",
        source=_WEBHOOKS,
        trust=Trust.DOCUMENTED,
        dependents=(_GRAPH_HOOK,),
        otherwise="Nothing: a push with one item is the ordinary case.",
        not_tried=_NOT_FORCED,
    ),
    Belief(
        key="microsoft.push-acknowledged",
        text="A push counts as delivered after any 2xx within three seconds; otherwise it is sent again for up to four hours.",
        source=_WEBHOOKS,
        trust=Trust.DOCUMENTED,
        dependents=(_GRAPH_HOOK, "services/webhook_receiver/app.py"),
        otherwise="A push that could not be kept is lost; the reconciling look finds its change.",
        not_tried=_RECEIVER,
    ),
    Belief(
        key="microsoft.handshake",
        text="An address is told a token before it is subscribed, and again at times, and has to give it back as plain text.",
        source=f"{_WEBHOOKS}; for renewals microsoftgraph/msgraph-sdk-dotnet#2805",
        trust=Trust.REPORTED,
        dependents=(_GRAPH_HOOK,),
        otherwise="No subscription can be made; everything is found by looking at intervals.",
        not_tried=_RECEIVER,
    ),
    Belief(
        key="microsoft.subscription-week",
        text="A subscription to events may live for just under seven days.",
        source="learn.microsoft.com/graph/api/resources/subscription, 10,080 minutes",
        trust=Trust.DOCUMENTED,
        dependents=(_CLIENT,),
        otherwise="Subscribing is refused; everything is found by looking at intervals, and the person's page says so.",
        not_tried=_RECEIVER,
    ),
    Belief(
        key="microsoft.subscription-once",
        text="A second subscription of one application to the same events is refused with 409.",
        source=_WEBHOOKS,
        trust=Trust.DOCUMENTED,
        dependents=(_CALLS, _SUBSCRIPTIONS),
        otherwise="Pushes come twice; hints are counted together.",
        not_tried=_RECEIVER,
    ),
    Belief(
        key="microsoft.subscription-lost",
        text="A subscription may end without `subscriptionRemoved`; the next renewal then answers 404.",
        source="microsoftgraph/microsoft-graph-docs-contrib#3111",
        trust=Trust.REPORTED,
        dependents=(_MAILBOX, _CALLS),
        otherwise="Nothing: a subscription that is announced as removed is made anew.",
        not_tried=_NOT_FORCED,
    ),
    Belief(
        key="microsoft.lifecycle",
        text="News of a subscription itself comes to its own address: `missed`, `subscriptionRemoved`, `reauthorizationRequired`.",
        source="learn.microsoft.com/graph/change-notifications-lifecycle-events",
        trust=Trust.DOCUMENTED,
        dependents=(_GRAPH_HOOK, "services/sync_worker/deciding/hints.py"),
        otherwise="An unknown kind is taken as a hint to look.",
        not_tried=_NOT_FORCED,
    ),
    Belief(
        key="microsoft.cursor-expired",
        text="A delta link that is no longer known is refused with 410, or 40x and `syncStateNotFound` or `resyncRequired`.",
        source="learn.microsoft.com/graph/delta-query-overview",
        trust=Trust.DOCUMENTED,
        dependents=(_FAILURES,),
        otherwise="The mailbox fails with the code on the status screen, and is read in full after midnight UTC.",
        not_tried="a link does not expire while one waits, and a made-up one is another mistake",
    ),
    Belief(
        key="microsoft.throttled",
        text="Too many calls are refused with 429 and `Retry-After` in seconds, at times with a fraction.",
        source="learn.microsoft.com/graph/throttling",
        trust=Trust.DOCUMENTED,
        dependents=(_FAILURES, "shared/providers/failures.py"),
        otherwise="The calls pause by our own growing interval.",
        not_tried="it would throttle the tenant's other programs",
    ),
    Belief(
        key="microsoft.bare-refusal",
        text="Whom the default policy keeps from consenting comes back with `access_denied` and `cancel`, like one who declined.",
        source="learn.microsoft.com/entra/identity/enterprise-apps/configure-user-consent; the answer as users report it",
        trust=Trust.REPORTED,
        dependents=("services/portal/sign_in/refusals.py",),
        otherwise="A code that Entra sends is shown with its own advice.",
        not_tried="it takes a person who has not consented, at a page",
    ),
    Belief(
        key="microsoft.refusals-pass",
        text="Most refusals of a refresh can pass (a policy, a disabled account, a wrong client id); few codes end a grant.",
        source="learn.microsoft.com/entra/identity-platform/reference-error-codes",
        trust=Trust.DOCUMENTED,
        dependents=(_CODES, "shared/grants/broker.py"),
        otherwise="A grant is tried again for fourteen days although it is over.",
        not_tried="it would take a grant away",
    ),
    Belief(
        key="microsoft.refresh-token-replaced",
        text="Each refresh gives a new refresh token and leaves the one before valid.",
        source="learn.microsoft.com/entra/identity-platform/refresh-tokens",
        trust=Trust.DOCUMENTED,
        dependents=("shared/grants/broker.py", "shared/grants/vault.py"),
        otherwise="A refresh whose answer is lost suspends the grant; its person connects again.",
        not_tried="it would use the stored refresh token behind the workers' backs",
    ),
)
