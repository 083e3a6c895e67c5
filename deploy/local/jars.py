"""Fetch the jars of a real Kafka broker with Maven, once: `python -m deploy.local.jars`."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from deploy.local.processes import ServerError, find_tool

ROOT = Path(__file__).resolve().parents[2]
POM = Path(__file__).with_name("pom.xml")
LIBS = ROOT / ".cache" / "kafka" / "libs"
INSTALL = "apt-get install -y openjdk-17-jre-headless maven redis-server"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy-dependencies"


def resolve_jars(libs: Path = LIBS) -> Path:
    """
    The directory that holds every jar of the pom, resolved by `mvn` on first use or when the pom changed.

    Raises:
        ServerError: Maven is missing, or cannot resolve them.
    """
    libs.parent.mkdir(parents=True, exist_ok=True)
    stamp = libs / ".pom"
    wanted = hashlib.sha256(POM.read_bytes()).hexdigest()
    with (libs.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once must not fetch into each other's half
        if not stamp.exists() or stamp.read_text() != wanted:
            _fetch(libs)
            stamp.write_text(wanted)
    return libs


def _fetch(libs: Path) -> None:
    shutil.rmtree(libs, ignore_errors=True)
    command = [find_tool("mvn", INSTALL), "-q", "-B", "-f", str(POM), _COPY]
    command += ["-DincludeScope=runtime", f"-DoutputDirectory={libs}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = f"mvn could not resolve {POM}; look whether Maven Central (or its mirror) is reachable:\n{done.stdout[-2000:]}"
        raise ServerError(message)


if __name__ == "__main__":
    print(resolve_jars())
