"""The sealed file that registry backups and exports are: a readable first line, the rest opened by one key only."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zlib
from pathlib import Path
from typing import Literal

import msgspec

from shared.contracts.erasure import Erasure
from shared.crypto.master import MasterKeys
from shared.crypto.sealing import SEAL_BYTES, seal, unseal
from shared.decoders import json_decoder, msgpack_decoder
from shared.domain.keys import era_of
from shared.errors import ConfigurationError, MalformedRecordError
from shared.ports.holdings import StoredRow, WrappedKey

MAGIC = b"roomsync-archive "
VERSION = 1
Kind = Literal["backup", "export"]
_LONGEST_LINE = 4_096
_SHOWN_CHARS = 200
"""Of what stands in a file that somebody may have altered: sentences about it stay readable."""


class Header(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The first line, in the clear: what the file is, and which key opens it. The seal covers it too."""

    v: int = VERSION
    kind: Kind
    made_at_ms: int
    key: str
    """Id of the master key (or of the key in the key file) that it was sealed under."""
    key_check: str
    """Tells another key of the same id from damage."""
    rows: int
    sealed_bytes: int = 0


class Eras(msgspec.Struct, frozen=True):
    """Names of a tenant's keys as they stood; "" for none."""

    data: str = ""
    consent: str = ""


class Contents(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed."""

    rows: list[StoredRow]
    eras: dict[str, Eras]
    """Tenant → the keys that its rows depend on."""
    erasures: list[tuple[str, Erasure]] = []
    keys: list[WrappedKey] = []
    """Exports only. A backup never holds a key: destroying one must stay final."""


def seal_archive(contents: Contents, ring: MasterKeys, *, kind: Kind, made_at_ms: int) -> bytes:
    """The file's bytes, sealed under the ring's current key."""
    key = ring.archive_key(ring.current)
    plain = zlib.compress(msgspec.msgpack.encode(contents))
    header = Header(
        kind=kind, made_at_ms=made_at_ms, key=ring.current, key_check=era_of(key), rows=len(contents.rows),
        sealed_bytes=len(plain) + SEAL_BYTES,
    )  # fmt: skip
    line = MAGIC + msgspec.json.encode(header) + b"\n"
    return line + seal(key, plain, purpose=_purpose(line))


def open_archive(raw: bytes, ring: MasterKeys, *, kind: Kind) -> tuple[Header, Contents]:
    """
    What `seal_archive` wrote.

    Raises:
        MalformedRecordError: not such a file, cut short, altered, or of the other kind.
        ConfigurationError: it needs a key that the ring does not hold, or a newer roomsync.
    """
    line, newline, body = raw.partition(b"\n")
    header = _header(line)
    if header.kind != kind:
        message = f"this is of the kind {header.kind!r}: use `roomsync registry {_command_for(header.kind)}`"
        raise MalformedRecordError(message)
    if len(body) != header.sealed_bytes:
        message = (
            f"the file is cut short or has grown: {len(body)} sealed bytes, not {header.sealed_bytes}; fetch it again"
        )
        raise MalformedRecordError(message)
    try:
        plain = unseal(_key(header, ring), body, purpose=_purpose(line + newline))
    except MalformedRecordError:
        message = "the file was altered or damaged: its seal does not match; fetch another copy"
        raise MalformedRecordError(message) from None
    return header, msgpack_decoder(Contents).decode(zlib.decompress(plain))


def write_new(path: Path, raw: bytes) -> None:
    """
    Write a file that only its owner may read: whole and on disk, or not at all.

    Raises:
        FileExistsError: something stands there; it is not replaced.
        OSError: no room, or no right.
    """
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        Path(draft).unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _header(line: bytes) -> Header:
    if not line.startswith(MAGIC):
        message = "this is no archive of roomsync"
        raise MalformedRecordError(message)
    if len(line) > _LONGEST_LINE:
        message = f"the first line of the archive is longer than {_LONGEST_LINE} bytes: the file is damaged"
        raise MalformedRecordError(message)
    try:
        version = msgspec.json.decode(line[len(MAGIC) :]).get("v", 0)
        if int(version) > VERSION:
            message = f"the archive has version {str(version)[:_SHOWN_CHARS]}, this roomsync reads up to {VERSION}: use a newer one"
            raise ConfigurationError(message)
        return json_decoder(Header).decode(line[len(MAGIC) :])
    except (
        ValueError,
        AttributeError,
        TypeError,
        RecursionError,
    ) as error:  # msgspec's own are ValueErrors; so are bad bytes
        message = f"the first line of the archive cannot be read ({str(error)[:_SHOWN_CHARS]}): the file is damaged"
        raise MalformedRecordError(message) from error


def _key(header: Header, ring: MasterKeys) -> bytes:
    try:
        key = ring.archive_key(header.key)
    except KeyError:
        message = (
            f"the archive is sealed under key {header.key[:_SHOWN_CHARS]!r}, which is not at hand: put it behind the current one in"
            " ROOMSYNC_MASTER_KEY, or name the right --key-file"
        )
        raise ConfigurationError(message) from None
    if era_of(key) != header.key_check:
        message = (
            f"the archive is sealed under another key of the name {header.key[:_SHOWN_CHARS]!r}: name the right key"
        )
        raise ConfigurationError(message)
    return key


def _purpose(line: bytes) -> str:
    return f"archive/{hashlib.sha256(line).hexdigest()}"


def _command_for(kind: Kind) -> str:
    return "restore" if kind == "backup" else "import"
