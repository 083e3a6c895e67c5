"""
Decoders, each made once, and one at a time.

msgspec builds what it has to know of a struct when the first decoder of it is made. It runs Python meanwhile, so that another
thread may find it half built, and the process ends with a segmentation fault (msgspec 0.22 on Python 3.11, seen in the notifier,
and within seconds where four threads decode a struct first). So nobody else makes a decoder or converts to a type.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
_making = threading.RLock()
_made: dict[tuple[Callable[[Any], Any], Any], Any] = {}
"""Format and kind → decoder."""


def json_decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """The decoder of JSON as `kind`."""
    found: msgspec.json.Decoder[T] = _decoder(msgspec.json.Decoder, kind)
    return found


def msgpack_decoder(kind: type[T]) -> msgspec.msgpack.Decoder[T]:
    """The decoder of MessagePack as `kind`."""
    found: msgspec.msgpack.Decoder[T] = _decoder(msgspec.msgpack.Decoder, kind)
    return found


def convert(value: object, kind: type[T], *, strict: bool = True) -> T:
    """What is there as dictionaries, lists and words, as `kind`. Raises msgspec.ValidationError, as msgspec.convert does."""
    json_decoder(kind)  # what msgspec has to know of a struct is one for all formats
    return msgspec.convert(value, kind, strict=strict)


def _decoder(make: Callable[[Any], Any], kind: Any) -> Any:
    found = _made.get((make, kind))
    if found is None:
        with _making:
            found = _made.setdefault((make, kind), make(kind))
    return found
