"""The pages a person sees while signing in: account picker, consent and refusal; no script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from simulator.identity.model import Provider, SimulatedAccount

_TITLES = {"microsoft": "Microsoft (simulated)", "google": "Google (simulated)"}
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;background:#f3f4f6;color:#1b1f24;margin:0;padding:4vh 1rem}"
    "main{max-width:26rem;margin:auto;background:#fff;padding:2rem;border-radius:.5rem;box-shadow:0 1px 4px #0003}"
    "h1{font-size:1.3rem;margin:.2rem 0 1rem}button{font:inherit;padding:.6rem 1rem;margin:.2rem 0;cursor:pointer;"
    "border:1px solid #6b7280;border-radius:.3rem;background:#fff;color:inherit;text-align:left}"
    ".account{display:block;width:100%}.go{background:#1d4ed8;border-color:#1d4ed8;color:#fff}"
    "small{color:#4b5563}ul,fieldset{padding-left:1.2rem}"
)


def picker(
    provider: Provider, params: Mapping[str, str], accounts: Iterable[SimulatedAccount], notice: str = ""
) -> str:
    """Choose an account; choosing repeats the request with `login_hint`."""
    buttons = "".join(
        f'<button class="account" name="login_hint" value="{escape(one.address)}">{escape(one.name)}<br>'
        f"<small>{escape(one.address)}</small></button>"
        for one in accounts
    )
    others = {name: value for name, value in params.items() if name != "login_hint"}
    said = f'<p role="alert">{escape(notice)}</p>' if notice else ""
    body = buttons or "<p>Nobody can sign in here yet: make a user with <code>POST /sim/v1/users</code>.</p>"
    return _page(provider, "Choose an account", f'{said}<form method="get">{_hidden(others)}{body}</form>')


def consent(
    provider: Provider,
    params: Mapping[str, str],
    account: SimulatedAccount,
    scopes: Iterable[str],
    *,
    for_tenant: bool = False,
) -> str:
    """Approve or deny; at Google each scope beyond signing in can be left out."""
    whom = "everybody in your organisation" if for_tenant else escape(account.address)
    listed = "".join(_scope(provider, scope) for scope in sorted(scopes))
    form = (
        f"<p>roomsync asks on behalf of {whom}:</p>"
        f'<form method="post">{_hidden({**params, "login_hint": account.address})}'
        f"<ul>{listed}</ul>"
        '<button class="go" name="decision" value="approve">Approve</button> '
        '<button name="decision" value="deny">Deny</button></form>'
    )
    return _page(provider, "Permissions requested", form)


def approval(provider: Provider, params: Mapping[str, str], account: SimulatedAccount) -> str:
    """
    What Entra shows whoever may not consent: no code, and a way back that says no more than declining does.

    https://learn.microsoft.com/entra/identity/enterprise-apps/configure-user-consent
    """
    body = (
        f"<p>{escape(account.address)}</p><p>roomsync needs permission to access resources in your organization that only an "
        "admin can grant. Please ask an admin to grant permission to this app before you can use it.</p>"
        f'<form method="post">{_hidden({**params, "login_hint": account.address})}'
        '<button name="decision" value="deny">Return to the application without granting consent</button></form>'
    )
    return _page(provider, "Need admin approval", body)


def refusal(provider: Provider, error: str, text: str) -> str:
    """What the person sees when the client cannot be told."""
    return _page(provider, "Sign-in is not possible", f"<p><strong>{escape(error)}</strong></p><p>{escape(text)}</p>")


def _scope(provider: Provider, scope: str) -> str:
    name = escape(scope)
    if provider == "google" and "/auth/" in scope and "userinfo" not in scope:
        return f'<li><label><input type="checkbox" name="granted" value="{name}" checked> {name}</label></li>'
    return f"<li>{name}</li>"


def _hidden(params: Mapping[str, str]) -> str:
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in params.items()
    )


def _page(provider: Provider, heading: str, body: str) -> str:
    title = _TITLES[provider]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{heading} - {title}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main><small>{title}</small><h1>{heading}</h1>{body}</main></body></html>"
    )
