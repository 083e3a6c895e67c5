"""What can be said of the images without building them: their locks, their stages, their health checks."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cli.run import SERVICES
from deploy.images import alive
from deploy.images.contents import LOCK_OF, list_contents
from deploy.images.locks import HERE, locks

DOCKERFILE = (HERE / "Dockerfile").read_text()
SDKS = ("msgraph", "googleapiclient", "google-api-python-client", "authlib", "azure", "kiota", "httpx")


def stages() -> dict[str, str]:
    """Target → its instructions."""
    parts = re.split(r"^FROM (\S+) AS (\S+)\n", DOCKERFILE, flags=re.MULTILINE)[1:]
    return {name: f"FROM {origin}\n{body}" for origin, name, body in zip(*[iter(parts)] * 3, strict=True)}


def ancestry(name: str) -> str:
    """A stage's instructions with those of the stages it is made from."""
    body = stages()[name]
    origin = body.split("\n", 1)[0].removeprefix("FROM ")
    return (ancestry(origin) if origin in stages() else "") + body


@pytest.mark.parametrize("name", sorted(locks()))
def test_an_images_lock_is_cut_out_of_what_was_tested(name: str) -> None:
    assert (HERE / name).read_text() == locks()[name], "run `python -m deploy.images.locks`"
    entries = re.findall(
        r"^[A-Za-z0-9._-]+(?:\[.*\])?==[^\n]+ \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+",
        locks()[name],
        re.MULTILINE,
    )
    assert len(entries) == len(re.findall(r"^\S+==", locks()[name], re.MULTILINE)) > 0


def test_the_receivers_lock_has_no_provider_sdk() -> None:
    assert not [sdk for sdk in SDKS if sdk in locks()["receiver.lock"]]
    assert "msgraph-sdk==" in locks()["services.lock"]
    assert "pytest" not in locks()["services.lock"]


def test_an_images_contents_name_every_package_of_its_lock_with_its_hashes() -> None:
    assert set(LOCK_OF) == {name for name in stages() if name not in {"build", "base", "services"}}
    for image, lock in LOCK_OF.items():
        listed = json.loads(list_contents(image))
        assert (listed["bomFormat"], listed["specVersion"]) == ("CycloneDX", "1.6")
        found = {
            one["purl"].removeprefix("pkg:pypi/"): sorted(each["content"] for each in one["hashes"])
            for one in listed["components"]
        }
        pins = re.split(r"^(?=\S+==)", locks()[lock], flags=re.MULTILINE)[1:]
        assert found == {
            re.sub(r"\[.*\]", "", pin.split()[0].split(";")[0]).replace("==", "@"): sorted(
                re.findall(r"sha256:([0-9a-f]{64})", pin)
            )
            for pin in pins
        }


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_has_a_target_that_runs_it_and_watches_its_port(service: str) -> None:
    text = ancestry(service)

    assert f'CMD ["run", "{service}"]' in text
    exposed = re.search(r"^EXPOSE (\d+)$", text, re.MULTILINE)
    assert exposed
    assert f'"/opt/roomsync/alive.py", "{exposed[1]}"]' in text
    assert re.search(rf"ROOMSYNC_(RECEIVER|PORTAL|HEALTH)_PORT={exposed[1]}", text)
    assert "ROOMSYNC_LISTEN_HOST=0.0.0.0" in text
    assert re.search(r"^USER 10001", text, re.MULTILINE)


@pytest.mark.parametrize("service", [*SERVICES, "operator"])
def test_an_image_says_what_it_is_and_of_which_revision(service: str) -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', ancestry(service)))

    assert labels == {"title": "roomsync", "licenses": "MIT", "version": "${VERSION}", "revision": "${REVISION}"}
    assert {"ARG VERSION=unknown", "ARG REVISION=unknown"} <= set(ancestry(service).splitlines())


def test_only_the_receiver_goes_without_sdks() -> None:
    assert "/venv/services" not in ancestry("webhook-receiver")
    assert all("/venv/services" in ancestry(name) for name in ("sync-worker", "room-status", "portal", "operator"))


def test_everything_is_installed_by_hash_and_compiled() -> None:
    installs = re.findall(r"pip install (\S+)", DOCKERFILE)

    assert installs
    assert set(installs) == {"--require-hashes", "--no-deps"}
    assert "--invalidation-mode unchecked-hash" in stages()["build"]


def test_what_is_copied_is_let_into_the_build() -> None:
    let_in = (HERE / "Dockerfile.dockerignore").read_text().split("\n")

    assert "*" in let_in
    for needed in ("!pyproject.toml", "!README.md", "!shared/", "!services/", "!cli/", "!deploy/images/"):
        assert needed in let_in
    for path in re.findall(r"^COPY (?!--from|\. )(.+) \S+$", DOCKERFILE, re.MULTILINE):
        assert all((HERE.parents[1] / one).exists() for one in path.split())


@pytest.fixture
def answering(request: pytest.FixtureRequest) -> Iterator[int]:
    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(request.param if self.path == "/livez" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quietly."""

    with HTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("answering", "code"), [(200, 0), (503, 1)], indirect=["answering"])
def test_the_health_check_asks_livez(answering: int, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["alive.py", str(answering)])

    assert alive.main() == code


def test_the_health_check_fails_when_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["alive.py", "1"])

    assert alive.main() == 1


def test_the_health_check_needs_nothing_that_is_not_in_python() -> None:
    assert "shared" not in Path(alive.__file__).read_text()
