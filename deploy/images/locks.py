"""
Cuts each image's lock out of requirements.lock: `python -m deploy.images.locks` (with `--check`: only say what is stale).

No resolver and no network: the closure of pyproject's dependencies is walked over what is installed, which is what
requirements.lock says. So every image runs exactly the versions that were tested.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SERVICE_EXTRAS = ("graph", "google", "portal", "push")
_HEAD = "# Cut out of requirements.lock by `python -m deploy.images.locks`: do not edit.\n"


def locks() -> dict[str, str]:
    """File name below deploy/images → its text, as it should be."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    base = [Requirement(text) for text in project["dependencies"]]
    extras = [Requirement(text) for name in SERVICE_EXTRAS for text in project["optional-dependencies"][name]]
    return {
        "receiver.lock": _cut(closure(base)),
        "services.lock": _cut(closure([*base, *extras])),
        "build.lock": _cut(closure([Requirement("setuptools")])),
    }


def closure(wanted: Iterable[Requirement]) -> set[NormalizedName]:
    """
    Names of everything that `wanted` needs on this platform, itself included.

    Raises:
        PackageNotFoundError: the environment is not what requirements.lock says; run `make setup`.
    """
    seen: set[tuple[NormalizedName, str]] = set()
    waiting = [(canonicalize_name(one.name), extra) for one in wanted for extra in ("", *one.extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for text in metadata.requires(name) or ():
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(need.name), more) for more in ("", *need.extras)]
    return {name for name, _ in seen}


def read_lock(text: str) -> dict[NormalizedName, str]:
    """Split a lock in pip's form: each pinned name with its whole entry, `name==version` and its hashes."""
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    return {canonicalize_name(entry.split("==")[0].split("[")[0].strip()): entry for entry in entries if "==" in entry}


def main() -> int:
    """Write the locks; with `--check`, name the stale ones and return 1."""
    stale = [name for name, text in locks().items() if not (HERE / name).exists() or (HERE / name).read_text() != text]
    if "--check" in sys.argv:
        print("\n".join(f"stale: deploy/images/{name}; run `python -m deploy.images.locks`" for name in stale))
        return int(bool(stale))
    for name, text in locks().items():
        (HERE / name).write_text(text)
    return 0


def _cut(names: set[NormalizedName]) -> str:
    pinned = read_lock((ROOT / "requirements.lock").read_text())
    missing = names - pinned.keys()
    if missing:
        message = f"not in requirements.lock: {', '.join(sorted(missing))}; lock again, then `make setup`"
        raise SystemExit(message)
    return _HEAD + "".join(
        re.sub(r"^ {0,80}#.{0,4000}\n", "", pinned[name], flags=re.MULTILINE).rstrip() + "\n" for name in sorted(names)
    )


if __name__ == "__main__":
    sys.exit(main())
