"""Links and redirects in a provider's answers that lead elsewhere in every disguise: no connection is opened there."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable

from shared.domain.identity import Provider
from shared.domain.sighting import Subscription
from shared.errors import RoomsyncError
from shared.grants.oauth import Granted, TokenRequest
from shared.grants.token_endpoint import TokenEndpoint
from shared.providers.google.client import GoogleCalendar
from shared.providers.microsoft.client import GraphCalendar
from tests.integration.shared.providers.test_answers import ANA, WINDOW, Reply, Script, google, graph, script
from tests.support.abuse import sized
from tests.support.links import connections_watched, links

__all__ = ["google", "graph", "script"]
"""A provider that plays answers, and both clients of it: fixtures."""
SEED = 20261128
Ask = Callable[[str], object]


def header_of(link: str) -> str:
    """As much of a link as a header can carry."""
    return "".join(sign for sign in link if sign.isprintable()).encode("ascii", "ignore").decode()


def test_no_link_of_a_providers_answer_leads_to_a_foreign_socket(
    script: Script, graph: GraphCalendar, google: GoogleCalendar
) -> None:
    endpoint = TokenEndpoint(2.0)

    def answering(name: str) -> Ask:
        def ask(link: str) -> object:
            script.says(Reply(body={"value": [], "items": [], name: link}))
            return google.look(ANA, "", WINDOW) if name.startswith("next") else graph.look(ANA, "", WINDOW)

        return ask

    def redirecting(status: int, ask: Callable[[], object]) -> Ask:
        def follow(link: str) -> object:
            script.says(Reply(status, {"access_token": "a"}, {"Location": header_of(link)}))
            return ask()

        return follow

    token = TokenRequest(f"{script.url}/token", {"refresh_token": "r"}, Provider.GOOGLE)
    ways: list[Ask] = [
        answering("@odata.nextLink"),
        answering("@odata.deltaLink"),
        lambda link: graph.look(ANA, link, WINDOW),
        answering("nextPageToken"),
        answering("nextSyncToken"),
        lambda link: google.look(ANA, link, WINDOW),
        *(
            redirecting(status, lambda: graph.unsubscribe(ANA, Subscription("s", "", 0)))
            for status in (301, 302, 307, 308)
        ),
        *(redirecting(status, lambda: google.look(ANA, "", WINDOW)) for status in (301, 302, 303, 307, 308)),
        *(redirecting(status, lambda: endpoint.ask(token)) for status in (302, 307, 308)),
    ]
    script.says(Reply(body={"value": [], "items": [], "nextSyncToken": "t", "@odata.deltaLink": "{base}/v1.0/me?x=1"}))
    with contextlib.suppress(RoomsyncError):
        graph.look(ANA, "", WINDOW)
    made = links(f"{script.url}/v1.0")
    chosen = random.Random(SEED).sample(made, sized(90, 842))
    slowest_s, tried, refused = 0.0, 0, 0
    with connections_watched(script.url) as foreign:
        for number, link in enumerate(chosen):
            for ask in ways[number % 3 :: sized(3, 1)]:
                began = time.perf_counter()
                try:
                    outcome = ask(link)
                except RoomsyncError:
                    refused += 1
                else:
                    assert not isinstance(outcome, Granted), "a redirect is no grant"
                slowest_s, tried = max(slowest_s, time.perf_counter() - began), tried + 1
                assert foreign == [], (link, ask)
    endpoint.close()
    print(f"\n{len(chosen)} links in {tried} answers, {refused} refused, slowest {slowest_s * 1000:.0f} ms")
    assert refused > tried / 4
    assert {asked.headers.get("host") for asked in script.asked} == {script.url.removeprefix("http://")}


def test_the_watch_sees_a_foreign_connection(script: Script) -> None:
    script.says(Reply(body={}))
    endpoint = TokenEndpoint(2.0)
    with connections_watched(script.url) as foreign:
        endpoint.ask(TokenRequest(f"{script.url}/token", {}, Provider.GOOGLE))
        assert foreign == []
        endpoint.ask(TokenRequest("http://127.0.0.2:9/token", {}, Provider.GOOGLE))
        endpoint.ask(TokenRequest("http://evil.test/token", {}, Provider.GOOGLE))
    endpoint.close()
    assert len(foreign) == 2
