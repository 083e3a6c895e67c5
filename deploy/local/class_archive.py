"""
The archive of the classes that a broker loads: with it the JVM neither reads nor verifies them again at each start.

It belongs to one Java and one set of jars (application class data sharing, https://openjdk.org/jeps/350). A JVM that is given an
archive of another Java or other jars loads its classes as if there were none.
"""

from __future__ import annotations

import hashlib
from pathlib import Path


def archive_file(java: str, libs: Path) -> Path | None:
    """
    Where the archive of this Java and these jars stands, whether it has been made or not.

    Args:
        java: The program.
        libs: The directory of the jars.

    Returns:
        None where the Java does not say beside itself which one it is.
    """
    release = Path(java).resolve().parents[1] / "release"
    try:
        said = release.read_bytes()
    except OSError:
        return None
    jars = "\n".join(f"{jar.name} {jar.stat().st_size}" for jar in sorted(libs.glob("*.jar")))
    key = hashlib.sha256(said + f"\n{libs.resolve()}\n{jars}".encode()).hexdigest()
    return libs.resolve().parent / f"classes-{key[:16]}.jsa"


def read_options(archive: Path | None) -> list[str]:
    """The JVM's options for starting with an archive; none where it has not been made."""
    return [f"-XX:SharedArchiveFile={archive}"] if archive and archive.exists() else []


def write_options(archive: Path) -> list[str]:
    """The JVM's options for writing the archive when it ends."""
    return [f"-XX:ArchiveClassesAtExit={archive}"]
