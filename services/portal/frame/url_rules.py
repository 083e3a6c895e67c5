"""Rules of addresses that are quick to make: most of what making the portal cost was preparing to write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule


class LateRule(Rule):
    """
    Compiles the function that writes its address when an address is first asked of it; werkzeug does so when the rule is made.

    Of the portal's rules most are asked for none: programs and pages name them, `url_for` does not.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compile_now = super()._compile_builder
        compiled: Callable[..., tuple[str, str]] | None = None

        def write_address(rule: Rule, /, **values: Any) -> tuple[str, str]:
            nonlocal compiled
            compiled = compiled or compile_now(append_unknown)
            return compiled(rule, **values)

        return write_address
