"""Has Jinja translate: `{% trans %}`, the sentences that are shown, and those that are joined."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from jinja2 import Environment
from jinja2.filters import do_join

from shared.language.deciding.sentences import Catalogue, Sentence, translate


def template_options(catalogue: Callable[[], Catalogue]) -> dict[str, Any]:
    """
    How an environment is made whose templates are translated; `use_catalogue` does the rest.

    Args:
        catalogue: Returns the translations for whoever reads what is rendered now.
    """

    def shown(value: Any) -> Any:
        return translate(value, catalogue()) if isinstance(value, Sentence) else value

    return {"extensions": ["jinja2.ext.i18n"], "finalize": shown}


def use_catalogue(environment: Environment, catalogue: Callable[[], Catalogue]) -> None:
    """Have the templates of `environment` translate with what `catalogue` returns at that moment."""
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # added by the extension
        lambda message: catalogue().gettext(message),
        lambda one, many, count: catalogue().ngettext(one, many, count),
        newstyle=True,
    )

    def join(eval_ctx: Any, parts: Iterable[Any], between: str = "", attribute: Any = None) -> str:
        joined: str = do_join(eval_ctx, [translate(part, catalogue()) for part in parts], between, attribute)
        return joined

    join.jinja_pass_arg = do_join.jinja_pass_arg  # type: ignore[attr-defined]  # as the filter that it stands for
    environment.filters["join"] = join
    environment.filters["translated"] = lambda value: translate(value, catalogue())
