"""The house: the named folders are there, each service stands alone, each named package does its work where it belongs."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support.paths import ROOT

SERVICES = ("webhook_receiver", "sync_worker", "room_status", "portal", "notifier")
SDKS = ("msgraph", "googleapiclient", "google_auth_httplib2", "authlib", "joserfc", "httpx", "requests")
HOMES = {
    "flask": ("services/webhook_receiver", "services/portal", "shared/runtime"),
    "kafka": ("shared/engines/distributed",),
    "redis": ("shared/engines/distributed",),
    "msgraph": ("shared/providers/microsoft",),
    "googleapiclient": ("shared/providers/google",),
    "cryptography": ("shared/crypto",),
    "structlog": ("shared/runtime",),
    "testcontainers": ("tests",),
}


@cache
def imported(path: Path) -> set[str]:
    """Top-level packages that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.proves("D13")
def test_named_folders_and_files_are_there() -> None:
    for folder in (*(f"services/{name}" for name in SERVICES[:3]), "shared", "deploy", "tests"):
        assert (ROOT / folder).is_dir(), folder
    for file in ("pyproject.toml", "README.md", "Makefile", "LICENSE", ".ci/run"):
        assert (ROOT / file).is_file(), file


@pytest.mark.proves("D13")
@pytest.mark.parametrize("service", SERVICES)
def test_each_service_starts_without_the_others_and_has_tests_of_its_own(service: str) -> None:
    """And without what it needs only once it asks a provider: that is loaded then, so that a process is ready within a second."""
    blocked = [*(f"services.{name}" for name in SERVICES if name != service), *SDKS]
    code = f"import sys; sys.modules.update(dict.fromkeys({blocked!r})); import services.{service}.main"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list((ROOT / "tests" / "unit" / "services" / service).rglob("test_*.py"))


def test_command_line_starts_without_what_a_service_alone_needs() -> None:
    """Whoever asks for help, and every process of a deployment, imports this first."""
    code = f"import sys, cli.main; print(sorted({{'flask', 'werkzeug', 'prometheus_client', *{SDKS!r}}} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_command_for_organisations_starts_without_the_services() -> None:
    """Scripts call it once for each change; of its commands only those that end something do what a page does."""
    code = "import sys, cli.tenants; print([name for name in sys.modules if name.startswith(('flask', 'services'))])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_receiver_with_hook_keys_of_its_own_loads_nothing_that_opens_records() -> None:
    """It is what the internet reaches; and what opens records takes 6 MB of memory."""
    modules = "cli.main, services.webhook_receiver.main, shared.engines.distributed"
    code = f"import sys, {modules}; print([name for name in sys.modules if name.startswith(('cryptography', 'redis'))])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_processes_that_tests_start_have_the_packages_of_the_images() -> None:
    code = "import sys, structlog; print([name for name in sys.modules if name.startswith('rich.')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.proves("D12")
@pytest.mark.parametrize("package", sorted(HOMES))
def test_each_named_package_does_real_work_where_it_belongs(package: str) -> None:
    users = [
        path.relative_to(ROOT).as_posix()
        for folder in ("services", "shared", "tests")
        for path in (ROOT / folder).rglob("*.py")
        if package in imported(path)
    ]
    for home in HOMES[package]:
        assert any(user.startswith(home) for user in users), f"{package} is not used in {home}"
    product = [user for user in users if not user.startswith("tests")]
    assert all(user.startswith(HOMES[package]) for user in product), product


@pytest.mark.parametrize("kind", ["unit", "contract", "property", "integration"])
def test_tests_stand_in_folders_named_after_the_source(kind: str) -> None:
    """Outside it stand what tests the whole tree, and the golden records, whose place is part of how they are written."""
    home = ROOT / "tests" / kind
    folders = {path.parent.relative_to(home) for path in home.rglob("test_*.py")} - {Path(), Path("golden")}
    assert [folder for folder in sorted(folders) if not (ROOT / folder).is_dir()] == []
