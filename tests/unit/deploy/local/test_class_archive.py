"""Brokers start with an archive of classes where there is one of this Java and these jars, and otherwise without any."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local.class_archive import archive_file, read_options


@pytest.fixture
def java(tmp_path: Path) -> Path:
    program = tmp_path / "java-17" / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.touch()
    (tmp_path / "java-17" / "release").write_text('JAVA_VERSION="17.0.15"\n')
    return program


@pytest.fixture
def libs(tmp_path: Path) -> Path:
    directory = tmp_path / "kafka" / "libs"
    directory.mkdir(parents=True)
    (directory / "kafka_2.13-4.0.0.jar").write_bytes(b"jar")
    return directory


def made(java: Path, libs: Path) -> Path:
    archive = archive_file(str(java), libs)
    assert archive is not None
    archive.touch()
    return archive


def test_brokers_start_without_an_archive_until_one_is_made(java: Path, libs: Path) -> None:
    assert read_options(archive_file(str(java), libs)) == []
    archive = made(java, libs)
    assert read_options(archive_file(str(java), libs)) == [f"-XX:SharedArchiveFile={archive}"]


def test_an_archive_of_another_java_or_of_other_jars_is_not_used(java: Path, libs: Path) -> None:
    made(java, libs)
    (java.parents[1] / "release").write_text('JAVA_VERSION="17.0.16"\n')
    assert read_options(archive_file(str(java), libs)) == []
    made(java, libs)
    (libs / "kafka_2.13-4.0.0.jar").rename(libs / "kafka_2.13-4.1.0.jar")
    assert read_options(archive_file(str(java), libs)) == []


def test_a_java_that_does_not_say_which_one_it_is_gets_none(java: Path, libs: Path) -> None:
    (java.parents[1] / "release").unlink()
    assert archive_file(str(java), libs) is None
    assert read_options(archive_file(str(java), libs)) == []
