"""A browser is named by words of ours, whatever it sends."""

from __future__ import annotations

import pytest

from services.portal.notifications.deciding.browser_agent import BrowserAgent, read_agent

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5"


@pytest.mark.proves("B29")
@pytest.mark.parametrize(
    ("header", "name", "system"),
    [
        (f"{WINDOWS} {KIT} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge", "Windows"),
        (f"{WINDOWS} {KIT} Chrome/140.0.0.0 Safari/537.36 OPR/120.0.0.0", "Opera", "Windows"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {KIT} Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome", "Android"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {KIT} SamsungBrowser/28.0 Chrome/130.0 Safari/537.36", "Samsung Internet", "Android"),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {KIT} Chrome/140.0.0.0 Safari/537.36", "Chrome", "ChromeOS"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox", "Linux"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {APPLE} Safari/605.1.15", "Safari", "macOS"),
        (f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {APPLE} Mobile/15E148 Safari/604.1", "Safari", "iPhone"),
        ("", "", ""),
        ("<script>alert(1)</script>", "", ""),
        ("x" * 100_000 + "Firefox/1", "", ""),
    ],
)  # fmt: skip
def test_a_browser_is_recognised_or_has_no_name(header: str, name: str, system: str) -> None:
    assert read_agent(header) == BrowserAgent(name, system)
