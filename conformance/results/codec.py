"""Frozen dataclasses as JSON and back: the types say how; whatever is read is checked against them.

What equals its default is not written. An Enum is its value, or its name in lower case where that is a number.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache, partial
from operator import attrgetter
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from conformance.model.facts import Fact
from conformance.model.source import Source
from conformance.results.lines import KINDS, Line

JSON = dict[Any, Any]
T = TypeVar("T")
_MOST = 2**53
"""Of numbers: what any reader of JSON takes for what it is."""
_PLAIN = (str, int, float, bool, type(None))
_SURROGATE = re.compile("[\ud800-\udfff]")
_as_text = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_NAMES = {kind: name for name, kind in KINDS.items()}


class Malformed(ValueError):
    """What was read is not what the types say; the text names the place."""


def dump(line: Line) -> str:
    """``line`` as one line of ASCII, without a newline."""
    return _as_text({"type": _NAMES[type(line)]} | encode(line))


def parse(text: str) -> Line | None:
    """The inverse of `dump`; None for a type that this kit does not know. Raises `Malformed`."""
    try:
        plain = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"it is no JSON ({type(error).__name__})") from error
    if not isinstance(plain, dict) or not isinstance(plain.get("type"), str):
        raise Malformed('it is no object with a "type"')
    kind = KINDS.get(plain["type"])
    return None if kind is None else decode(kind, plain, plain["type"])


def encode(value: Any) -> Any:  # noqa: ANN401  JSON out
    """``value`` as `json` takes it."""
    return _ENCODERS[type(value)](value)


class _Encoders(dict[type, Callable[[Any], Any]]):
    """What `encode` does with all of one type: a run writes a million values, of a few dozen types."""

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        made = self[kind] = _encoder(kind)
        return made


_ENCODERS = _Encoders()


def _encoder(kind: type) -> Callable[[Any], Any]:
    if kind in _PLAIN:
        return _itself
    if issubclass(kind, Enum):
        return attrgetter("_value_") if all(isinstance(member.value, str) for member in kind) else _name_of
    if is_dataclass(kind):
        by_field = partial(_encode_fields, tuple((f.name, _default(f)) for f in fields(kind)))
        return cache(by_field) if kind is Source else by_field  # every reason has one, of a few dozen
    if issubclass(kind, Mapping):
        return _encode_items
    return _encode_all if issubclass(kind, list | tuple) else _itself


def _itself(value: Any) -> Any:  # noqa: ANN401
    return value


def _name_of(value: Enum) -> str:
    return value.value if isinstance(value.value, str) else value.name.lower()


def _encode_fields(known: tuple[tuple[str, Any], ...], value: Any) -> JSON:  # noqa: ANN401
    """``known`` are each field's name and what it is where nothing is said, `MISSING` where something must be."""
    return {n: _ENCODERS[type(v)](v) for n, default in known if (v := getattr(value, n)) != default}


def _encode_items(value: Mapping[Any, Any]) -> JSON:
    return {_ENCODERS[type(k)](k): _ENCODERS[type(v)](v) for k, v in value.items()}


def _encode_all(value: Iterable[Any]) -> list[Any]:
    return [_ENCODERS[type(v)](v) for v in value]


def decode(kind: type[T], plain: object, where: str) -> T:
    """``plain`` as a ``kind``; keys that it does not have are passed over. Raises `Malformed` naming ``where``."""
    try:
        read: T = _decode(kind, plain, where)
    except RecursionError as error:
        raise Malformed(f"{where} is nested too deeply") from error
    return read


def _decode(kind: Any, plain: object, where: str) -> Any:  # noqa: ANN401  types in, values out
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return _clean(plain)
    if origin is UnionType:
        (only,) = (a for a in arguments if a is not type(None))
        return None if plain is None else _decode(only, plain, where)
    if origin is tuple:
        return tuple(_decode(arguments[0], v, f"{where}[{i}]") for i, v in enumerate(_a(list, plain, where)))
    if origin in (Mapping, dict):
        key, value = arguments
        items = _a(dict, plain, where).items()
        return {_decode(key, k, where): _decode(value, v, f"{where}.{_clean(k)}"[:200]) for k, v in items}
    if origin is Fact:
        return _fact(arguments[0], _a(dict, plain, where), where)
    if isinstance(kind, type) and is_dataclass(kind):
        return _record(kind, _a(dict, plain, where), where)
    return _enum(kind, plain, where) if issubclass(kind, Enum) else _scalar(kind, plain, where)


def _scalar(kind: type, plain: object, where: str) -> object:
    if kind is str:
        return _clean(_a(str, plain, where))
    wanted = (int, float) if kind is float else (kind,)
    if type(plain) not in wanted:  # a bool is an int to isinstance
        raise Malformed(f"{where} is no {kind.__name__}")
    if isinstance(plain, int | float) and not abs(plain) <= _MOST:
        raise Malformed(f"{where} is no number that a run has")
    return kind(plain)


def _enum(kind: type[Enum], plain: object, where: str) -> Enum:
    for member in kind:
        if encode(member) == plain:
            return member
    raise Malformed(f"{where} is none of {', '.join(str(encode(m)) for m in kind)}")


def _record(kind: type, plain: dict[str, object], where: str) -> object:
    given = {}
    for name, (type_, needed) in _shape(kind).items():
        if name in plain:
            given[name] = _decode(type_, plain[name], f"{where}.{name}")
        elif needed:
            raise Malformed(f"{where} has no {name}")
    return kind(**given)


def _fact(kind: Any, plain: dict[str, object], where: str) -> Fact[Any]:  # noqa: ANN401  a type
    value = plain.get("value")
    source = _decode(str, plain.get("source", Fact().source), f"{where}.source")
    return Fact(None if value is None else _decode(kind, value, f"{where}.value"), source)


@cache
def _shape(kind: type) -> dict[str, tuple[Any, bool]]:
    """Name -> (type, whether it must be there)."""
    hints = get_type_hints(kind)
    return {f.name: (hints[f.name], _default(f) is MISSING) for f in fields(kind)}


def _default(field: Field[Any]) -> Any:  # noqa: ANN401  any field's
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _a(kind: type[T], plain: object, where: str) -> T:
    if not isinstance(plain, kind):
        raise Malformed(f"{where} is no {kind.__name__}")
    return plain


def _clean(plain: Any) -> Any:  # noqa: ANN401  JSON in, JSON out
    """Without what JSON can say and nothing else can hold: lone surrogates, numbers beyond all bounds."""
    if isinstance(plain, str):
        return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", plain)
    if isinstance(plain, float) and not math.isfinite(plain):
        return None
    if isinstance(plain, list):
        return [_clean(one) for one in plain]
    if isinstance(plain, dict):
        return {_clean(key): _clean(value) for key, value in plain.items()}
    return plain


def _no_number(word: str) -> None:
    raise ValueError(word)
