"""Every struct that stands in a record or a row, and an example of it in which nothing is left at its default."""

from __future__ import annotations

import enum
import importlib
import inspect
import pkgutil
import types
import typing
from collections.abc import Iterator
from typing import Any

import msgspec

import shared.contracts
from shared.engines.position import Position
from shared.registry.tables import TABLES
from shared.runtime.archive import Header


def kinds() -> dict[str, type[msgspec.Struct]]:
    """Name → struct: the row of every table, all public ones of the contracts, the position, and the head of an archive."""
    found: dict[str, type[msgspec.Struct]] = {"Position": Position, "Header": Header}
    found |= {table.row.__name__: table.row for table in TABLES}
    for module in pkgutil.iter_modules(shared.contracts.__path__):
        for name, kind in vars(importlib.import_module(f"shared.contracts.{module.name}")).items():
            ours = inspect.isclass(kind) and issubclass(kind, msgspec.Struct) and not name.startswith("_")
            if ours and kind.__module__.startswith("shared.contracts"):
                found[name] = kind
    return found


def required(kind: type[msgspec.Struct]) -> list[str]:
    """The names on the wire that no reader of `kind` can do without."""
    return sorted(field.encode_name for field in msgspec.structs.fields(kind) if field.required)


def example(kind: Any, name: str = "x") -> Any:
    """A value of a type annotation; of a struct, one with every field given."""
    if inspect.isclass(kind) and issubclass(kind, msgspec.Struct):
        fields = msgspec.structs.fields(kind)
        return kind(**{field.name: example(field.type, field.name) for field in fields})
    if inspect.isclass(kind) and issubclass(kind, enum.Enum):
        return list(kind)[-1]
    if arguments := typing.get_args(kind):
        return _composed(typing.get_origin(kind), arguments, name)
    plain: dict[Any, Any] = {
        str: f"{name}-golden", int: 7, bool: True, bytes: name.encode(), msgspec.Raw: msgspec.Raw(b'{"golden":1}'),
    }  # fmt: skip
    return plain[kind]


def _composed(origin: Any, arguments: tuple[Any, ...], name: str) -> Any:
    if origin is tuple:
        return (example(arguments[0], name),)
    if origin is dict:
        return {example(arguments[0], name): example(arguments[1], name)}
    if origin is typing.Literal:
        return arguments[0]
    return example(next(each for each in arguments if each is not types.NoneType), name)


def differences(golden: Any, now: Any, at: str = "") -> Iterator[str]:
    """What an old record said and today's reader no longer finds in it. More than it said is no difference."""
    if isinstance(golden, dict) and isinstance(now, dict):
        for key, value in golden.items():
            if key in now:
                yield from differences(value, now[key], f"{at}/{key}")
            else:
                yield f"{at}/{key} is lost"
    elif isinstance(golden, list) and isinstance(now, list) and len(golden) == len(now):
        for number, (old, new) in enumerate(zip(golden, now, strict=True)):
            yield from differences(old, new, f"{at}/{number}")
    elif golden != now:
        yield f"{at}: {golden!r} is read as {now!r}"
