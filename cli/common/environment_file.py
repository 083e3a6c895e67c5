"""Reads settings from `.env` in the working directory; what the environment says is stronger."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path

from shared.errors import ConfigurationError
from shared.runtime.settings import PREFIX

FILE = ".env"
SWITCH = f"{PREFIX}DOTENV"
OFF = "off"
LARGEST_BYTES = 64 * 1024


def read_environment_file(directory: Path, environ: MutableMapping[str, str]) -> None:
    """
    Add the settings that `.env` names to `environ`, unless they are there already, also as `NAME_FILE`.

    Only names that begin with `ROOMSYNC_` are taken: a file of the directory that one happens to be in sets no PATH. Values are
    taken literally; nothing is put in for `${NAME}`.

    Args:
        directory: Where the command runs. Directories above it are not looked in.
        environ: Changed in place, so that processes which the command starts inherit it. Nothing is read where its
            `ROOMSYNC_DOTENV` is `off`.

    Raises:
        ConfigurationError: the file cannot be read, is no text, or is larger than 64 KiB.
    """
    path = directory / FILE
    if environ.get(SWITCH) == OFF or not path.is_file():
        return
    for name, value in _read(path).items():
        if name.startswith(PREFIX) and value is not None and not _is_given(name, environ):
            environ[name] = value


def _read(path: Path) -> dict[str, str | None]:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            message = (
                f"{path} is larger than {LARGEST_BYTES} bytes: no file of settings; move it, or set {SWITCH}={OFF}"
            )
            raise ConfigurationError(message)
        from dotenv import dotenv_values  # noqa: PLC0415  # every command starts here, and few find a file

        return dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}; mend it, or set {SWITCH}={OFF}"
        raise ConfigurationError(message) from error


def _is_given(name: str, environ: MutableMapping[str, str]) -> bool:
    """`NAME` and `NAME_FILE` are two ways of saying the same setting."""
    plain = name.removesuffix("_FILE")
    return any(each in environ for each in (name, plain, f"{plain}_FILE"))
