"""
Signing in at both simulated providers: OpenID Connect, consents, tokens, and everything that can be refused.

An organisation at Microsoft begins with the managed default policy: nobody but an administrator consents to calendars. Whoever
tries sees *Need admin approval*, and comes back with `access_denied` and `cancel`, as somebody does who declined. The simulated
Entra administrator consents for everybody at `/microsoft/login/<tenant>/v2.0/adminconsent`, where any account of the tenant may
play them, or beforehand by `POST /sim/v1/tenants/<id>/consent`. A grant that one person has beforehand
(`POST /sim/v1/users/<id>/consents`) stands, as existing grants do. The switch `usersMayConsent` of the fault `oauth` lets people
consent for themselves; `adminApprovalRequired` is a stricter policy, which answers with AADSTS90094.

The application `roomsync` is there from the beginning, at both providers: it may be led back to any loopback address, and everybody
may use it. Others are registered with `POST /sim/v1/applications` (`provider`, `tenant`, `redirectUris`, `onlyHome`,
`assignmentRequired` with `assigned`, at Google `apis` and `trusted`), changed with PATCH and removed with DELETE on
`/sim/v1/applications/<client id>`, and given a secret with POST on its `/secrets`.
"""

from simulator.identity.blueprint import blueprint, register
from simulator.identity.model import TokenPrincipal
from simulator.identity.provider import IdentityProvider

__all__ = ["IdentityProvider", "TokenPrincipal", "blueprint", "register"]
