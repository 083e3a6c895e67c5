"""Where somebody is led after signing in: to a page of ours, whatever the link said that brought them."""

from __future__ import annotations

import random
import re

import pytest

from services.portal.frame import limits
from tests.integration.services.portal.office import Office
from tests.support.abuse import sized
from tests.support.links import links

SEED = 20261128
OURS = re.compile(r"/(?![/\\])[\x21-\x7e]{0,600}")
"""What every browser takes for a path of the same site: it strips tabs and line feeds, and reads a backslash as a slash."""
PATHS = [
    "//evil.test",
    "/\\evil.test",
    "/\t/evil.test",
    "/\n/evil.test",
    "/%09/evil.test",
    "/.//evil.test",
    "/..//evil.test",
]


@pytest.mark.proves("E11")
def test_no_link_leads_from_signing_in_to_another_site(office: Office, domain: str) -> None:
    office.signed_in(f"ada@{domain}")
    made = [*links("http://localhost/day"), *(f"/day?to={link}" for link in links("http://localhost/day"))]
    chosen = PATHS + random.Random(SEED).sample(made, sized(40, 842))
    kept = 0
    for number, link in enumerate(chosen):
        if number % 50 == 0:
            office.app.extensions[limits.EXTENSION].reset()
        browser = office.browser()
        asked = {"provider": "microsoft", "login_hint": f"ada@{domain}", "next": link}
        start = browser.client.get("/auth/login", query_string=asked)
        answer = browser.come_back(office.simulator.follow(start.headers["Location"]))
        assert answer.status_code == 303, link
        location = answer.headers["Location"]
        assert OURS.fullmatch(location), (link, location)
        assert not location.startswith("/auth/"), link
        kept += location not in ("/", "/welcome")
    print(f"\n{len(chosen)} links, {kept} kept as ways back to pages of ours")
    assert 0 < kept < len(chosen)
