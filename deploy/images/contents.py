"""
Lists what Python installs in each image, as CycloneDX 1.6 in JSON: `python -m deploy.images.contents DIRECTORY`.

What is listed comes from the image's lock, which the image is built from, so that name, version and hashes are those that are
installed. The base image's own packages are not in it: only whoever builds the image knows them
(https://cyclonedx.org/docs/1.6/json/).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from deploy.images.locks import HERE, read_lock

LOCK_OF = {
    "webhook-receiver": "receiver.lock",
    "sync-worker": "services.lock",
    "room-status": "services.lock",
    "portal": "services.lock",
    "notifier": "services.lock",
    "operator": "services.lock",
}
"""Image (its target in the Dockerfile) → what is installed in it."""
_VERSION = re.compile(r"==([^\s;]{1,50})")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def list_contents(image: str) -> str:
    """Write one image's list, as JSON. Raises KeyError for an image that does not exist."""
    return JsonV1Dot6(_contents_of(image)).output_as_string(indent=2) + "\n"


def main() -> int:
    """Write `DIRECTORY/IMAGE.cdx.json` for every image."""
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else "build/contents")
    directory.mkdir(parents=True, exist_ok=True)
    for image in LOCK_OF:
        path = directory / f"{image}.cdx.json"
        path.write_text(list_contents(image))
        print(path)
    return 0


def _contents_of(image: str) -> Bom:
    ours = Component(name=f"roomsync/{image}", type=ComponentType.CONTAINER, bom_ref=image)
    installed = list(_components((HERE / LOCK_OF[image]).read_text()))
    contents = Bom(components=installed)
    contents.metadata.component = ours
    contents.register_dependency(ours, installed)
    return contents


def _components(lock: str) -> Iterator[Component]:
    for name, entry in read_lock(lock).items():
        version = _VERSION.findall(entry)[0]
        purl = PackageURL("pypi", name=name, version=version)
        # Each file of the version has its own hash; pip installs whichever fits the machine.
        files = [HashType(alg=HashAlgorithm.SHA_256, content=found) for found in _HASH.findall(entry)]
        yield Component(name=name, version=version, purl=purl, bom_ref=str(purl), hashes=files)


if __name__ == "__main__":
    sys.exit(main())
