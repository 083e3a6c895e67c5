"""
The programs of other makers that a guide runs, as far as it uses them: each answers from the simulator.

A guide starts some twenty of them. They use the standard library alone, and are started without looking for anything else.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.paths import ROOT

ADMINISTRATOR = "ada@corp.example"
_ANSWER_S = 20.0
PERMISSIONS = "00000003-0000-0000-c000-000000000000"


def main(arguments: list[str]) -> int:
    """Run the program of this name."""
    name, *rest = arguments
    return _PROGRAMS[name](rest)


def az(arguments: list[str]) -> int:
    """Azure CLI. Its commands and options are those of version 2.91 that the guide uses; others are refused."""
    if arguments[:1] == ["rest"]:
        return _az_rest(arguments[1:])
    words = [word for word in arguments if not word.startswith("-")]
    for length in (4, 3, 2, 1):
        found = _AZ.get(" ".join(arguments[:length]))
        if found:
            options, answer = found
            parser = argparse.ArgumentParser(prog=f"az {' '.join(words[:length])}", allow_abbrev=False)
            for option in options:
                if option in _AZ_SWITCHES:
                    parser.add_argument(option, action="store_true")
                else:
                    parser.add_argument(option, required=option.endswith("id"))
            parser.add_argument("--query")
            parser.add_argument("--output", default="json")
            chosen = parser.parse_args(arguments[length:])
            if not getattr(chosen, "id", "some"):
                return _refuse(
                    "Resource '' does not exist or one of its queried reference-property objects are not present."
                )
            return _print(answer(chosen), chosen)
    return _refuse(f"az: '{' '.join(arguments)}' is not in an az command")


def _login(chosen: argparse.Namespace) -> Any:
    return [{"tenantId": _tenant()["id"], "user": {"name": ADMINISTRATOR}}]


def _create(chosen: argparse.Namespace) -> Any:
    sent = {"provider": "microsoft", "tenant": _tenant()["id"], "onlyHome": chosen.sign_in_audience == "AzureADMyOrg"}
    sent["permissions"] = _permissions(chosen.required_resource_accesses)
    made = _sim("POST", "applications", sent)
    return {"appId": made["clientId"], "id": made["clientId"]}


def _permissions(argument: str) -> list[str]:
    listed = json.loads(Path(argument.removeprefix("@")).read_text())
    assert [each["resourceAppId"] for each in listed] == [PERMISSIONS]
    return [each["id"] for each in listed[0]["resourceAccess"] if each["type"] == "Scope"]


def _update(chosen: argparse.Namespace) -> Any:
    sent: dict[str, Any] = {}
    if chosen.web_redirect_uris:
        sent["redirectUris"] = chosen.web_redirect_uris.split()
    if chosen.required_resource_accesses:
        sent["permissions"] = _permissions(chosen.required_resource_accesses)
    return _sim("PATCH", f"applications/{chosen.id}", sent) and None


def _show(chosen: argparse.Namespace) -> Any:
    known = next(one for one in _sim("GET", "applications")["applications"] if one["clientId"] == chosen.id)
    return {"web": {"redirectUris": known["redirectUris"]}}


def _reset(chosen: argparse.Namespace) -> Any:
    return {"appId": chosen.id, "password": _sim("POST", f"applications/{chosen.id}/secrets", {})["secret"]}


def _principal(chosen: argparse.Namespace) -> Any:
    _sim("PATCH", f"applications/{chosen.id}", {})
    return {"id": chosen.id}


def _change_principal(chosen: argparse.Namespace) -> Any:
    name, _, value = chosen.set.partition("=")
    assert name == "appRoleAssignmentRequired", name
    return _sim("PATCH", f"applications/{chosen.id}", {"assignmentRequired": value == "true"}) and None


def _user(chosen: argparse.Namespace) -> Any:
    return {"id": _person(chosen.id)["id"]}


def _me(chosen: argparse.Namespace) -> Any:
    return {"id": _person(ADMINISTRATOR)["id"]}


def _delete(chosen: argparse.Namespace) -> Any:
    return _sim("DELETE", f"applications/{chosen.id}", {}) and None


_AZ_SWITCHES = ("--allow-no-subscriptions", "--append")
_AZ: dict[str, tuple[tuple[str, ...], Callable[[argparse.Namespace], Any]]] = {
    "login": (("--tenant", "--allow-no-subscriptions"), _login),
    "ad app create": (("--display-name", "--sign-in-audience", "--required-resource-accesses"), _create),
    "ad app update": (("--id", "--web-redirect-uris", "--required-resource-accesses"), _update),
    "ad app credential reset": (("--id", "--display-name", "--years", "--append"), _reset),
    "ad app show": (("--id",), _show),
    "ad app delete": (("--id",), _delete),
    "ad sp create": (("--id",), _principal),
    "ad sp update": (("--id", "--set"), _change_principal),
    "ad user show": (("--id",), _user),
    "ad signed-in-user show": ((), _me),
    "account show": ((), lambda _: {"tenantId": _tenant()["id"]}),
}


def _az_rest(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="az rest", allow_abbrev=False)
    parser.add_argument("--method", required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--body", default="{}")
    parser.add_argument("--query")
    parser.add_argument("--output", default="json")
    chosen = parser.parse_args(arguments)
    path = chosen.url.removeprefix("https://graph.microsoft.com/v1.0/").split("/")
    if chosen.method == "post" and path[0] == "servicePrincipals" and path[2] == "appRoleAssignedTo":
        sent = json.loads(chosen.body)
        assert (sent["resourceId"], sent["appRoleId"]) == (path[1], "00000000-0000-0000-0000-000000000000"), sent
        known = next(one for one in _sim("GET", "applications")["applications"] if one["clientId"] == path[1])
        _sim("PATCH", f"applications/{path[1]}", {"assigned": [*known["assigned"], sent["principalId"]]})
        return _print(None, chosen)
    return _refuse(f"az rest: nothing is known of {chosen.method} {chosen.url}")


def gcloud(arguments: list[str]) -> int:
    """Google Cloud CLI: projects and their APIs."""
    project = Path("../gcloud-project.json")
    match arguments:
        case ["auth", "login"] | ["projects", "create", *_] | ["config", "set", "project", *_]:
            return 0
        case ["services", "enable", *apis]:
            project.write_text(json.dumps(apis))
            return 0
        case ["projects", "delete", *_]:
            for each in _sim("GET", "applications")["applications"]:
                if each["provider"] == "google" and each["clientId"] != "roomsync":
                    _sim("DELETE", f"applications/{each['clientId']}", {})
            return 0
    return _refuse(f"gcloud: Invalid choice: {' '.join(arguments)}")


def git(arguments: list[str]) -> int:
    """Git, which clones what the guides need of the project."""
    if arguments[0] != "clone":
        return _refuse("git: only clone is played")
    shutil.copytree(ROOT / "deploy" / "entra", Path(arguments[-1]) / "deploy" / "entra")
    return 0


def make(arguments: list[str]) -> int:
    """`make setup`: the command where it puts it."""
    if arguments != ["setup"]:
        return _refuse("make: only setup is played")
    command = Path(".venv/bin/roomsync")
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m cli.main "$@"\n')
    command.chmod(0o755)
    return 0


def cloudflared(arguments: list[str]) -> int:
    """A tunnel to a port of this machine, which here is the port itself."""
    if arguments[:2] != ["tunnel", "--url"] or len(arguments) != len(["tunnel", "--url", "address"]):
        return _refuse(f"cloudflared: {' '.join(arguments)}")
    print(f"Your quick Tunnel has been created! Visit it at:\n{arguments[2]}", flush=True)
    while True:
        time.sleep(60)


def _print(answer: Any, chosen: argparse.Namespace) -> int:
    if answer is None:
        return 0
    for name in filter(None, (chosen.query or "").split(".")):
        answer = answer[name]
    lines = answer if isinstance(answer, list) else [answer]
    print("\n".join(map(str, lines)) if chosen.output == "tsv" else json.dumps(answer, indent=2))
    return 0


def _sim(method: str, path: str, sent: dict[str, Any] | None = None) -> dict[str, Any]:
    connection = http.client.HTTPConnection(urlsplit(os.environ["GUIDE_SIMULATOR"]).netloc, timeout=_ANSWER_S)
    body = None if sent is None else json.dumps(sent)
    connection.request(method, f"/sim/v1/{path}", body, {"Content-Type": "application/json"} if body else {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    if answer.status >= HTTPStatus.BAD_REQUEST:
        sys.exit(_refuse(f"ERROR: {text}"))
    found: dict[str, Any] = json.loads(text)
    return found


def _tenant() -> dict[str, Any]:
    return next(iter(_sim("GET", "tenants")["tenants"]))


def _person(key: str) -> dict[str, Any]:
    users = _sim("GET", "users")["users"]
    return next(user for user in users if key in {user["address"], user["id"]})


def _refuse(text: str) -> int:
    print(text, file=sys.stderr)
    return 2


_PROGRAMS: dict[str, Callable[[list[str]], int]] = {
    "az": az, "gcloud": gcloud, "git": git, "make": make, "cloudflared": cloudflared,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
