"""
Signing in at both simulated providers: OpenID Connect, consents, tokens, and everything that can be refused.

An organisation at Microsoft begins with the managed default policy: nobody but an administrator consents to calendars. Whoever
tries sees *Need admin approval*, and comes back with `access_denied` and `cancel`, as somebody does who declined. The simulated
Entra administrator consents for everybody at `/microsoft/login/<tenant>/v2.0/adminconsent`, where any account of the tenant may
play them, or beforehand by `POST /sim/v1/tenants/<id>/consent`. A grant that one person has beforehand
(`POST /sim/v1/users/<id>/consents`) stands, as existing grants do. The switch `usersMayConsent` of the fault `oauth` lets people
consent for themselves; `adminApprovalRequired` is a stricter policy, which answers with AADSTS90094.
"""

from simulator.identity.blueprint import blueprint, register
from simulator.identity.model import TokenPrincipal
from simulator.identity.provider import CLIENT_SECRET, IdentityProvider

__all__ = ["CLIENT_SECRET", "IdentityProvider", "TokenPrincipal", "blueprint", "register"]
